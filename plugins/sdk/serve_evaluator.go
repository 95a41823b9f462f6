package sdk

import (
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

type evaluatorServer struct {
	pluginv1.UnimplementedEvaluatorServer
	*server
}

func (s *evaluatorServer) Prepare(req *pluginv1.PrepareRequest, stream grpc.ServerStreamingServer[pluginv1.PrepareResponse]) error {
	st, c, end, err := s.begin(pluginv1.Kind_KIND_EVALUATOR, req.Call)
	if err != nil {
		return err
	}
	defer end()
	out := &outlet[*pluginv1.PrepareResponse]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.PrepareResponse {
		return &pluginv1.PrepareResponse{Progress: p}
	}, func(d *Diagnostic) *pluginv1.PrepareResponse {
		return &pluginv1.PrepareResponse{Diagnostics: []*Diagnostic{d}}
	})
	return st.evaluator.prepare(stream.Context(), c, req.Call.GetConfig().GetJson(), req, func(questions []*Question) error {
		for _, run := range split(questions, maxBatch) {
			if err := out.put(&pluginv1.PrepareResponse{Questions: run}, "a question"); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *evaluatorServer) Score(stream grpc.ClientStreamingServer[pluginv1.ScoreRequest, pluginv1.ScoreResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return firstMessage(err)
	}
	st, c, end, err := s.begin(pluginv1.Kind_KIND_EVALUATOR, first.GetCall())
	if err != nil {
		return err
	}
	defer end()
	var answers []*Answer
	if err := gather(stream.Recv, func(m *pluginv1.ScoreRequest) error {
		if m.GetAnswer() == nil {
			return status.Errorf(codes.InvalidArgument, "unexpected message %T in an evaluator's stream", m.Message)
		}
		answers = append(answers, m.GetAnswer())
		return nil
	}); err != nil {
		return err
	}
	resp := &pluginv1.ScoreResponse{}
	var mu sync.Mutex
	c.diagnostic = func(d *Diagnostic) {
		mu.Lock()
		defer mu.Unlock()
		resp.Diagnostics = append(resp.Diagnostics, d)
	}
	resp.Scores, err = st.evaluator.score(stream.Context(), c, first.GetCall().GetConfig().GetJson(), answers)
	if err != nil {
		return err
	}
	if err := fits(resp, fmt.Sprintf("the scores of %d answers", len(answers))); err != nil {
		return err
	}
	return stream.SendAndClose(resp)
}
