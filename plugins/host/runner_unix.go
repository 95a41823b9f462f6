//go:build unix

package host

import (
	"os"
	"syscall"
)

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// wake lets a process group run that was suspended.
func wake(pid int) { _ = syscall.Kill(-pid, syscall.SIGCONT) }

// endingOf says how a process ended.
func endingOf(s *os.ProcessState) ending {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return bySignal(ws.Signal())
	}
	return ending{code: s.ExitCode()}
}

func bySignal(s syscall.Signal) ending {
	return ending{code: -1, signal: s.String(), killed: s == syscall.SIGKILL}
}
