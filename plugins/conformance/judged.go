package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// Filters and verifiers answer item by item, in order. What follows is what they share.

// item is a record or an item to verify.
type item struct {
	id, prompt, text string
	messages         []*pluginv1.Message
}

// said is what a verifier is given of a record: its text, or all that a chat says.
func (it item) said() string {
	said := it.text
	for _, m := range it.messages {
		said += m.Content + "\n"
	}
	return said
}

// answer is a verdict or a judgement.
type answer struct {
	id      string
	message proto.Message
}

// judging is a call of a filter or a verifier.
type judging struct {
	send  func([]item) error
	refer func([]item) error // nil for a verifier
	close func() error
	recv  func() ([]answer, error)
}

func (s *subject) judge(ctx context.Context, h *host.Host, call *pluginv1.Call) (*judging, error) {
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	if s.kind() == "filter" {
		return openFilter(ctx, on, call)
	}
	stream, err := on.Verifier().Verify(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pluginv1.VerifyRequest{Message: &pluginv1.VerifyRequest_Call{Call: call}}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &judging{
		close: stream.CloseSend,
		send: func(items []item) error {
			b := &pluginv1.VerifyBatch{}
			for _, it := range items {
				b.Items = append(b.Items, &pluginv1.VerifyItem{Id: it.id, Prompt: it.prompt, Text: it.said()})
			}
			return stream.Send(&pluginv1.VerifyRequest{Message: &pluginv1.VerifyRequest_Batch{Batch: b}})
		},
		recv: func() (out []answer, err error) {
			e, err := stream.Recv()
			for _, j := range e.GetJudgements() {
				out = append(out, answer{j.Id, j})
			}
			return out, err
		},
	}, nil
}

func openFilter(ctx context.Context, on *host.Stage, call *pluginv1.Call) (*judging, error) {
	stream, err := on.Filter().Filter(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Call{Call: call}}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	batch := func(items []item) *pluginv1.RecordBatch {
		b := &pluginv1.RecordBatch{}
		for _, it := range items {
			b.Records = append(b.Records, &pluginv1.Record{Id: it.id, Prompt: it.prompt, Text: it.text, Messages: it.messages})
		}
		return b
	}
	return &judging{
		close: stream.CloseSend,
		send: func(items []item) error {
			return stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: batch(items)}})
		},
		refer: func(items []item) error {
			return stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Reference{Reference: batch(items)}})
		},
		recv: func() (out []answer, err error) {
			e, err := stream.Recv()
			for _, v := range e.GetVerdicts().GetVerdicts() {
				out = append(out, answer{v.Id, v})
			}
			return out, err
		},
	}, nil
}

// judgment is what is sent in a call, and who takes the answers.
type judgment struct {
	reference []item
	batches   func(send func([]item) error) error
	each      func(answer)
	loose     bool // the answers are not held to the items
}

// judged sends batches in a call of its own, and gives each answer to each, in order. It holds the answers to the items.
func (s *subject) judged(ctx context.Context, h *host.Host, reference []item, batches func(send func([]item) error) error, each func(answer)) error {
	return s.judgeAll(ctx, h, judgment{reference: reference, batches: batches, each: each})
}

func (s *subject) judgeAll(ctx context.Context, h *host.Host, what judgment) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	call, err := s.call(h)
	if err != nil {
		return err
	}
	j, err := s.judge(ctx, h, call)
	if err != nil {
		return err
	}
	if len(what.reference) > 0 {
		if err := j.refer(what.reference); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	asked := make(chan string, 1<<17) // more than any check asks: it never holds up who sends
	sent := make(chan error, 1)
	go func() {
		defer close(asked)
		err := what.batches(func(items []item) error {
			for _, it := range items {
				asked <- it.id
			}
			return j.send(items)
		})
		if errors.Is(err, io.EOF) { // the reason comes with what is received
			err = nil
		}
		sent <- errors.Join(err, j.close())
	}()
	got, err := receiveInOrder(j, asked, what)
	if err != nil {
		cancel()
		<-sent // it fails for the same reason
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	if left := len(asked); left > 0 && !what.loose {
		return fmt.Errorf("%d of %d have no answer", left, got+left)
	}
	return nil
}

func receiveInOrder(j *judging, asked <-chan string, what judgment) (got int, err error) {
	for {
		answers, err := j.recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		for _, a := range answers {
			want, ok := <-asked
			if !ok && !what.loose {
				return got, fmt.Errorf("answer %d is for %q, and nothing more was asked", got+1, a.id)
			}
			if a.id != want && !what.loose {
				return got, fmt.Errorf("answer %d is for %q, and %q is next", got+1, a.id, want)
			}
			got++
			what.each(a)
		}
	}
}

// items are those of the numbers from a to b.
func (s *subject) items(a, b int) ([]item, error) {
	var out []item
	for n := a; n < b; n++ {
		r, err := s.record(n)
		if err != nil {
			return nil, err
		}
		out = append(out, item{r.Id, r.Prompt, r.Text, r.Messages})
	}
	return out, nil
}

// inBatches deals items out.
func inBatches(items []item, size int) func(func([]item) error) error {
	return func(send func([]item) error) error {
		for ; len(items) > 0; items = items[min(size, len(items)):] {
			if err := send(items[:min(size, len(items))]); err != nil {
				return err
			}
		}
		return nil
	}
}

// plainItems are what the plain call is about.
const plainItems = 60

func (s *subject) plainJudge(ctx context.Context, h *host.Host, t *transcript) error {
	return s.judgeBatches(ctx, h, 20, false, t)
}

// judgeBatches has the plain call's items judged in batches of a size. Where it is not strict it lets answers come as they may.
func (s *subject) judgeBatches(ctx context.Context, h *host.Host, size int, strict bool, t *transcript) error {
	items, err := s.items(0, plainItems)
	if err != nil {
		return err
	}
	items = append(items, items[:10]...) // filters know them by then
	for i := range items[plainItems:] {
		items[plainItems+i].id = fmt.Sprintf("again%d", i)
	}
	all := judgment{batches: inBatches(items, size), each: func(a answer) { t.add(a.message) }, loose: !strict}
	return s.judgeAll(ctx, h, all)
}

// beginJudge has one batch judged, and waits for more.
func (s *subject) beginJudge(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	j, err := s.judge(ctx, h, call)
	if err != nil {
		return nil, err
	}
	items, err := s.items(0, 10)
	if err != nil {
		return nil, err
	}
	if err := j.send(items); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &going{next: func() error { _, err := j.recv(); return err }, close: j.close}, nil
}
