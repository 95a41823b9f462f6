package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// machineMemory is the memory of the machine in bytes, or what the control group that this process is in may have of it.
func machineMemory() (uint64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	total, err := memTotal(string(text))
	if err != nil {
		return 0, err
	}
	// The group's own limit, as a container shows it; its parents' are not looked at.
	if group, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(group)), 10, 64); err == nil { // else it says max
			total = min(total, limit)
		}
	}
	return total, nil
}

// memTotal reads the figure out of meminfo, whose "kB" are KiB: see proc_meminfo(5).
func memTotal(meminfo string) (uint64, error) {
	for line := range strings.Lines(meminfo) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no MemTotal")
}
