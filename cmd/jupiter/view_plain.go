package main

import (
	"fmt"
	"sync"
	"time"

	"jupiter/runtime"
)

// progressEvery is how often a view that is no terminal says how far things are.
const progressEvery = 10 * time.Second

// plainView writes lines, for logs and pipes: no control characters, and at most one line of progress every ten seconds.
type plainView struct {
	w     *world
	mu    sync.Mutex
	track *track
	last  time.Time // of the last line of progress
}

func (v *plainView) start() {}

func (v *plainView) say(text string) { fmt.Fprintln(v.w.err, text) }

func (v *plainView) Emit(e runtime.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if line := v.track.note(e); line != "" {
		fmt.Fprintln(v.w.out, line)
	}
	switch e.Type {
	case runtime.Planned:
		v.last = e.At
	case runtime.Started:
		if v.track.planned[e.Address] {
			fmt.Fprintf(v.w.out, "  start    %s: %s\n", e.Address, e.Title)
		}
	case runtime.Progressed:
		if e.At.Sub(v.last) < progressEvery {
			return
		}
		v.last = e.At
		if s := v.track.stages[e.Address]; s != nil {
			fmt.Fprintf(v.w.out, "  …        %s: %s\n", e.Address, s.figures(e.At))
		}
	}
}

func (v *plainView) ended(ending) {}
