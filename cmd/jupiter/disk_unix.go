//go:build linux || darwin

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeDisk is how many bytes the user may still write to the file system of a directory.
func freeDisk(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}
