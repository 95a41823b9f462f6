//go:build unix

package sdk

import (
	"os"
	"syscall"
)

// endGroup kills the process and what it has started. The host makes every plugin the leader of a process group; one
// that leads none ends alone.
func endGroup() {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(1)
}

const hangup = syscall.SIGHUP
