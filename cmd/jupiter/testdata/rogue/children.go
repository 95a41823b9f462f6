package main

import (
	"os"
	"os/exec"
	"syscall"
)

// children starts processes that mean to stay: in sessions of their own, with the pipes open, with everything closed, and
// each with children of its own. Their command line has the plan's directory, by which they are found.
func children(s *stream, m any) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if s.n == 1 {
		const stay = `trap "" TERM HUP INT; for i in 1 2 3; do sleep 300 & done; wait; : "$0"`
		for i := range 8 {
			cmd := exec.Command("sh", "-c", stay, "rogue-child-of-"+dir)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: i%2 == 0}
			if i%4 < 2 {
				cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			}
			if err := cmd.Start(); err != nil {
				return err
			}
		}
	}
	return s.send(m)
}
