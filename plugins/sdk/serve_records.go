package sdk

import (
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// The services whose streams carry records: collectors, filters, verifiers.

type collectorServer struct {
	pluginv1.UnimplementedCollectorServer
	*server
}

func (s *collectorServer) Collect(req *pluginv1.CollectRequest, stream grpc.ServerStreamingServer[pluginv1.CollectEvent]) error {
	st, c, end, err := s.begin(pluginv1.Kind_KIND_COLLECTOR, req.Call)
	if err != nil {
		return err
	}
	defer end()
	out := &outlet[*pluginv1.CollectEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.CollectEvent {
		return &pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.CollectEvent {
		return &pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Diagnostic{Diagnostic: d}}
	})
	return st.collect(stream.Context(), c, req.Call.GetConfig().GetJson(), func(b *RecordBatch) error {
		return putBatch(b, func(b *RecordBatch) error {
			return out.put(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Batch{Batch: b}}, "a batch")
		})
	})
}

// putBatch sends a batch in as many as its size needs. The cursor goes with the last: nothing resumes in between.
func putBatch(b *RecordBatch, put func(*RecordBatch) error) error {
	if len(b.GetRecords()) == 0 {
		if len(b.GetCursor()) == 0 {
			return nil
		}
		return put(b)
	}
	runs, err := SplitRecords(b.Records)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if len(runs) == 1 {
		return put(b)
	}
	for i, run := range runs {
		part := &RecordBatch{Records: run}
		if i == len(runs)-1 {
			part.Cursor = b.Cursor
		}
		if err := put(part); err != nil {
			return err
		}
	}
	return nil
}

type filterServer struct {
	pluginv1.UnimplementedFilterServer
	*server
}

func (s *filterServer) Filter(stream grpc.BidiStreamingServer[pluginv1.FilterRequest, pluginv1.FilterEvent]) (err error) {
	first, err := stream.Recv()
	if err != nil {
		return firstMessage(err)
	}
	st, c, end, err := s.begin(pluginv1.Kind_KIND_FILTER, first.GetCall())
	if err != nil {
		return err
	}
	defer end()
	out := &outlet[*pluginv1.FilterEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.FilterEvent {
		return &pluginv1.FilterEvent{Event: &pluginv1.FilterEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.FilterEvent {
		return &pluginv1.FilterEvent{Event: &pluginv1.FilterEvent_Diagnostic{Diagnostic: d}}
	})
	judge, err := st.filter(stream.Context(), c, first.GetCall().GetConfig().GetJson())
	if err != nil {
		return err
	}
	if judge == nil {
		return broken("its filter has no judge and no error")
	}
	if cl, ok := judge.(io.Closer); ok {
		defer func() {
			if cerr := cl.Close(); err == nil {
				err = cerr
			}
		}()
	}
	next := receive(stream.Context(), c, stream.Recv)
	for judging := false; ; {
		req, err := next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch m := req.Message.(type) {
		case *pluginv1.FilterRequest_Reference:
			if judging {
				return status.Error(codes.InvalidArgument, "reference records after records to judge")
			}
			if err := judge.Refer(m.Reference.Records); err != nil {
				return err
			}
		case *pluginv1.FilterRequest_Batch:
			judging = true
			if err := putVerdicts(judge, m.Batch.Records, out); err != nil {
				return err
			}
		default:
			return status.Errorf(codes.InvalidArgument, "unexpected message %T in a filter's stream", req.Message)
		}
	}
}

func putVerdicts(judge Judge, records []*Record, out *outlet[*pluginv1.FilterEvent]) error {
	verdicts, err := judge.Judge(records)
	if err != nil {
		return err
	}
	if len(verdicts) != len(records) {
		return broken("%d verdicts on %d records", len(verdicts), len(records))
	}
	for i, v := range verdicts {
		if v == nil {
			return broken("verdict %d of a batch is nil", i)
		}
		if err := sameID(&v.Id, records[i].GetId(), "verdict", i); err != nil {
			return err
		}
	}
	for _, run := range split(verdicts, maxBatch) {
		e := &pluginv1.FilterEvent{Event: &pluginv1.FilterEvent_Verdicts{Verdicts: &pluginv1.VerdictBatch{Verdicts: run}}}
		if err := out.put(e, "the verdicts of a batch"); err != nil {
			return err
		}
	}
	return nil
}

type verifierServer struct {
	pluginv1.UnimplementedVerifierServer
	*server
}

func (s *verifierServer) Verify(stream grpc.BidiStreamingServer[pluginv1.VerifyRequest, pluginv1.VerifyEvent]) error {
	first, err := stream.Recv()
	if err != nil {
		return firstMessage(err)
	}
	st, c, end, err := s.begin(pluginv1.Kind_KIND_VERIFIER, first.GetCall())
	if err != nil {
		return err
	}
	defer end()
	out := &outlet[*pluginv1.VerifyEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.VerifyEvent {
		return &pluginv1.VerifyEvent{Progress: p}
	}, func(d *Diagnostic) *pluginv1.VerifyEvent {
		return &pluginv1.VerifyEvent{Diagnostics: []*Diagnostic{d}}
	})
	verify, err := st.verify(stream.Context(), c, first.GetCall().GetConfig().GetJson())
	if err != nil {
		return err
	}
	if verify == nil {
		return broken("its verifier has no function and no error")
	}
	next := receive(stream.Context(), c, stream.Recv)
	for {
		req, err := next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if req.GetBatch() == nil {
			return status.Errorf(codes.InvalidArgument, "unexpected message %T in a verifier's stream", req.Message)
		}
		if err := putJudgements(verify, req.GetBatch().Items, out); err != nil {
			return err
		}
	}
}

func putJudgements(verify func([]*VerifyItem) ([]*Judgement, error), items []*VerifyItem, out *outlet[*pluginv1.VerifyEvent]) error {
	judgements, err := verify(items)
	if err != nil {
		return err
	}
	if len(judgements) != len(items) {
		return broken("%d judgements of %d items", len(judgements), len(items))
	}
	for i, j := range judgements {
		if j == nil {
			return broken("judgement %d of a batch is nil", i)
		}
		if err := sameID(&j.Id, items[i].GetId(), "judgement", i); err != nil {
			return err
		}
	}
	for _, run := range split(judgements, maxBatch) {
		if err := out.put(&pluginv1.VerifyEvent{Judgements: run}, "the judgements of a batch"); err != nil {
			return err
		}
	}
	return nil
}

// sameID fills in the ID that an answer left empty, and refuses one that answers something else.
func sameID(got *string, want, what string, i int) error {
	if *got == "" {
		*got = want
	}
	if *got != want {
		return broken("%s %d is for %q where %q is next", what, i, *got, want)
	}
	return nil
}

// firstMessage says what is wrong when a stream ends before its first message.
func firstMessage(err error) error {
	if err == io.EOF {
		return status.Error(codes.InvalidArgument, "the stream ended before its first message")
	}
	return err
}
