//go:build !linux

package host

// peakMemory is not known here.
func peakMemory(int) (uint64, bool) { return 0, false }

func resetPeakMemory(int) {}
