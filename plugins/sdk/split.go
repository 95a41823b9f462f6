package sdk

import (
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// SplitRecords cuts records into runs that fit a RecordBatch each, in order. A record over 1 MiB is a run of its own;
// one over 3 MiB, or one that is not valid UTF-8, is an error that names it.
func SplitRecords(records []*Record) ([][]*Record, error) {
	for i, r := range records {
		if err := checkRecord(r); err != nil {
			return nil, fmt.Errorf("record %d of the batch: %w", i, err)
		}
	}
	return split(records, maxBatch), nil
}

func checkRecord(r *Record) error {
	if r == nil {
		return fmt.Errorf("is nil")
	}
	if n := proto.Size(r); n > maxRecord {
		return fmt.Errorf("is %d bytes, and a record holds at most %d", n, maxRecord)
	}
	for _, f := range [...]struct{ what, s string }{{"id", r.Id}, {"text", r.Text}, {"prompt", r.Prompt}, {"key", r.Key}, {"bucket", r.Bucket}} {
		if !utf8.ValidString(f.s) {
			return fmt.Errorf("its %s is not valid UTF-8", f.what)
		}
	}
	for _, m := range r.Messages {
		if !utf8.ValidString(m.GetRole()) || !utf8.ValidString(m.GetContent()) {
			return fmt.Errorf("a message of it is not valid UTF-8")
		}
	}
	for k, v := range r.Meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("its meta is not valid UTF-8")
		}
	}
	return nil
}

// split cuts a list into runs of at most limit bytes, encoded as a repeated field. An item over the limit is a run of
// its own.
func split[M proto.Message](list []M, limit int) [][]M {
	var runs [][]M
	start, size := 0, 0
	for i, m := range list {
		n := proto.Size(m) + 6 // tag and length
		if i > start && size+n > limit {
			runs = append(runs, list[start:i])
			start, size = i, 0
		}
		size += n
	}
	if start < len(list) {
		runs = append(runs, list[start:])
	}
	return runs
}

// Parts cuts a request into messages below gRPC's limit, as the protocol says: the first has all but the rest of the
// list, the others have parts of the list alone. A request that fits is returned as it is. An item that fits nowhere is
// an error.
func Parts(m proto.Message) ([]proto.Message, error) {
	if proto.Size(m) <= maxMessage {
		return []proto.Message{m}, nil
	}
	var parts []proto.Message
	switch m := m.(type) {
	case *pluginv1.GenerateRequest:
		for _, set := range m.Sets {
			runs := split(set.Prompts, maxBatch)
			if len(runs) == 0 {
				runs = [][]*Prompt{nil}
			}
			for _, run := range runs {
				parts = append(parts, &pluginv1.GenerateRequest{Sets: []*PromptSet{{Template: set.Template, Prompts: run, Samples: set.Samples, StartIndex: set.StartIndex}}})
			}
		}
		parts = append([]proto.Message{&pluginv1.GenerateRequest{Call: m.Call, Model: m.Model, Sampling: m.Sampling}}, parts...)
	case *pluginv1.CompleteRequest:
		parts = append(parts, &pluginv1.CompleteRequest{Call: m.Call, Model: m.Model, Sampling: m.Sampling, Stream: m.Stream})
		for _, run := range split(m.Prompts, maxBatch) {
			parts = append(parts, &pluginv1.CompleteRequest{Prompts: run})
		}
	case *pluginv1.LikelihoodRequest:
		parts = append(parts, &pluginv1.LikelihoodRequest{Call: m.Call, Model: m.Model})
		for _, run := range split(m.Items, maxBatch) {
			parts = append(parts, &pluginv1.LikelihoodRequest{Items: run})
		}
	case *pluginv1.FilterRequest:
		for _, run := range split(m.GetBatch().GetRecords(), maxBatch) {
			parts = append(parts, &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: &RecordBatch{Records: run}}})
		}
		for _, run := range split(m.GetReference().GetRecords(), maxBatch) {
			parts = append(parts, &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Reference{Reference: &RecordBatch{Records: run}}})
		}
	case *pluginv1.VerifyRequest:
		for _, run := range split(m.GetBatch().GetItems(), maxBatch) {
			parts = append(parts, &pluginv1.VerifyRequest{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: run}}})
		}
	}
	if len(parts) == 0 {
		parts = []proto.Message{m}
	}
	for _, p := range parts {
		if n := proto.Size(p); n > maxMessage {
			return nil, fmt.Errorf("a request of %d bytes cannot be sent: a message holds at most %d", n, maxMessage)
		}
	}
	return parts, nil
}
