package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// plainAt makes the plain call of a stage at a host, and gives what came out of it.
func (s *subject) plainAt(ctx context.Context, h *host.Host) ([]byte, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	t := &transcript{}
	var err error
	switch s.kind() {
	case "collector":
		err = s.plainCollect(ctx, h, t)
	case "filter", "verifier":
		err = s.plainJudge(ctx, h, t)
	case "trainer":
		err = s.plainTrain(ctx, h, t)
	case "exporter":
		err = s.plainExport(ctx, h, t)
	case "generator":
		err = s.plainGenerate(ctx, h, t)
	case "evaluator":
		err = s.plainEvaluate(ctx, h, t)
	}
	return t.b.Bytes(), err
}

// going is a call in its middle.
type going struct {
	next  func() error // reads a message; io.EOF after the last
	close func() error // sends no more
}

// begin starts a call that has more to do than the plain one, where the stage has so much, with a call of the caller's.
func (s *subject) begin(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	switch s.kind() {
	case "collector":
		return s.beginCollect(ctx, h, call)
	case "filter", "verifier":
		return s.beginJudge(ctx, h, call)
	case "trainer":
		return s.beginTrain(ctx, h, call)
	case "exporter":
		return s.beginExport(ctx, h, call)
	case "generator":
		return s.beginGenerate(ctx, h, call)
	}
	return s.beginScore(ctx, h, call)
}

// receiving is a call that has nothing more to send.
func receiving[E any](recv func() (E, error)) *going {
	return &going{next: func() error { _, err := recv(); return err }, close: func() error { return nil }}
}

// rest reads a call to its end.
func (g *going) rest() error {
	for {
		if err := g.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func stageAnswers(ctx context.Context, s *subject) error {
	s.answered = true
	s.plain, s.failed = s.plainAt(ctx, s.host)
	var own *host.StageError
	if errors.As(s.failed, &own) && own.Code != "Internal" {
		return notChecked("its plain call ends with an error of its own, so it may want another configuration or other inputs: %s", firstLine(own.Message))
	}
	return s.failed
}

func deterministic(ctx context.Context, s *subject) error {
	if !s.schema.Deterministic {
		return notChecked("the stage does not say that it is deterministic")
	}
	for i := range 2 {
		h, where := s.host, "the same process"
		if i == 1 {
			other, err := s.fresh()
			if err != nil {
				return err
			}
			defer other.Close()
			h, where = other, "another process"
		}
		again, err := s.plainAt(ctx, h)
		if err != nil {
			return err
		}
		if !bytes.Equal(again, s.plain) {
			return fmt.Errorf("the same call gives something else in %s: %s", where, differ(s.plain, again))
		}
	}
	return nil
}

// together makes calls beside each other in one process: some that are all in their middle at once, then whole ones.
func together(ctx context.Context, s *subject) (err error) {
	if !s.schema.Concurrent {
		return notChecked("the stage does not say that it is concurrent")
	}
	h, err := s.fresh()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx, cancel := s.within(ctx)
	defer cancel()
	const open = 3
	if err := s.inTheirMiddle(ctx, h, open); err != nil {
		return fmt.Errorf("%d calls that are open at once: %w", open, err)
	}
	got, errs := make([][]byte, 4), make([]error, 4)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], errs[i] = s.plainAt(ctx, h) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%d calls at once: %w", len(got), err)
		}
		if s.sure() && !bytes.Equal(got[i], s.plain) {
			return fmt.Errorf("a call beside others gives something else than alone: %s", differ(s.plain, got[i]))
		}
	}
	return nil
}

// inTheirMiddle has n calls give their first message before any of them may end, and breaks them off.
func (s *subject) inTheirMiddle(ctx context.Context, h *host.Host, n int) error {
	mid, end := context.WithCancel(ctx)
	defer end()
	var all []*going
	for range n {
		call, err := s.call(h)
		if err != nil {
			return err
		}
		g, err := s.begin(mid, h, call)
		if err != nil {
			return err
		}
		if s.kind() != "exporter" { // its first message may be its last
			if err := g.next(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		all = append(all, g)
	}
	end()
	for _, g := range all {
		if err := g.rest(); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// cancelled breaks calls off after their first message, and asks the same process again.
func cancelled(ctx context.Context, s *subject) error {
	if _, err := s.plainAt(ctx, s.host); err != nil { // the process is there
		return err
	}
	before := s.host.PIDs()
	for range 2 {
		if err := s.breakOff(ctx); err != nil {
			return fmt.Errorf("a call that is cancelled: %w", err)
		}
		again, err := s.plainAt(ctx, s.host)
		if err != nil {
			return fmt.Errorf("the call after one that was cancelled: %w", err)
		}
		if s.sure() && !bytes.Equal(again, s.plain) {
			return fmt.Errorf("the call after one that was cancelled gives something else: %s", differ(s.plain, again))
		}
	}
	for _, pid := range before {
		if !slices.Contains(s.host.PIDs(), pid) {
			return fmt.Errorf("the process ended when a call was cancelled")
		}
	}
	return nil
}

func (s *subject) breakOff(ctx context.Context) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return s.inTheirMiddle(ctx, s.host, 1)
}

func stopped(ctx context.Context, s *subject) error {
	switch s.kind() {
	case "collector":
		return s.stopCollect(ctx)
	case "trainer":
		return s.stopTrain(ctx)
	case "generator":
		return s.stopGenerate(ctx)
	case "exporter":
		return s.stopExport(ctx)
	}
	call, err := s.call(s.host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout+2*s.Grace, errSlow)
	defer cancel()
	g, err := s.begin(ctx, s.host, call)
	if err != nil {
		return err
	}
	if err := g.next(); err != nil {
		return err
	}
	if err := s.stopAnd(ctx, g); err != nil {
		return err
	}
	return s.answersAgain(ctx)
}

// answersAgain asks a process that was stopped for what it gave before: Stop ends calls, and not the process.
func (s *subject) answersAgain(ctx context.Context) error {
	again, err := s.plainAt(ctx, s.host)
	if err != nil {
		return fmt.Errorf("the call after one that was stopped: %w", err)
	}
	if s.sure() && !bytes.Equal(again, s.plain) {
		return fmt.Errorf("the call after one that was stopped gives something else: %s", differ(s.plain, again))
	}
	return nil
}

// stopAnd asks a call to stop, and reads it to its end, which has to come within the grace.
func (s *subject) stopAnd(ctx context.Context, g *going) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.host.Stop(ctx, "conformance", s.Grace)
	}()
	err := errors.Join(g.close(), g.rest())
	<-done
	if errors.Is(err, host.ErrStopped) {
		return fmt.Errorf("it had not returned %s after it was asked to stop", s.Grace)
	}
	if err != nil {
		return fmt.Errorf("a call that is asked to stop: %w", err)
	}
	return nil
}
