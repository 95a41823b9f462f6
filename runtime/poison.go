package runtime

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"jupiter/plugins/host"
)

// A record that kills the filter or the verifier that looks at it is poison. It is found like this: a first crash may be
// chance, so everything is sent again. After a second one, what had no answer then is sent one at a time, each when the one
// before it was answered; what kills the process now is known, and is left out from then on. A record that is left out counts
// as dropped, under the reason quarantined.
type poison struct {
	out     map[[32]byte]bool // left out, by what it says
	crashes map[string]int    // by stage
	from    map[string]int    // by stage: the first item, of all, that had no answer at the last crash
	stalls  map[string]int    // by stage: items in a row that it stalled on, with no answer in between
}

const (
	quarantined = "quarantined"
	careful     = 8192 // items that are sent one at a time: more than a plugin can have been sent and not answered
	maxPoison   = 100  // of an action; more is a plugin that does not work
	maxStalls   = 3    // in a row, for the same reason: each costs as long as the host waits
)

// itemKey names an item by what it says.
func itemKey(parts ...string) [32]byte {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return [32]byte(h.Sum(nil))
}

// crashed takes note of an error of a stage that had answered the items before first. Anything but a crash is none of its
// business.
func (p *poison) crashed(stage string, err error, first int, at *pace, key func() [32]byte) error {
	var c *host.Crash
	if !errors.As(err, &c) || c.Again() {
		return err
	}
	if p.out == nil {
		p.out, p.crashes, p.from, p.stalls = map[[32]byte]bool{}, map[string]int{}, map[string]int{}, map[string]int{}
	}
	p.crashes[stage]++
	if p.from[stage] != first { // what was left out before is no more among the items
		p.stalls[stage] = 0
	}
	p.from[stage] = first
	if at.alone(first) {
		if c.Stalled {
			p.stalls[stage]++
		}
		switch {
		case len(p.out) == maxPoison:
			return &hopeless{err, fmt.Sprintf("%d items were left out because each of them ended the process, and there is another one", maxPoison)}
		case p.stalls[stage] == maxStalls:
			return &hopeless{err, fmt.Sprintf("it stalls on %d items in a row, and answers none between them", maxStalls)}
		}
		p.out[key()] = true
	}
	return err
}

// hopeless is a plugin that too many items end.
type hopeless struct {
	last error
	why  string
}

func (h *hopeless) Error() string { return h.why + ": " + h.last.Error() }
func (h *hopeless) Unwrap() error { return h.last }

// pace is how the next try of a stage sends its items.
func (p *poison) pace(stage string) *pace {
	t := &pace{news: make(chan struct{}, 1), over: make(chan struct{})}
	if p.crashes[stage] >= 2 {
		t.from, t.to = p.from[stage], p.from[stage]+careful
	}
	return t
}

// pace holds back who sends items: of those from from to to, each goes when the one before it was answered. Nil and the zero
// range hold back nobody.
type pace struct {
	from, to int
	news     chan struct{} // has a token where answered has risen
	over     chan struct{} // closed when nobody answers any more
	once     sync.Once

	mu   sync.Mutex
	done int // answered
	sent int // the last item that was let go alone; valid where held
	held bool
}

// mostItems bounds the items of one message.
const mostItems = 4096

// next waits until the item at i may go, and gives how many may go with it.
func (p *pace) next(i int) int {
	switch {
	case p == nil || i >= p.to:
		return mostItems
	case i < p.from:
		return min(mostItems, p.from-i)
	}
	for {
		p.mu.Lock()
		ready := p.done >= i
		if ready {
			p.sent, p.held = i, true
		}
		p.mu.Unlock()
		if ready {
			return 1
		}
		select {
		case <-p.news:
		case <-p.over:
			return 1 // what is sent now reaches nobody
		}
	}
}

// answered says how many items have their answer.
func (p *pace) answered(n int) {
	p.mu.Lock()
	p.done = n
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// stop lets go whoever waits.
func (p *pace) stop() { p.once.Do(func() { close(p.over) }) }

// alone says whether the item at i was the only one without an answer.
func (p *pace) alone(i int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held && p.sent == i
}
