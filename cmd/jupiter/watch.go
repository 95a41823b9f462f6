package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"jupiter/state"
)

// watchEvery is how often a command that watches a run looks for news.
const watchEvery = 100 * time.Millisecond

// watched is a run as another process sees it: its files, and whether it goes on.
type watched struct {
	stateDir string
	run      state.Run
}

// watched finds a run by its ID; "" or "last": the newest.
func (p *project) watched(ctx context.Context, id string) (*watched, error) {
	runs, err := p.runs(ctx)
	if err != nil {
		return nil, err
	}
	for i, r := range runs {
		if r.ID == id || i == len(runs)-1 && (id == "" || id == "last") {
			return &watched{p.cfg.StateDir, r}, nil
		}
	}
	if id == "" || id == "last" {
		return nil, errors.New("there was no apply yet; jupiter apply --detach begins one that goes on by itself")
	}
	return nil, fmt.Errorf("there is no run %q; jupiter runs list says which there are", id)
}

// findRun reads the state for a command that then watches for long, and needs no plugin for that.
func findRun(ctx context.Context, w *world, o *targetOptions, id string) (run *watched, err error) {
	err = reading(ctx, w, o, "", func(p *project) error {
		run, err = p.watched(ctx, id)
		return err
	})
	return run, err
}

// goesOn says whether the process of the run still holds the state. A lock whose holder has not written himself down yet
// is the run's as far as anybody can tell.
func (r *watched) goesOn() (bool, error) {
	if !r.run.Ended.IsZero() {
		return false, nil
	}
	h, held, err := state.LockHolder(r.stateDir)
	if errors.Is(err, state.ErrUnsupported) {
		return false, nil
	}
	return held && (h.PID == r.run.PID || h.PID == 0), err
}

// file opens one of the run's files.
func (r *watched) file(suffix string) (*os.File, error) {
	f, err := os.Open(runFile(r.stateDir, r.run.ID, suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nothing is kept of run %s: files are kept of the last %d runs. jupiter runs show %s has its journal", r.run.ID, keepLogs, r.run.ID)
	}
	return f, err
}

// follow calls more whenever there may be news, and once more when the run has ended. It returns early where more says that
// it has seen all.
func (r *watched) follow(ctx context.Context, more func() (done bool, err error)) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		on, err := r.goesOn() // before the news, so that nothing is written after the last look
		if err != nil {
			return err
		}
		if done, err := more(); done || err != nil || !on {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// lines reads a file that grows, line by line.
type lines struct {
	r    *bufio.Reader
	part []byte // of a line whose end is not written yet
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReader(r)} }

// next gives a line without its end; false: there is none yet.
func (l *lines) next() ([]byte, bool, error) {
	b, err := l.r.ReadBytes('\n')
	l.part = append(l.part, b...)
	if errors.Is(err, io.EOF) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	line := bytes.TrimSuffix(l.part, []byte("\n"))
	l.part = nil
	return line, true, nil
}
