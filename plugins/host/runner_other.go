//go:build !unix

package host

import (
	"os"
	"syscall"
)

// ownGroup does nothing: there are no process groups here. A plugin's children end with their own input.
func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(int) {}

func signalOf(*os.ProcessState) string { return "" }

// endedByKill says whether a process ended as os.Process.Kill ends it.
func endedByKill(s *os.ProcessState) bool { return s.ExitCode() == 1 }
