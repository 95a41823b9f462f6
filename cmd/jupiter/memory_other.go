//go:build !linux && !darwin

package main

import "errors"

// machineMemory is the memory of the machine in bytes.
func machineMemory() (uint64, error) { return 0, errors.ErrUnsupported }
