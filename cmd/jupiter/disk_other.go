//go:build !linux && !darwin

package main

import "errors"

// freeDisk is how many bytes the user may still write to the file system of a directory.
func freeDisk(string) (uint64, error) { return 0, errors.ErrUnsupported }
