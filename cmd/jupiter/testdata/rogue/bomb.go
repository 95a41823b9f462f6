package main

import (
	"os"
	"os/exec"
	"strconv"
)

// bomb starts processes that each start two more, in sessions of their own: 4095 in all, so that nobody is hurt where nothing
// stops it. Their command line has the plan's directory, by which they are found.
func bomb(s *stream, m any) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	const depth = 12
	const split = `n=$(($0 - 1)); if [ $n -gt 0 ]; then setsid sh -c "$1" $n "$1" "$2" & setsid sh -c "$1" $n "$1" "$2" & fi; sleep 300; : "$2"`
	if err := exec.Command("sh", "-c", split, strconv.Itoa(depth), split, "rogue-child-of-"+dir).Run(); err != nil {
		return err
	}
	return s.send(m)
}
