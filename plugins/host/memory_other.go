//go:build !linux

package host

// MemoryBounds says whether this system tells how much memory processes have, so that a bound on it holds.
const MemoryBounds = false

// peakMemory is not known here.
func peakMemory(int, bool) (uint64, bool) { return 0, false }

func residentMemory(int, bool) (uint64, bool) { return 0, false }

func resetPeakMemory(int, bool) {}
