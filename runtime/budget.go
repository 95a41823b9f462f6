package runtime

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"jupiter/plan/config"
	"jupiter/plugins/proto/pluginv1"
)

// BudgetError says that a budget is used up. What ran has saved what it had.
type BudgetError struct {
	Block  string // that has the budget
	Scope  string // "this apply" or the action that used it up
	What   string // tokens, hours, usd, disk_gb: the attribute
	Used   float64
	Budget float64
}

func (e *BudgetError) Error() string {
	if e.What == "disk_gb" { // it stops before, not after
		return fmt.Sprintf("%s: budget.disk_gb = %s for %s is used up: %s are taken, and what comes next does not fit", e.Block, figure(e.Budget, 15), e.Scope, figure(e.Used, 6))
	}
	used := figure(e.Used, 6)
	if e.What == "tokens" {
		used = figure(e.Used, 15) // every one
	}
	return fmt.Sprintf("%s: budget.%s = %s for %s is used up: %s", e.Block, e.What, figure(e.Budget, 15), e.Scope, used)
}

// figure is a number with so many significant digits, as a person writes it into a budget: without an exponent.
func figure(v float64, digits int) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// bound is a meter's budget.
type bound struct {
	r      *Runner
	block  string
	scope  string
	budget config.Budget
}

// slack is how much of a budget may be left when it counts as used up: sums of small amounts of money do not come out
// exactly.
const slack = 1e-9

// saving is the part of a budget of time that is kept for saving what runs: asked then, a stage that saves within two
// hundredths of the budget ends within one of it.
const saving = 0.01

// check ends the run where a budget is used up.
func (m *meter) check() {
	b := m.bound
	if b == nil {
		return
	}
	m.mu.Lock()
	used := []struct {
		what        string
		used, limit float64
		left        float64 // part of the limit that may be left
	}{
		{"tokens", float64(m.prompt + m.completion), float64(b.budget.Tokens), slack},
		{"hours", m.elapsed() / 3600, b.budget.Hours, saving},
		{"usd", m.usd, b.budget.USD, slack},
	}
	m.mu.Unlock()
	for _, u := range used {
		if u.limit > 0 && u.used >= u.limit*(1-u.left) {
			b.r.exhaust(&BudgetError{Block: b.block, Scope: b.scope, What: u.what, Used: u.used, Budget: u.limit})
		}
	}
}

// mayEnd says whether a budget may end what is metered.
func (m *meter) mayEnd() bool {
	for at := m; at != nil; at = at.parent {
		if at.bound != nil {
			return true
		}
	}
	return false
}

// bounded says whether the store may be kept from taking something in.
func (m *meter) bounded() bool {
	for at := m; at != nil; at = at.parent {
		if at.bound != nil && at.bound.budget.DiskGB > 0 {
			return true
		}
	}
	return false
}

// room says whether the store may take in so many bytes more. Where it may not, the run ends.
func (m *meter) room(bytes int64) bool {
	for at := m; at != nil; at = at.parent {
		b := at.bound
		if b == nil || b.budget.DiskGB == 0 {
			continue
		}
		at.mu.Lock()
		used := float64(at.bytes)
		at.mu.Unlock()
		if used+float64(bytes) > b.budget.DiskGB*1e9 {
			b.r.exhaust(&BudgetError{Block: b.block, Scope: b.scope, What: "disk_gb", Used: used / 1e9, Budget: b.budget.DiskGB})
			return false
		}
	}
	return true
}

// limit is what a call may use: what is left of the tightest budget. nil: no bound.
func (u *callUse) limit() *pluginv1.Limit {
	l := &pluginv1.Limit{}
	for at := u.m; at != nil; at = at.parent {
		if at.bound == nil {
			continue
		}
		budget := at.bound.budget
		at.mu.Lock()
		if t := budget.Tokens; t > 0 {
			if left := max(1, t-min(t, at.prompt+at.completion)); l.Tokens == 0 || left < l.Tokens {
				l.Tokens = left
			}
		}
		if budget.USD > 0 && u.bought && u.prices != nil {
			if left := max(slack*budget.USD, budget.USD-at.usd); l.Usd == 0 || left < l.Usd {
				l.Usd, l.UsdPerPromptToken, l.UsdPerCompletionToken = left, u.prices.Input/1e6, u.prices.Output/1e6
			}
		}
		at.mu.Unlock()
	}
	if l.Tokens == 0 && l.Usd == 0 {
		return nil
	}
	return l
}

// exhaust ends the run for a budget: what runs is asked to save, and nothing new starts. The first budget counts.
func (r *Runner) exhaust(e *BudgetError) {
	r.exhausted.CompareAndSwap(nil, e)
	if r.stopping.CompareAndSwap(false, true) {
		// Not here: this is where a call's events are read, and a call that is asked to stop waits for its reader.
		r.stops.Go(func() { r.Host.Stop(context.Background(), "a budget is used up", r.grace()) })
	}
}

// watchHours looks at the clock of a budget while f runs. The runner's clock says what time it is; the ticker only says
// when to look.
func watchHours(m *meter, f func()) {
	if m.bound == nil || m.bound.budget.Hours == 0 {
		f()
		return
	}
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(lookEvery(m.bound.budget.Hours))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.check()
			case <-quit:
				return
			}
		}
	})
	defer done.Wait()
	defer close(quit)
	f()
}

// lookEvery is how often a clock is looked at: a small part of the budget.
func lookEvery(hours float64) time.Duration {
	return min(max(time.Duration(hours*3600/10000*float64(time.Second)), 2*time.Millisecond), 50*time.Millisecond)
}
