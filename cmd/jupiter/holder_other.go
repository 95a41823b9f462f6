//go:build !linux

package main

// hasOpen cannot be told here. The kernel's lock, and the process and machine beside it, have to do.
func hasOpen(int, string) (bool, error) { return true, nil }
