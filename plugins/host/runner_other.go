//go:build !unix

package host

import (
	"os"
	"syscall"
)

// ownGroup does nothing: there are no process groups here. A plugin's children end with their own input.
func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(int) {}

func wake(int) {}

// endingOf says how a process ended. os.Process.Kill ends it with status 1.
func endingOf(s *os.ProcessState) ending {
	return ending{code: s.ExitCode(), killed: s.ExitCode() == 1}
}

func bySignal(s syscall.Signal) ending { return ending{code: -1, signal: s.String()} }
