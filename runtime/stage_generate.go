package runtime

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"jupiter/plan/config"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// generated is what one template gave.
type generated struct {
	Samples   uint64 `json:"samples"`
	Unended   uint64 `json:"unended"` // hit the token limit: never a sample
	Tokens    uint64 `json:"tokens"`
	Version   uint64 `json:"generator_version"`
	Generator string `json:"generator"`
}

func (g generated) String() string {
	s := fmt.Sprintf("%d samples by generator_v%d, %d tokens", g.Samples, g.Version, g.Tokens)
	if g.Unended > 0 {
		s += fmt.Sprintf(", %d more hit the token limit", g.Unended)
	}
	return s
}

// generate draws one template's raw samples.
func (j *job) generate(ctx context.Context) (*result, error) {
	stage, t := j.a.Stage, j.a.Template
	st, err := j.r.stage(ctx, stage)
	if err != nil {
		return nil, err
	}
	call, err := j.call(stage.Type, stage.Body)
	if err != nil {
		return nil, err
	}
	model, err := j.model("generator")
	if err != nil {
		return nil, err
	}
	version, err := strconv.ParseUint(j.id.Parts["version"], 10, 64)
	if err != nil {
		return nil, err
	}
	if j.partial != nil && j.partial.Done > j.a.Samples {
		j.partial = nil // what was saved is of a larger order; a shard is not cut
	}
	s := newSink(j, st, "Generate", "samples", func(r *sdk.Record) error {
		r.Bucket, r.GeneratorVersion, r.Key = t.Bucket, version, "" // a key is the verifier's to give
		r.Id = recordID(r)
		return nil
	})
	s.use, s.most = j.use(stage), j.a.Samples
	prompts := config.ExpandPrompts(t, j.a.Samples)
	set := &pluginv1.PromptSet{Template: t.Name, Samples: j.a.Samples - min(s.done(), j.a.Samples), StartIndex: s.done()}
	for i, p := range prompts {
		set.Prompts = append(set.Prompts, &pluginv1.Prompt{Id: strconv.Itoa(i), System: p.System, Text: p.Text, Bucket: t.Bucket})
	}
	if set.Samples > 0 {
		call.Cursor, call.Limit = s.cursor, s.use.limit()
		stream, err := st.Generator().Generate(ctx)
		if err != nil {
			return nil, err
		}
		err = stream.Send(&pluginv1.GenerateRequest{Call: call, Model: model, Sets: []*pluginv1.PromptSet{set}})
		if err := ignoreEOF(err); err != nil {
			return nil, err
		}
		if err := stream.CloseSend(); err != nil {
			return nil, err
		}
		if err := drain(ctx, j, st, s, stream.Recv); err != nil {
			return nil, err
		}
	}
	switch got := s.done(); {
	case got < j.a.Samples && j.r.stopping.Load():
		if err := s.flush(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
		return nil, ErrInterrupted
	case got != j.a.Samples:
		return nil, errors.Join(s.breach("it ends after %d of %d samples", got, j.a.Samples), s.flush(ctx))
	}
	out, err := s.close()
	if err != nil {
		return nil, err
	}
	sum := generated{Samples: s.done(), Version: version, Generator: j.inputs["generator"]}
	err = eachRecord(j.work+"/"+recordsFile, func(r *sdk.Record) error {
		sum.Tokens += r.CompletionTokens
		if r.Meta["finish"] == "length" {
			sum.Unended++
		}
		return nil
	})
	return &result{outputs: map[string]put{"samples": out}, detail: sum}, err
}

// DescriptorMediaType is a generator that brings a model of its own: a served model, or one of its configuration.
const DescriptorMediaType = "application/vnd.jupiter.generator-descriptor+json"

// model is an input model as a request names it: nil where the plugin's configuration names it instead.
func (j *job) model(input string) (*pluginv1.Artifact, error) {
	path, err := j.path(input)
	if err != nil {
		return nil, err
	}
	mt, err := j.r.mediaType(j.inputs[input])
	if err != nil {
		return nil, err
	}
	if mt == DescriptorMediaType {
		return nil, nil
	}
	return &pluginv1.Artifact{Digest: j.inputs[input], MediaType: mt, Path: path}, nil
}
