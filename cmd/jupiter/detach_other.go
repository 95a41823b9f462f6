//go:build !linux && !darwin

package main

import (
	"errors"
	"os"
	"os/exec"
)

func ownSession(*exec.Cmd) error {
	return errors.New("this system has no sessions that the program knows how to make: use jupiter apply below a tool that keeps it running")
}

func ignoreHangup() {}

func inherited(int) (*os.File, error) { return nil, errors.ErrUnsupported }
