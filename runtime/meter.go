package runtime

import (
	"context"
	"sync"
	"time"

	"jupiter/plan/config"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/state"
)

// meter counts what work uses. Meters form a tree: what an action uses counts for its cycle and for the run too, and what
// an action does on the way counts for it. Each may have a budget. All methods work on nil, which counts nothing.
type meter struct {
	clock  func() time.Time
	parent *meter
	bound  *bound       // nil: none
	before *state.Usage // of earlier tries of an action; nil: none
	alone  bool         // an action that has the machine to itself

	mu                 sync.Mutex
	prompt, completion uint64
	usd                float64
	unpriced           bool // tokens were bought whose price is not known
	bytes              uint64
	peak               *uint64
	seconds            float64   // until since
	since              time.Time // zero: the clock stands
}

// meterKey is where a context keeps the meter of what runs.
type meterKey struct{}

func withMeter(ctx context.Context, m *meter) context.Context {
	return context.WithValue(ctx, meterKey{}, m)
}

// meterOf is the meter of what runs in a context, or nil.
func meterOf(ctx context.Context) *meter {
	m, _ := ctx.Value(meterKey{}).(*meter)
	return m
}

// start lets the meter's clock run; stop halts it.
func (m *meter) start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since = m.clock()
}

func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seconds, m.since = m.elapsed(), time.Time{}
}

// elapsed is the time so far. mu is held.
func (m *meter) elapsed() float64 {
	if m.since.IsZero() {
		return m.seconds
	}
	return m.seconds + m.clock().Sub(m.since).Seconds()
}

// usage is what was used so far, in earlier tries too.
func (m *meter) usage() *state.Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := &state.Usage{Seconds: m.elapsed(), PromptTokens: m.prompt, CompletionTokens: m.completion, DiskBytes: m.bytes, PeakMemoryBytes: m.peak}
	usd, unpriced := m.usd, m.unpriced
	if b := m.before; b != nil {
		u.Seconds += b.Seconds
		u.PromptTokens += b.PromptTokens
		u.CompletionTokens += b.CompletionTokens
		u.DiskBytes += b.DiskBytes
		if p := b.PeakMemoryBytes; p != nil && (u.PeakMemoryBytes == nil || *u.PeakMemoryBytes < *p) {
			u.PeakMemoryBytes = p
		}
		if b.USD == nil {
			unpriced = true
		} else {
			usd += *b.USD
		}
	}
	if !unpriced {
		u.USD = &usd
	}
	return u
}

// each does something to a meter and all above it, then looks at their budgets.
func (m *meter) each(do func(*meter)) {
	for at := m; at != nil; at = at.parent {
		at.mu.Lock()
		do(at)
		at.mu.Unlock()
		at.check()
	}
}

// tokens counts what a model read and wrote.
func (m *meter) tokens(prompt, completion uint64, bought bool, prices *config.Prices) {
	if prompt+completion == 0 {
		return
	}
	m.each(func(at *meter) {
		at.prompt += prompt
		at.completion += completion
		switch {
		case bought && prices == nil:
			at.unpriced = true
		case bought:
			at.usd += prices.Of(float64(prompt), float64(completion))
		}
	})
}

// disk counts what the store took in.
func (m *meter) disk(bytes int64) {
	m.each(func(at *meter) { at.bytes += uint64(bytes) })
}

// memory notes how much the plugins had at the peak.
func (m *meter) memory(bytes uint64) {
	m.each(func(at *meter) {
		if at.peak == nil || *at.peak < bytes {
			at.peak = &bytes
		}
	})
}

// callUse counts one call that runs a model: by what the call reports, or by what comes out of it, whichever is more.
type callUse struct {
	m      *meter
	bought bool // its tokens are a generator's, which can have a price
	prices *config.Prices

	mu                  sync.Mutex
	seen, told, counted [2]uint64 // prompt and completion tokens
}

// use begins to count a call of a stage.
func (j *job) use(s *config.Stage) *callUse {
	return &callUse{m: j.meter, bought: s.Kind == "generator", prices: s.Prices}
}

// saw counts what a record, a completion or a score says of itself.
func (u *callUse) saw(prompt, completion uint64) {
	if u == nil {
		return
	}
	u.count(func() {
		u.seen[0] += prompt
		u.seen[1] += completion
	})
}

// heard takes what the call reports.
func (u *callUse) heard(p *pluginv1.Progress) {
	if g := p.GetUsage(); g != nil && u != nil {
		u.count(func() { u.told = [2]uint64{max(u.told[0], g.PromptTokens), max(u.told[1], g.CompletionTokens)} })
	}
}

func (u *callUse) count(change func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change()
	var more [2]uint64
	for i := range more {
		now := max(u.seen[i], u.told[i])
		more[i], u.counted[i] = now-u.counted[i], now
	}
	u.m.tokens(more[0], more[1], u.bought, u.prices)
}
