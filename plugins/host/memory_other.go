//go:build !linux

package host

import (
	"os"
	"syscall"
)

// LimitsHold says whether this system tells what processes have, so that Limits hold.
const LimitsHold = false

// peakMemory is not known here.
func peakMemory(int, bool) (uint64, bool) { return 0, false }

func residentMemory(int, bool) (uint64, bool) { return 0, false }

func resetPeakMemory(int, bool) {}

// threads is not known here.
func threads(int, bool) uint64 { return 0 }

// tree is the process alone: what it has started is not known here.
func tree(pid int) []int { return []int{pid} }

// lives says whether a process is there.
func lives(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
