//go:build unix && !linux

package host

import "syscall"

// ownGroup puts a process into a group of its own: a Ctrl-C at the terminal reaches the host alone, and the host ends the
// plugin together with what it has started.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
