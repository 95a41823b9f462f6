package conformance

import (
	"context"
	"errors"
	"fmt"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// remembered is how much memory a process had when a tenth of many records had passed: what it may have to work with. A
// filter of duplicates has to remember what it saw, at some 1 KiB a record.
type remembered struct {
	s     *subject
	h     *host.Host
	n     int
	early uint64
	known bool
}

// passed takes note of one more record.
func (m *remembered) passed() {
	if m.n++; m.n == m.s.Many/10 {
		m.early, m.known = m.h.PeakMemory()
	}
}

func (m *remembered) verdict() error {
	late, known := m.h.PeakMemory()
	if !m.known || !known {
		return notChecked("this system does not say how much memory a process has")
	}
	if late > m.early+m.s.Memory {
		return fmt.Errorf("%d MiB after %d, %d MiB after %d", m.early>>20, m.s.Many/10, late>>20, m.s.Many)
	}
	return nil
}

// inBoundedMemory lets many records pass in one call of a new process.
func inBoundedMemory(ctx context.Context, s *subject, pass func(context.Context, *remembered) error) (err error) {
	h, err := s.fresh()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx, cancel := context.WithTimeoutCause(ctx, 10*s.Timeout, errSlow)
	defer cancel()
	m := &remembered{s: s, h: h}
	if err := pass(ctx, m); err != nil {
		return err
	}
	return m.verdict()
}

func judgesInBoundedMemory(ctx context.Context, s *subject) error {
	return inBoundedMemory(ctx, s, func(ctx context.Context, m *remembered) error {
		return s.judged(ctx, m.h, nil, func(send func([]item) error) error {
			for at := 0; at < s.Many; at += 1000 {
				items, err := s.items(at, min(at+1000, s.Many))
				if err == nil {
					err = send(items)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}, func(answer) { m.passed() })
	})
}

func collectsInBoundedMemory(ctx context.Context, s *subject) error {
	return inBoundedMemory(ctx, s, func(ctx context.Context, m *remembered) error {
		call, err := s.call(m.h)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		recv, err := s.openCollect(ctx, m.h, call)
		if err != nil {
			return err
		}
		err = each(recv, func(e *pluginv1.CollectEvent) error {
			for range e.GetBatch().GetRecords() {
				if m.passed(); m.n == s.Many {
					return errEnough
				}
			}
			return nil
		})
		if err == nil {
			return notChecked("it gives %d records, and memory is looked at over %d: configure it to collect more", m.n, s.Many)
		}
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
}
