package main

import "testing"

func TestMachineMemory(t *testing.T) {
	t.Parallel()
	if got, err := memTotal("MemTotal:       24689732 kB\nMemFree:          123 kB\n"); err != nil || got != 24689732<<10 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := memTotal("MemFree: 123 kB\n"); err == nil {
		t.Error("a file without a total was read")
	}
	if got, err := machineMemory(); err != nil || got < 64<<20 {
		t.Errorf("this machine has %d bytes, %v", got, err)
	}
}
