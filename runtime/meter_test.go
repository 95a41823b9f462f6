package runtime

import (
	"testing"
	"time"

	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/state"
)

// metering gives a runner with a clock that the test sets, and a meter with a budget.
func metering(t *testing.T, b config.Budget) (r *Runner, m *meter, now *time.Time) {
	t.Helper()
	h, err := host.New(host.Options{}) // starts nothing
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	r = &Runner{Config: &config.Config{}, Host: h, Clock: func() time.Time { return at }}
	m = &meter{clock: r.Clock, bound: &bound{r: r, block: "b", scope: "this apply", budget: b}}
	t.Cleanup(func() {
		r.stops.Wait()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, m, &at
}

// TestHours: a budget of time is used up a hundredth before its end, by the runner's clock, whichever part of it was used
// before.
func TestHours(t *testing.T) {
	t.Parallel()
	r, m, now := metering(t, config.Budget{Hours: 2})
	m.start()
	*now = now.Add(90 * time.Minute)
	m.stop()
	*now = now.Add(10 * time.Hour) // the clock stands
	m.check()
	m.start()
	*now = now.Add(28 * time.Minute)
	m.check()
	if r.stopping.Load() {
		t.Fatal("it ends before its time")
	}
	*now = now.Add(time.Minute)
	m.check()
	if e := r.exhausted.Load(); e == nil || e.What != "hours" || e.Used < 1.98 || e.Used > 1.99 || e.Budget != 2 || !r.stopping.Load() {
		t.Errorf("%+v", e)
	}
}

// TestUsageOfACall: what a call reports and what comes out of it are one thing, counted once; parents count it too, and
// what a call may use is what the tightest budget leaves.
func TestUsageOfACall(t *testing.T) {
	t.Parallel()
	r, m, _ := metering(t, config.Budget{Tokens: 1000, USD: 0.5})
	child := &meter{clock: r.Clock, parent: m, before: &state.Usage{Seconds: 5, PromptTokens: 7, USD: new(float64)}}
	u := &callUse{m: child, bought: true, prices: &config.Prices{Input: 100, Output: 1000}}
	u.saw(10, 90)
	u.heard(&pluginv1.Progress{Usage: &pluginv1.Usage{PromptTokens: 10, CompletionTokens: 120}})
	u.saw(0, 20)
	if got := m.usage(); got.PromptTokens != 10 || got.CompletionTokens != 120 || *got.USD < 0.1209 || *got.USD > 0.1211 {
		t.Errorf("%+v", got)
	}
	if got := child.usage(); got.PromptTokens != 17 || got.Seconds != 5 || got.USD == nil {
		t.Errorf("with an earlier try: %+v", got)
	}
	if l := u.limit(); l.Tokens != 870 || l.Usd < 0.3789 || l.Usd > 0.3791 || l.UsdPerCompletionToken != 0.001 {
		t.Errorf("limit %v", l)
	}
	free := &callUse{m: child, bought: true}
	free.saw(1, 1)
	if m.usage().USD != nil {
		t.Error("tokens without a price have one")
	}
	if r.stopping.Load() {
		t.Error("it stops early")
	}
	u.heard(&pluginv1.Progress{Usage: &pluginv1.Usage{PromptTokens: 10, CompletionTokens: 988}})
	if e := r.exhausted.Load(); e == nil || e.What != "tokens" || e.Used != 1000 {
		t.Errorf("%+v", e)
	}
}

// TestRoom: what would not fit is not taken in.
func TestRoom(t *testing.T) {
	t.Parallel()
	r, m, _ := metering(t, config.Budget{DiskGB: 1e-6})
	child := &meter{clock: r.Clock, parent: m}
	child.disk(600)
	if !child.bounded() || !child.room(400) || r.stopping.Load() {
		t.Error("400 bytes fit")
	}
	if child.room(401) || r.exhausted.Load() == nil || r.exhausted.Load().What != "disk_gb" {
		t.Errorf("401 bytes do not: %+v", r.exhausted.Load())
	}
}

// TestBudgetError: figures are told as a person writes them.
func TestBudgetError(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]BudgetError{
		"b: budget.tokens = 2000000 for this apply is used up: 2000147":                                                  {What: "tokens", Used: 2000147, Budget: 2e6},
		"b: budget.hours = 0.00001 for this apply is used up: 0.0000102617":                                              {What: "hours", Used: 0.00001026172222, Budget: 1e-5},
		"b: budget.usd = 0.1 for this apply is used up: 0.100001":                                                        {What: "usd", Used: 0.10000099999, Budget: 0.1},
		"b: budget.disk_gb = 0.00005 for this apply is used up: 0.000000356 are taken, and what comes next does not fit": {What: "disk_gb", Used: 3.56e-7, Budget: 5e-5},
	} {
		e.Block, e.Scope = "b", "this apply"
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
