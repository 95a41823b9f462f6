package openai

import (
	"context"
	"fmt"
	"time"

	"jupiter/plugins/sdk"
)

// A run asks for a list of texts and hands the answers on in order. One goroutine has all that changes; each request in work
// has one of its own, which makes it once and says what came of it.
type run struct {
	call     *sdk.Call
	endpoint *endpoint
	pace     pace
	timeout  time.Duration
	retries  int
	most     uint32 // requests at a time
	left     *leftovers

	ask  func(i int) (*request, error)
	emit func(i int, r *reply) error
	tick func(answered, may int) error    // now and then, for what is not to wait for the next answer
	lose func(i int, err error) (ok bool) // whether to go on without an answer to i; nil: never

	gauge   *gauge
	until   time.Time        // no request before: the server has asked to wait, or is away
	away    int              // rounds since its last answer in which it could not be reached
	missed  time.Time        // when the last of them was noticed
	again   []retry          // that wait for their time
	open    map[int]*reply   // answers that wait for those before them
	tries   map[int]int      // failed so far
	asked   map[int]*request // without an answer yet, or with one in open
	results chan result
	work    int // requests
	stopped bool
	failed  error // why it stopped; nil: it was asked to
	passing bool  // the call will be tried again
	drained <-chan time.Time
}

type retry struct {
	i   int
	due time.Time
}

type result struct {
	i     int
	sent  time.Time
	reply *reply
	fail  *failure
}

// tickEvery is how often a run looks at what has come.
const tickEvery = 200 * time.Millisecond

// ahead bounds how many texts may be asked for from the first on that has no answer, as a multiple of the requests at a
// time: what is ahead is what a crash costs.
const ahead = 2

// all asks for n texts. Asked to stop, it hands on what it can and returns nil. After an error too it waits for what is in
// work: that is paid for.
func (r *run) all(ctx context.Context, n int) error {
	ctx, cancel := context.WithCancel(ctx)
	r.gauge, r.results = newGauge(r.most), make(chan result)
	r.open, r.tries, r.asked = map[int]*reply{}, map[int]int{}, map[int]*request{}
	defer func() { // nobody else waits for those in work
		cancel()
		for ; r.work > 0; r.work-- {
			<-r.results
		}
		for i, a := range r.open {
			if r.passing {
				r.left.put(r.endpoint, r.asked[i], a)
			} else {
				r.call.Spend(a.prompt, a.answer)
			}
		}
	}()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	stop := r.call.Stopped
	for head, next := 0, 0; head < n; {
		if !r.stopped {
			next = r.start(ctx, head, next, n)
		}
		for ; r.open[head] != nil; head++ {
			a := r.open[head]
			r.call.Spend(a.prompt, a.answer)
			if err := r.emit(head, a); err != nil {
				return err
			}
			delete(r.open, head)
			delete(r.asked, head)
		}
		if head == n || r.stopped && r.work == 0 {
			break
		}
		wake := r.alarm()
		select {
		case res := <-r.results:
			r.work--
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.came(res)
		case <-wake:
		case <-tick.C:
			if err := r.tick(head, r.gauge.may()); err != nil {
				return err
			}
		case <-stop:
			stop = nil
			r.end(nil)
		case <-r.drained:
			return r.failed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return r.failed
}

// end starts nothing more.
func (r *run) end(err error) {
	if r.failed == nil {
		r.failed = err
	}
	if !r.stopped {
		r.stopped, r.drained = true, time.After(r.pace.drain)
	}
}

// pass ends the call as one that the host tries again. What came for it and cannot be handed on waits for that, and is counted
// then.
func (r *run) pass(err error) {
	r.passing = r.passing || r.failed == nil
	r.end(sdk.Transient(err))
}

// start makes as many requests as there may be, those first that were made before, and gives the next one that was never
// made.
func (r *run) start(ctx context.Context, head, next, n int) int {
	now := r.pace.now()
	if now.Before(r.until) {
		return next
	}
	for r.work < r.gauge.may() {
		if i, ok := r.due(now); ok {
			r.send(ctx, i)
			continue
		}
		if next == n || next-head >= ahead*int(r.gauge.most) {
			return next
		}
		req, err := r.ask(next)
		if err != nil {
			r.end(err)
			return next
		}
		r.asked[next] = req
		if a := r.left.take(r.endpoint, req); a != nil {
			r.open[next] = a
		} else {
			r.send(ctx, next)
		}
		next++
	}
	return next
}

// due takes a request whose time has come to be made again, the first of the list before others.
func (r *run) due(now time.Time) (int, bool) {
	best := -1
	for k, a := range r.again {
		if !a.due.After(now) && (best < 0 || a.i < r.again[best].i) {
			best = k
		}
	}
	if best < 0 {
		return 0, false
	}
	i := r.again[best].i
	r.again = append(r.again[:best], r.again[best+1:]...)
	return i, true
}

// alarm tells when something may start that may not yet; nil: an answer has to come first.
func (r *run) alarm() <-chan time.Time {
	now, at := r.pace.now(), time.Time{}
	if r.until.After(now) {
		at = r.until
	}
	for _, a := range r.again {
		if a.due.After(now) && !a.due.Before(r.until) && (at.IsZero() || a.due.Before(at)) {
			at = a.due
		}
	}
	if r.stopped || at.IsZero() {
		return nil
	}
	return time.After(at.Sub(now))
}

func (r *run) send(ctx context.Context, i int) {
	req, sent := r.asked[i], r.pace.now()
	r.work++
	go func() {
		reply, fail := r.endpoint.ask(ctx, req, r.timeout)
		r.results <- result{i, sent, reply, fail}
	}()
}

// came takes what came of a request.
func (r *run) came(res result) {
	if res.reply != nil {
		r.gauge.answered(res.sent)
		r.away = 0
		r.open[res.i] = res.reply
		delete(r.tries, res.i)
		return
	}
	f := res.fail
	if f.read != nil { // it was paid for all the same
		r.call.Spend(f.read.prompt, f.read.answer)
	}
	now := r.pace.now()
	if f.kind == overloaded {
		r.gauge.overloaded(res.sent, now)
	}
	if f.away && r.endpoint.gone() == nil {
		r.absent(res, now)
		return
	}
	r.tries[res.i]++
	switch {
	case f.kind == refused && r.lose != nil && r.lose(res.i, f):
		r.open[res.i] = &reply{finish: "stop", why: "refused"}
	case f.kind == refused:
		r.end(f)
	case r.endpoint.gone() != nil:
		r.pass(f) // the next try of the call starts a server
	case f.wait > r.pace.longest:
		r.pass(fmt.Errorf("%w: it asks to wait for %s, which is longer than %s", f, f.wait, r.pace.longest))
	case r.tries[res.i] > r.retries:
		r.pass(fmt.Errorf("%w (asked %d times: max_retries)", f, r.tries[res.i]))
	case f.wait > 0:
		if until := now.Add(f.wait); until.After(r.until) {
			r.until = until
		}
		// All wait as long as they were asked to, and then do not come back at once.
		r.again = append(r.again, retry{res.i, now.Add(f.wait + r.pace.backoff(1))})
	default:
		r.again = append(r.again, retry{res.i, now.Add(r.pace.backoff(r.tries[res.i]))})
	}
}

// absent takes that there is no server. That is so for all requests: they wait together, and no wait of one that was unlucky
// holds the others up once the server is back. What was sent before the last such round knows nothing of it.
func (r *run) absent(res result, now time.Time) {
	if !res.sent.Before(r.missed) {
		r.away, r.missed = r.away+1, now
		if until := now.Add(r.pace.backoff(r.away)); until.After(r.until) {
			r.until = until
		}
	}
	if r.away > r.retries {
		r.pass(fmt.Errorf("%w (asked %d times: max_retries)", res.fail, r.away))
		return
	}
	r.again = append(r.again, retry{res.i, r.until})
}
