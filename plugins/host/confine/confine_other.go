//go:build !linux

package confine

import (
	"errors"
	"syscall"
)

// Supported says whether there is a wrapper on this system.
const Supported = false

// Attr gives how the wrapper is started.
func Attr(_, _ bool) *syscall.SysProcAttr { return nil }

// Refused says whether an error of starting the wrapper means that the system refuses its namespaces.
func Refused(error) bool { return false }

// End is the signal that asks a wrapper to end the plugin.
const End = syscall.SIGTERM

// Main is the wrapper.
func Main([]string) (int, error) { return 1, errors.New("plugins are confined on Linux alone") }
