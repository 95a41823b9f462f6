package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/contract"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// mostCollected is where the suite stops to read: a collector may have no end.
const mostCollected = 20_000

// collected is what a collector gave.
type collected struct {
	records []*pluginv1.Record
	cursors []mark
	cut     bool // the suite read no further
}

// mark is a cursor with the number of records before it.
type mark struct {
	cursor []byte
	n      int
}

var errEnough = errors.New("enough records")

func (c *collected) take(b *pluginv1.RecordBatch) {
	c.records = append(c.records, b.GetRecords()...)
	if len(b.GetCursor()) > 0 {
		c.cursors = append(c.cursors, mark{b.Cursor, len(c.records)})
	}
}

func (s *subject) collect(ctx context.Context, h *host.Host, cursor []byte, most int, check func(*pluginv1.RecordBatch) error) (*collected, error) {
	call, err := s.call(h)
	if err != nil {
		return nil, err
	}
	call.Cursor = cursor
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	recv, err := s.openCollect(ctx, h, call)
	if err != nil {
		return nil, err
	}
	c := &collected{}
	err = each(recv, func(e *pluginv1.CollectEvent) error {
		if check != nil && e.GetBatch() != nil {
			if err := check(e.GetBatch()); err != nil {
				return err
			}
		}
		if c.take(e.GetBatch()); len(c.records) >= most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		c.cut, err = true, nil
	}
	return c, err
}

func (s *subject) plainCollect(ctx context.Context, h *host.Host, t *transcript) error {
	c, err := s.collect(ctx, h, nil, mostCollected, nil)
	if err != nil {
		return err
	}
	if c.cut {
		c.records = c.records[:mostCollected] // batches may end elsewhere
	}
	for _, r := range c.records {
		t.add(r)
	}
	return nil
}

func collectorRecords(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	n := 0
	_, err := s.collect(ctx, s.host, nil, mostCollected, func(b *pluginv1.RecordBatch) error {
		if wrong := contract.Batch(b, true); wrong != "" {
			return fmt.Errorf("after record %d: %s", n, wrong)
		}
		n += len(b.Records)
		return nil
	})
	if err == nil && n == 0 {
		return notChecked("it collects nothing")
	}
	return err
}

func collectorResume(ctx context.Context, s *subject) error {
	if !s.schema.Resumable {
		return notChecked("the stage does not say that it is resumable")
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	whole, err := s.collect(ctx, s.host, nil, mostCollected, nil)
	if err != nil {
		return err
	}
	if len(whole.cursors) == 0 {
		return notChecked("no batch has a cursor")
	}
	for _, m := range spread(whole.cursors, 6) {
		rest, err := s.collect(ctx, s.host, m.cursor, mostCollected-m.n, nil)
		if err != nil {
			return fmt.Errorf("from the cursor after record %d: %w", m.n, err)
		}
		if at, same := sameRecords(whole.records[m.n:], rest.records, whole.cut || rest.cut); !same {
			return fmt.Errorf("from the cursor after record %d come %d records, and %d followed it; number %d is not the same", m.n, len(rest.records), len(whole.records)-m.n, at+1)
		}
	}
	return nil
}

// spread picks some of many, the first and the last among them.
func spread[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	var out []T
	for i := range n {
		out = append(out, all[i*(len(all)-1)/(n-1)])
	}
	return out
}

// sameRecords compares two lists, as far as the shorter goes where one was cut.
func sameRecords(a, b []*pluginv1.Record, cut bool) (at int, same bool) {
	for i := range min(len(a), len(b)) {
		if !proto.Equal(a[i], b[i]) {
			return i, false
		}
	}
	return min(len(a), len(b)), cut || len(a) == len(b)
}

// openCollect makes a call, and gives what receives its events.
func (s *subject) openCollect(ctx context.Context, h *host.Host, call *pluginv1.Call) (func() (*pluginv1.CollectEvent, error), error) {
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Collector().Collect(ctx, &pluginv1.CollectRequest{Call: call})
	if err != nil {
		return nil, err
	}
	return stream.Recv, nil
}

func (s *subject) beginCollect(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	recv, err := s.openCollect(ctx, h, call)
	return receiving(recv), err
}

func (s *subject) stopCollect(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout+2*s.Grace, errSlow)
	defer cancel()
	whole, err := s.collect(ctx, s.host, nil, mostCollected, nil)
	if err != nil {
		return err
	}
	call, err := s.call(s.host)
	if err != nil {
		return err
	}
	recv, err := s.openCollect(ctx, s.host, call)
	if err != nil {
		return err
	}
	part := &collected{}
	g := receiving(func() (*pluginv1.CollectEvent, error) {
		e, err := recv()
		part.take(e.GetBatch())
		return e, err
	})
	if err := g.next(); err != nil {
		return notChecked("the call was over before it could be stopped")
	}
	if err := s.stopAnd(ctx, g); err != nil {
		return err
	}
	if len(part.records) >= len(whole.records) {
		return notChecked("it gave everything before it could be stopped: configure it to collect more")
	}
	if !s.schema.Resumable || s.broken["collector-resume"] {
		return nil
	}
	from := mark{}
	if len(part.cursors) > 0 {
		from = part.cursors[len(part.cursors)-1]
	}
	rest, err := s.collect(ctx, s.host, from.cursor, mostCollected-from.n, nil)
	if err != nil {
		return fmt.Errorf("after a stop: %w", err)
	}
	if at, same := sameRecords(whole.records, slices.Concat(part.records[:from.n], rest.records), whole.cut || rest.cut); !same {
		return fmt.Errorf("a stop and what follows differ from an undisturbed call at record %d", at+1)
	}
	return nil
}
