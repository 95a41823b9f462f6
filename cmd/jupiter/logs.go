package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

type logsOptions struct {
	targetOptions
	follow bool
	lines  int
}

func newLogsCommand(w *world) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs [RUN]",
		Short: "Show what an apply said",
		Long: `Show the log of the last apply, or of RUN: what it says where there is no terminal. Each apply has one, detached or
not. They are kept of the last 20 runs.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return showLogs(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what is said from now on, until the run ends")
	cmd.Flags().IntVar(&o.lines, "lines", 0, "begin with the last `N` lines; 0: with the first")
	return cmd
}

func showLogs(ctx context.Context, w *world, o *logsOptions, id string) error {
	if o.lines < 0 {
		return usageError{fmt.Errorf("--lines %d: a number of lines, or 0 for all", o.lines)}
	}
	run, err := findRun(ctx, w, &o.targetOptions, id)
	if err != nil {
		return err
	}
	f, err := run.file(logSuffix)
	if err != nil {
		return err
	}
	l := &followed{watched: run, out: w.out, f: f}
	defer func() { l.f.Close() }()
	if err := l.begin(o.lines); err != nil {
		return err
	}
	if !o.follow {
		return nil
	}
	return run.follow(ctx, l.news)
}

// followed writes a log out as it grows.
type followed struct {
	*watched
	out io.Writer
	f   *os.File
}

// begin writes what is there: the last n lines, or all. A full log that was put aside comes first.
func (l *followed) begin(n int) error {
	full, err := os.ReadFile(runFile(l.stateDir, l.run.ID, fullSuffix))
	if ignoreGone(err) != nil {
		return err
	}
	rest, err := io.ReadAll(l.f)
	if err != nil {
		return err
	}
	_, err = l.out.Write(lastLines(append(full, rest...), n))
	return err
}

// lastLines is the end of a text; 0: all of it.
func lastLines(b []byte, n int) []byte {
	if n == 0 {
		return b
	}
	for i := len(bytes.TrimSuffix(b, []byte("\n"))); i > 0; n-- {
		if i = bytes.LastIndexByte(b[:i], '\n'); n == 1 {
			return b[i+1:]
		}
	}
	return b
}

// news writes what was added. Where the log was put aside the rest of it comes first, and then the new one.
func (l *followed) news() (bool, error) {
	if _, err := io.Copy(l.out, l.f); err != nil {
		return false, err
	}
	is, err := l.f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(runFile(l.stateDir, l.run.ID, logSuffix))
	if err != nil || os.SameFile(is, there) {
		return false, ignoreGone(err)
	}
	if _, err := io.Copy(l.out, l.f); err != nil { // what was written before it was put aside
		return false, err
	}
	f, err := l.file(logSuffix)
	if err != nil {
		return false, err
	}
	err = l.f.Close()
	l.f = f
	_, copied := io.Copy(l.out, l.f)
	return false, errors.Join(err, copied)
}
