package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"jupiter/bench/figures"
)

// command is a process to measure.
type command struct {
	path string
	args []string
	dir  string
	env  []string
	want string // what its output must hold; "": anything
}

// sample is what one run of a command took.
type sample struct {
	wall   float64 // seconds
	cpu    float64 // seconds, user and system, of the process and of those that it waited for
	memory float64 // MB, the most that one of these processes held
}

// measure runs the command. A run that fails, or says something else than it should, has no figures.
func (c command) measure(ctx context.Context) (sample, error) {
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began).Seconds()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, errs.String(), out.String())
	}
	if !strings.Contains(out.String(), c.want) {
		return sample{}, fmt.Errorf("%s does not say %q:\n%s", strings.Join(cmd.Args, " "), c.want, out.String())
	}
	s := sample{wall: wall, cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.memory = megabytes(int64(u.Maxrss))
	}
	return s, nil
}

// megabytes is a maximum resident set as the kernel gives it: in KiB on Linux, in bytes on darwin.
func megabytes(maxrss int64) float64 {
	if runtime.GOOS == "darwin" {
		return float64(maxrss) / 1e6
	}
	return float64(maxrss) * 1024 / 1e6
}

// medians takes the median of each figure by itself.
func medians(all []sample) sample {
	pick := func(f func(sample) float64) float64 {
		x := make([]float64, len(all))
		for i, s := range all {
			x[i] = f(s)
		}
		return figures.Median(x)
	}
	return sample{
		wall:   pick(func(s sample) float64 { return s.wall }),
		cpu:    pick(func(s sample) float64 { return s.cpu }),
		memory: pick(func(s sample) float64 { return s.memory }),
	}
}
