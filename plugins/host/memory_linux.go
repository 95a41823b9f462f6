package host

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// peakMemory is the most memory that a process has had resident since it began, or since resetPeakMemory.
func peakMemory(pid int) (uint64, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, rest, ok := bytes.Cut(b, []byte("\nVmHWM:"))
	if !ok {
		return 0, false
	}
	fields := bytes.Fields(rest)
	if len(fields) < 2 || string(fields[1]) != "kB" {
		return 0, false
	}
	kib, err := strconv.ParseUint(string(fields[0]), 10, 54)
	return kib << 10, err == nil
}

// resetPeakMemory begins to look for the most anew.
func resetPeakMemory(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // else the peak is that of the process's life
}
