//go:build linux || darwin

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownSession has a command run in a session of its own: it has no controlling terminal, and no signal that the kernel
// sends to those of one reaches it.
func ownSession(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return nil
}

// ignoreHangup makes the process outlive its login also where something sends SIGHUP to all of a user's processes.
func ignoreHangup() { signal.Ignore(syscall.SIGHUP) }

// inherited is a descriptor that the process was started with. What it starts itself does not get it.
func inherited(fd int) (*os.File, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "begun")
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeNamedPipe == 0 {
		return nil, errors.New("no pipe")
	}
	return f, nil
}
