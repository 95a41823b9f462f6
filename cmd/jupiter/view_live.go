package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"jupiter/runtime"
)

const (
	redrawEvery = 150 * time.Millisecond
	barWidth    = 20
)

// liveView draws a line for each action that runs, at the bottom of a terminal, and lets what has ended scroll away
// above it.
type liveView struct {
	w     *world
	paint painter

	mu    sync.Mutex
	track *track
	drawn int // lines at the bottom that the next drawing replaces

	stop   chan struct{} // nil: not started
	redraw sync.WaitGroup
}

func newLiveView(w *world) *liveView {
	return &liveView{w: w, paint: w.paint(w.out), track: newTrack()}
}

// start begins to redraw, so that time left runs down between reports.
func (v *liveView) start() {
	v.stop = make(chan struct{})
	v.redraw.Go(func() {
		tick := time.NewTicker(redrawEvery)
		defer tick.Stop()
		for {
			select {
			case <-v.stop:
				return
			case <-tick.C:
				v.mu.Lock()
				v.draw("")
				v.mu.Unlock()
			}
		}
	})
}

// Emit takes an event in. Progress waits for the next tick: a trainer reports more often than an eye sees.
func (v *liveView) Emit(e runtime.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if line := v.track.note(e); line != "" {
		v.draw(line)
	}
}

// say writes above the live lines: elsewhere on the terminal it would be drawn over.
func (v *liveView) say(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.draw(text)
}

// ended leaves the screen with nothing that would be redrawn.
func (v *liveView) ended(ending) {
	if v.stop != nil {
		close(v.stop)
		v.redraw.Wait()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.track.stages = map[string]*running{}
	v.draw("")
}

// draw replaces the live lines, after a line that stays; "" for none.
func (v *liveView) draw(line string) {
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", v.drawn) // up to the first live line, and clear all below
	}
	if line != "" {
		b.WriteString(line + "\n")
	}
	v.drawn = 0
	width, now := v.w.width(v.w.out), v.w.now()
	for _, s := range v.track.now() {
		b.WriteString(v.line(s, now, width) + "\n")
		v.drawn++
	}
	if b.Len() > 0 {
		fmt.Fprint(v.w.out, b.String())
	}
}

// line is an action's live line, never wider than the terminal: a wrapped line would break the next drawing.
func (v *liveView) line(s *running, now time.Time, width int) string {
	bar := ""
	if s.seen && s.total > 0 {
		full := int(uint64(barWidth) * min(s.done, s.total) / s.total)
		bar = strings.Repeat("█", full) + strings.Repeat("░", barWidth-full) + "  "
	}
	text := "  " + s.address + "  " + bar + s.figures(now)
	if width > 1 {
		text = cut(text, width-1)
	}
	return v.paint.as(cyan, text)
}
