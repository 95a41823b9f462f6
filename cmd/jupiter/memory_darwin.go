package main

import "golang.org/x/sys/unix"

// machineMemory is the memory of the machine in bytes.
func machineMemory() (uint64, error) { return unix.SysctlUint64("hw.memsize") }
