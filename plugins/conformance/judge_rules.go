package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
)

func judgesInOrder(ctx context.Context, s *subject) error {
	t := &transcript{}
	if err := s.judgeBatches(ctx, s.host, 7, true, t); err != nil {
		return err
	}
	items, err := s.items(0, 300) // the answers to a batch come while the next ones are sent
	if err != nil {
		return err
	}
	return s.judged(ctx, s.host, nil, inBatches(items, 1), func(answer) {})
}

func judgesNothing(ctx context.Context, s *subject) error {
	none := func(func([]item) error) error { return nil }
	if err := s.judged(ctx, s.host, nil, none, func(answer) {}); err != nil {
		return fmt.Errorf("a call without a batch: %w", err)
	}
	items, err := s.items(0, 3)
	if err != nil {
		return err
	}
	err = s.judged(ctx, s.host, nil, func(send func([]item) error) error {
		for _, b := range [][]item{nil, items[:1], nil, nil, items[1:], nil} {
			if err := send(b); err != nil {
				return err
			}
		}
		return nil
	}, func(answer) {})
	if err != nil {
		return fmt.Errorf("empty batches between others: %w", err)
	}
	return nil
}

func judgesLarge(ctx context.Context, s *subject) error {
	large := func(id string, bytes int) item {
		var b strings.Builder
		for n := 0; b.Len() < bytes; n++ {
			b.WriteString(sum(n))
			b.WriteString("\n")
		}
		return item{id: id, text: b.String()[:bytes]}
	}
	for _, tc := range []struct {
		what  string
		items []item
	}{
		{"four records of a quarter MiB in a batch", []item{large("a", 1<<18-64), large("b", 1<<18-64), large("c", 1<<18-64), large("d", 1<<18-64)}},
		{"a record of 3 MiB", []item{large("e", 3<<20-64)}},
		{"a record of 3 MiB in one line", []item{{id: "f", text: strings.Repeat("x", 3<<20-64)}}},
	} {
		if err := s.judged(ctx, s.host, nil, inBatches(tc.items, len(tc.items)), func(answer) {}); err != nil {
			return fmt.Errorf("%s: %w", tc.what, err)
		}
	}
	many := make([]item, 20_000)
	for i := range many {
		many[i] = item{id: fmt.Sprintf("m%d", i), text: fmt.Sprintf("Text %d of many.", i)}
	}
	if err := s.judged(ctx, s.host, nil, inBatches(many, len(many)), func(answer) {}); err != nil {
		return fmt.Errorf("a batch of 20,000 short records: %w", err)
	}
	return nil
}

func judgesUnicode(ctx context.Context, s *subject) error {
	var items []item
	for i, text := range hard {
		chat := []*pluginv1.Message{{Role: "user", Content: text}, {Role: "assistant", Content: "4", Train: true}}
		items = append(items, item{id: fmt.Sprintf("t%d", i), text: text}, item{id: fmt.Sprintf("p%d", i), prompt: text, text: "4"},
			item{id: fmt.Sprintf("b%d:%.200s", i, text), prompt: text, text: text}, item{id: fmt.Sprintf("m%d", i), messages: chat})
	}
	for _, it := range items { // an answer that is not UTF-8 cannot be read, and is an error too
		if err := s.judged(ctx, s.host, nil, inBatches([]item{it}, 1), func(answer) {}); err != nil {
			return fmt.Errorf("prompt %q, text %q, %d messages: %w", clip(it.prompt), clip(it.said()), len(it.messages), err)
		}
	}
	return nil
}

func judgesAnyBatches(ctx context.Context, s *subject) error {
	if !s.sure() {
		return s.unsure()
	}
	for _, size := range []int{1, 13, 2 * plainItems} {
		t := &transcript{}
		if err := s.judgeBatches(ctx, s.host, size, true, t); err != nil {
			return err
		}
		if !bytes.Equal(t.b.Bytes(), s.plain) {
			return fmt.Errorf("batches of %d have other answers than batches of 20: %s", size, differ(s.plain, t.b.Bytes()))
		}
	}
	return nil
}

func filterReference(ctx context.Context, s *subject) error {
	all, err := s.items(0, 30)
	if err != nil {
		return err
	}
	if err := s.judged(ctx, s.host, all[:20], inBatches(all[10:], 7), func(answer) {}); err != nil {
		return err
	}
	none := func(func([]item) error) error { return nil }
	if err := s.judged(ctx, s.host, all[:20], none, func(answer) {}); err != nil {
		return fmt.Errorf("reference records alone: %w", err)
	}
	return nil
}

func filterVerdict(ctx context.Context, s *subject) error {
	items, err := s.items(0, 20)
	if err != nil {
		return err
	}
	for i := range items[:5] {
		items = append(items, item{fmt.Sprintf("twice%d", i), items[i].prompt, items[i].text, items[i].messages})
	}
	var wrong error
	err = s.judged(ctx, s.host, nil, inBatches(items, 8), func(a answer) {
		v := a.message.(*pluginv1.Verdict)
		if bad := contract.Verdict(v); bad != "" {
			wrong = fmt.Errorf("record %s: %s", v.Id, bad)
		} else if !v.Keep && v.Reason == "" {
			wrong = fmt.Errorf("record %s is dropped without a reason", v.Id)
		}
	})
	return errors.Join(err, wrong)
}
