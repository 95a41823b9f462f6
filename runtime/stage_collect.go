package runtime

import (
	"context"
	"fmt"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// collected is what a source gave.
type collected struct {
	Records uint64 `json:"records"`
}

func (c collected) String() string { return fmt.Sprintf("%d records", c.Records) }

// collect reads one source.
func (j *job) collect(ctx context.Context) (*result, error) {
	src := j.a.Source
	st, err := j.r.Host.Stage(ctx, "collector", src.Type)
	if err != nil {
		return nil, err
	}
	st = given(st, src.Body)
	call, err := j.call(src.Type, src.Body)
	if err != nil {
		return nil, err
	}
	s := newSink(j, st, "Collect", "records", func(r *sdk.Record) error {
		r.Bucket, r.GeneratorVersion, r.Key = src.Bucket, 0, "" // a key is the verifier's to give
		if src.License != "" {
			if r.Meta == nil {
				r.Meta = map[string]string{}
			}
			r.Meta["license"] = src.License
		}
		r.Id = recordID(r)
		return nil
	})
	call.Cursor = s.cursor
	stream, err := st.Collector().Collect(ctx, &pluginv1.CollectRequest{Call: call})
	if err != nil {
		return nil, err
	}
	if err := drain(ctx, j, st, s, stream.Recv); err != nil {
		return nil, err
	}
	if s.done() == 0 {
		return nil, st.Refuses("the source gave no records")
	}
	out, err := s.close()
	return &result{outputs: map[string]put{"records": out}, detail: collected{s.done()}}, err
}
