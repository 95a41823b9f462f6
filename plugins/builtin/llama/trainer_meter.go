package llama

import (
	"sync"
	"time"

	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// meter reports progress at every tick of a clock, whether or not a step has ended: the steps of a large model take
// longer than the host waits for a sign of life.
type meter struct {
	call  *sdk.Call
	total uint64

	mu   sync.Mutex
	done uint64
	rows int // predictions so far
	last train.StepResult
	lr   float64
}

func newMeter(c *sdk.Call, total uint64) *meter { return &meter{call: c, total: total} }

// step notes a step that has ended.
func (m *meter) step(r train.StepResult, lr float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done++
	m.rows += r.Rows
	m.call.Spend(uint64(r.Rows), 0)
	m.last, m.lr = r, lr
}

// start reports until the function it gives is called, which reports once more.
func (m *meter) start(ticks func() (<-chan time.Time, func())) (stop func()) {
	tick, end := ticks()
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		var rate float64 // tokens a second, between the last two ticks that saw a step end
		var at time.Time
		var rows int
		for {
			select {
			case now := <-tick:
				if n := m.predictions(); n != rows {
					if !at.IsZero() && now.After(at) {
						rate = float64(n-rows) / now.Sub(at).Seconds()
					}
					at, rows = now, n
				}
				m.report(rate)
			case <-quit:
				m.report(rate)
				return
			}
		}
	})
	return func() {
		end()
		close(quit)
		done.Wait()
	}
}

func (m *meter) predictions() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows
}

func (m *meter) report(rate float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done == 0 {
		m.call.Progress(0, m.total, "steps", nil)
		return
	}
	metrics := map[string]float64{"loss": m.last.Loss, "grad_norm": m.last.GradNorm, "learning_rate": m.lr}
	if rate > 0 {
		metrics["tokens_per_second"] = rate
	}
	m.call.Progress(m.done, m.total, "steps", metrics)
}
