package sdk

import (
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

type generatorServer struct {
	pluginv1.UnimplementedGeneratorServer
	*server
}

func (s *generatorServer) Generate(stream grpc.BidiStreamingServer[pluginv1.GenerateRequest, pluginv1.GenerateEvent]) error {
	req, err := stream.Recv()
	if err != nil {
		return firstMessage(err)
	}
	st, c, end, err := s.begin(pluginv1.Kind_KIND_GENERATOR, req.Call)
	if err != nil {
		return err
	}
	defer end()
	if err := gather(stream.Recv, func(m *GenerateRequest) error {
		if m.Call != nil || m.Model != nil || m.Sampling != nil {
			return secondPart()
		}
		req.Sets = joinSets(req.Sets, m.Sets)
		return nil
	}); err != nil {
		return err
	}
	out := &outlet[*pluginv1.GenerateEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.GenerateEvent {
		return &pluginv1.GenerateEvent{Event: &pluginv1.GenerateEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.GenerateEvent {
		return &pluginv1.GenerateEvent{Event: &pluginv1.GenerateEvent_Diagnostic{Diagnostic: d}}
	})
	defer c.settle()
	return st.generator.generate(stream.Context(), c, req.Call.GetConfig().GetJson(), req, func(b *RecordBatch) error {
		return putBatch(b, func(b *RecordBatch) error {
			return out.put(&pluginv1.GenerateEvent{Event: &pluginv1.GenerateEvent_Batch{Batch: b}}, "a batch")
		})
	})
}

// joinSets adds the sets of a later message: the first may go on with the last set of the message before.
func joinSets(sets, more []*PromptSet) []*PromptSet {
	if n := len(sets); n > 0 && len(more) > 0 {
		last, next := sets[n-1], more[0]
		if last.Template == next.Template && last.StartIndex == next.StartIndex && last.Samples == next.Samples {
			last.Prompts = append(last.Prompts, next.Prompts...)
			more = more[1:]
		}
	}
	return append(sets, more...)
}

func secondPart() error {
	return status.Error(codes.InvalidArgument, "a later part of a request has what belongs into the first")
}

func (s *generatorServer) Complete(stream grpc.BidiStreamingServer[pluginv1.CompleteRequest, pluginv1.CompleteEvent]) error {
	req, err := stream.Recv()
	if err != nil {
		return firstMessage(err)
	}
	st, c, end, err := s.begin(pluginv1.Kind_KIND_GENERATOR, req.Call)
	if err != nil {
		return err
	}
	defer end()
	if err := gather(stream.Recv, func(m *pluginv1.CompleteRequest) error {
		if m.Call != nil || m.Model != nil || m.Sampling != nil {
			return secondPart()
		}
		req.Prompts = append(req.Prompts, m.Prompts...)
		return nil
	}); err != nil {
		return err
	}
	if err := st.answerable(req); err != nil {
		return err
	}
	out := &outlet[*pluginv1.CompleteEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.CompleteEvent {
		return &pluginv1.CompleteEvent{Event: &pluginv1.CompleteEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.CompleteEvent {
		return &pluginv1.CompleteEvent{Event: &pluginv1.CompleteEvent_Diagnostic{Diagnostic: d}}
	})
	defer c.settle()
	n := 0
	emit := func(m *Completion) error {
		if n == len(req.Prompts) {
			return broken("more completions than the %d prompts", n)
		}
		if err := sameID(&m.PromptId, req.Prompts[n].Id, "completion", n); err != nil {
			return err
		}
		n++
		return out.put(&pluginv1.CompleteEvent{Event: &pluginv1.CompleteEvent_Completion{Completion: m}}, fmt.Sprintf("the completion of prompt %q", m.PromptId))
	}
	config := req.Call.GetConfig().GetJson()
	if req.Stream {
		err = st.generator.stream(stream.Context(), c, config, req.Model, req.Sampling, req.Prompts, func(p *Piece) error {
			return out.put(&pluginv1.CompleteEvent{Event: &pluginv1.CompleteEvent_Piece{Piece: p}}, fmt.Sprintf("a piece of the completion of prompt %q", p.PromptId))
		}, emit)
	} else {
		err = st.generator.complete(stream.Context(), c, config, req.Model, req.Sampling, req.Prompts, emit)
	}
	return allAnswered(err, c, n, len(req.Prompts), "prompts")
}

// answerable refuses what a generator does not have.
func (s *stage) answerable(req *pluginv1.CompleteRequest) error {
	if req.Stream && s.generator.stream == nil {
		return status.Errorf(codes.Unimplemented, "stage %q gives completions whole", s.info.Name)
	}
	if slices.Contains(s.info.Features, ChatFeature) {
		return nil
	}
	for _, p := range req.Prompts {
		if len(p.GetMessages()) > 0 {
			return status.Errorf(codes.Unimplemented, "stage %q takes no chats", s.info.Name)
		}
	}
	return nil
}

func (s *generatorServer) Score(stream grpc.BidiStreamingServer[pluginv1.LikelihoodRequest, pluginv1.LikelihoodEvent]) error {
	req, err := stream.Recv()
	if err != nil {
		return firstMessage(err)
	}
	st, c, end, err := s.begin(pluginv1.Kind_KIND_GENERATOR, req.Call)
	if err != nil {
		return err
	}
	defer end()
	if st.generator.score == nil {
		return status.Errorf(codes.Unimplemented, "stage %q knows no likelihoods", req.Call.Stage)
	}
	if err := gather(stream.Recv, func(m *pluginv1.LikelihoodRequest) error {
		if m.Call != nil || m.Model != nil {
			return secondPart()
		}
		req.Items = append(req.Items, m.Items...)
		return nil
	}); err != nil {
		return err
	}
	out := &outlet[*pluginv1.LikelihoodEvent]{stream: stream}
	defer out.close()
	n := 0
	err = st.generator.score(stream.Context(), c, req.Call.GetConfig().GetJson(), req.Model, req.Items, func(m *LikelihoodEvent) error {
		if n == len(req.Items) {
			return broken("more scores than the %d items", n)
		}
		it := req.Items[n]
		if err := sameID(&m.PromptId, it.PromptId, "score", n); err != nil {
			return err
		}
		if len(m.Likelihoods) != len(it.Continuations) {
			return broken("%d likelihoods for the %d continuations of %q", len(m.Likelihoods), len(it.Continuations), it.PromptId)
		}
		n++
		return out.put(m, fmt.Sprintf("the likelihoods of prompt %q", it.PromptId))
	})
	return allAnswered(err, c, n, len(req.Items), "items")
}

// allAnswered refuses a call that ended well with questions left over, unless it was stopped.
func allAnswered(err error, c *Call, got, want int, what string) error {
	if err == nil && got < want && !c.IsStopped() {
		return broken("%d of %d %s have no answer", want-got, want, what)
	}
	return err
}
