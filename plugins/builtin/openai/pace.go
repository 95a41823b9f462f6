package openai

import (
	"math"
	"time"
)

// pace is how long is waited for what.
type pace struct {
	first   time.Duration // most before the first retry of a request
	most    time.Duration // most before any retry
	longest time.Duration // that a server may ask to wait
	drain   time.Duration // for what is in work when the call is to stop

	now    func() time.Time
	random func() float64 // in [0, 1)
}

// backoff is how long to wait before the n-th retry, from 1: any time between nothing and a bound that doubles ("full
// jitter"). So requests that failed together do not come back together.
func (p pace) backoff(n int) time.Duration {
	bound := float64(p.first) * math.Pow(2, float64(n-1))
	return time.Duration(p.random() * min(bound, float64(p.most)))
}

// A gauge says how many requests there may be at a time: one more for each round of answers, and half as many where the
// server shows that it has too much to do (additive increase, multiplicative decrease; Chiu and Jain, 1989). What was sent
// before the last decrease knows nothing of it: it neither raises nor lowers the number.
type gauge struct {
	limit float64
	most  float64
	cut   time.Time // of the last decrease
}

// firstConcurrency is how many requests a call begins with.
const firstConcurrency = 4

func newGauge(most uint32) *gauge {
	return &gauge{limit: min(firstConcurrency, float64(most)), most: float64(most)}
}

// may is how many requests there may be.
func (g *gauge) may() int { return int(g.limit) }

// answered counts an answer to a request that was sent at a time.
func (g *gauge) answered(sent time.Time) {
	if sent.Before(g.cut) {
		return
	}
	g.limit = min(g.most, g.limit+1/g.limit)
}

// overloaded counts a refusal or a timeout.
func (g *gauge) overloaded(sent, now time.Time) {
	if sent.Before(g.cut) {
		return
	}
	g.limit, g.cut = max(1, g.limit/2), now
}
