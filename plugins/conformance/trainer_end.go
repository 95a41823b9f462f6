package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jupiter/plugins/proto/pluginv1"
)

// longTraining asks for one that ends only because something ends it.
func (s *subject) longTraining(ctx context.Context) (w window, req *pluginv1.TrainRequest, err error) {
	if w, err = s.many(ctx); err != nil {
		return w, nil, err
	}
	call, err := s.call(s.host)
	if err != nil {
		return w, nil, err
	}
	req, err = s.trainRequest(ctx, s.host, call, w)
	return w, req, err
}

// trainerLimit gives a training that could go on for long the tokens of its first steps.
func trainerLimit(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	w, req, err := s.longTraining(ctx)
	if err != nil {
		return err
	}
	req.Call.Limit = &pluginv1.Limit{Tokens: 1}
	got := &training{work: req.Call.WorkDir}
	err = s.receiveTraining(ctx, s.host, req, got)
	switch {
	case errors.Is(err, errSlow):
		return fmt.Errorf("it goes on at a limit of 1 token: %d steps in %s", got.done, s.Timeout)
	case err != nil:
		return err
	case len(got.checkpoints) == 0 && got.done > 0:
		return fmt.Errorf("at a limit of 1 token it ended after %d steps, and saved none", got.done)
	case len(got.checkpoints) > 0 && got.checkpoints[len(got.checkpoints)-1].Step == w.to:
		return fmt.Errorf("at a limit of 1 token it trained all %d steps", w.to)
	}
	return nil
}

// stopTrain stops a training after its first message, and goes on from what it saved.
func (s *subject) stopTrain(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*s.Timeout+2*s.Grace, errSlow)
	defer cancel()
	w, req, err := s.longTraining(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	recv, err := s.openTrain(ctx, s.host, req)
	if err != nil {
		return err
	}
	part := &training{work: req.Call.WorkDir}
	g := receiving(func() (*pluginv1.TrainEvent, error) {
		e, err := recv()
		part.take(e)
		return e, err
	})
	if err := g.next(); err != nil {
		return err
	}
	if err := s.stopAnd(ctx, g); err != nil {
		return err
	}
	return s.goOn(ctx, w, part, time.Since(began))
}

// goOn compares a training that was stopped, and goes on in another process, with one that was not.
func (s *subject) goOn(ctx context.Context, w window, part *training, took time.Duration) error {
	if len(part.checkpoints) == 0 {
		if part.done > 0 {
			return fmt.Errorf("it had done %d steps when it was asked to stop, and saved none", part.done)
		}
		return notChecked("it was stopped before its first step")
	}
	last := len(part.checkpoints) - 1
	step := part.checkpoints[last].Step
	switch {
	case step < part.done:
		return fmt.Errorf("it had done %d steps when it was asked to stop, and saved none after step %d", part.done, step)
	case step >= w.to:
		return notChecked("all %d steps were done before it could be stopped", w.to)
	case took > s.Timeout/2:
		return notChecked("it saved step %d; going on from there would take too long to compare", step)
	}
	if s.broken["trainer-resume"] {
		return nil // it saved; that going on does not work has been said
	}
	other, err := s.fresh()
	if err != nil {
		return err
	}
	defer other.Close()
	to := min(step+2, w.to)
	rest, err := s.train(ctx, other, window{from: step, to: to, end: w.end, every: w.every, start: part.artifact(last)})
	if err != nil {
		return fmt.Errorf("from step %d, where it was stopped: %w", step, err)
	}
	whole, err := s.train(ctx, other, window{to: to, end: w.end, every: w.every})
	if err != nil {
		return err
	}
	return s.sameEnd(whole, rest)
}
