//go:build !linux

package host

import (
	"os"
	"syscall"
)

// MemoryBounds says whether this system tells how much memory processes have, so that a bound on it holds.
const MemoryBounds = false

// peakMemory is not known here.
func peakMemory(int, bool) (uint64, bool) { return 0, false }

func residentMemory(int, bool) (uint64, bool) { return 0, false }

func resetPeakMemory(int, bool) {}

// tree is the process alone: what it has started is not known here.
func tree(pid int) []int { return []int{pid} }

// lives says whether a process is there.
func lives(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
