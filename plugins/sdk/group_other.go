//go:build !unix

package sdk

import (
	"os"
	"syscall"
)

// endGroup ends the process. Where there are no process groups, what it has started must end with its own input.
func endGroup() { os.Exit(1) }

const hangup = syscall.SIGHUP
