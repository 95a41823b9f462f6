package kernel

// implementations lists what the processor can run, the fastest first. Every arm64 processor that Go runs on has NEON.
func implementations() []*impl { return []*impl{&neon, &portable} }
