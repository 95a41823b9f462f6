//go:build !amd64 && !arm64

package kernel

// implementations lists what the processor can run, the fastest first.
func implementations() []*impl { return []*impl{&portable} }
