package main

import (
	"os"
	"path/filepath"
	"strconv"
)

// hasOpen says whether a process has a file open.
func hasOpen(pid int, path string) (bool, error) {
	want, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	open, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return false, nil // there is no such process
	} else if err != nil {
		return false, err
	}
	for _, fd := range open {
		if is, err := os.Stat(filepath.Join(dir, fd.Name())); err == nil && os.SameFile(is, want) {
			return true, nil
		}
	}
	return false, nil
}
