package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/runtime/seal"
	"jupiter/state"
	"jupiter/state/artifact"
)

// sealed says what a benchmark holds.
type sealed struct {
	Splits map[string]int `json:"splits"` // questions
	Seal   string         `json:"seal"`   // digest of the index
	Keyed  bool           `json:"keyed"`  // by the verifier's canonical keys
}

func (s sealed) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.Splits)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, s.Splits[name]))
	}
	return "sealed: " + strings.Join(parts, ", ")
}

// benchmark has the evaluator prepare the questions, checks each reference with the domain's verifier, and seals them.
func (j *job) benchmark(ctx context.Context) (*result, error) {
	qs, err := j.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if err := j.keys(ctx, qs); err != nil {
		return nil, err
	}
	items := make([]seal.Item, len(qs))
	splits := map[string][]question{}
	for i, q := range qs {
		items[i] = seal.Item{ID: q.Split + "/" + q.ID, Key: q.Key, Question: q.Prompt, Answer: q.Reference, Evidence: q.Evidence}
		splits[q.Split] = append(splits[q.Split], q)
	}
	for _, need := range []string{"dev", "gate"} {
		if len(splits[need]) == 0 {
			return nil, fmt.Errorf("the benchmark has no %q questions; without a screen and a gate pool nothing can be promoted", need)
		}
	}
	index, err := seal.Build(items)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(j.work, "benchmark")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	sum := sealed{Splits: map[string]int{}, Seal: index.Digest(), Keyed: index.Keyed()}
	entry := state.Seal{Domain: string(j.a.Domain.Addr), Digest: sum.Seal, Keys: uint64(index.Items()), Splits: map[string]state.Split{}, At: j.r.Clock()}
	for _, name := range slices.Sorted(maps.Keys(splits)) {
		sum.Splits[name] = len(splits[name])
		entry.Splits[name] = state.Split{Digest: questionsDigest(splits[name]), Items: uint64(len(splits[name]))}
		if err := writeLines(filepath.Join(dir, name+".jsonl"), splits[name]); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, sealFile), index.Encode(), 0o644); err != nil {
		return nil, err
	}
	return &result{detail: sum, outputs: map[string]put{"benchmark": {path: dir, mediaType: BenchmarkMediaType}}, also: func(tx *state.Tx, rec *state.ActionRecord) error {
		have, err := tx.Seals(entry.Domain)
		if err != nil || len(have) > 0 && have[len(have)-1].Digest == entry.Digest {
			return err
		}
		entry.Version, entry.Index = uint64(len(have))+1, rec.Outputs["benchmark"].Digest
		return tx.AppendSeal(entry)
	}}, nil
}

// questionsDigest names a split by its questions, whatever their order: by canonical key, or else by text.
func questionsDigest(qs []question) string {
	names := make([]string, len(qs))
	for i, q := range qs {
		names[i] = q.Key
		if q.Key == "" {
			names[i] = q.Prompt + "\x00" + q.Reference
		}
	}
	slices.Sort(names)
	return artifact.Sum([]byte(strings.Join(names, "\n")))
}

// prepare asks the evaluator for the questions. Its files are copies: a plugin sees no path of the user's.
func (j *job) prepare(ctx context.Context) ([]question, error) {
	stage, d := j.a.Stage, j.a.Domain
	st, err := j.r.stage(ctx, stage)
	if err != nil {
		return nil, err
	}
	call, err := j.call(stage.Type, stage.Body)
	if err != nil {
		return nil, err
	}
	req := &pluginv1.PrepareRequest{Call: call, Benchmarks: d.Evaluation.Benchmarks, Samples: j.a.Cycle.BenchmarkSamples, Splits: map[string]*pluginv1.Artifact{}}
	for _, name := range slices.Sorted(maps.Keys(d.Evaluation.Splits)) {
		path, err := j.concat("split-"+name+".jsonl", d.Evaluation.Splits[name])
		if err != nil {
			return nil, err
		}
		req.Splits[name] = &pluginv1.Artifact{MediaType: "application/jsonl", Path: path}
	}
	if f := d.Evaluation.CustomEvalFile; f != "" {
		path, err := j.concat("custom.jsonl", []string{f})
		if err != nil {
			return nil, err
		}
		req.Custom = &pluginv1.Artifact{MediaType: "application/jsonl", Path: path}
	}
	stream, err := st.Evaluator().Prepare(ctx, req)
	if err != nil {
		return nil, err
	}
	var qs []question
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, diag := range e.Diagnostics {
			if err := j.diagnostic(st, diag); err != nil {
				return nil, err
			}
		}
		if e.Progress != nil {
			j.progress(e.Progress)
		}
		for _, q := range e.Questions {
			qs = append(qs, newQuestion(q))
		}
	}
	return qs, nil
}

func (j *job) concat(name string, files []string) (string, error) {
	path := filepath.Join(j.work, name)
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", errors.Join(err, out.Close())
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		if _, err := out.Write(b); err != nil {
			return "", errors.Join(err, out.Close())
		}
	}
	return path, out.Close()
}

// keys asks the domain's verifier for each question's canonical key. A reference that the verifier finds wrong is an
// error: a benchmark with a wrong answer can prove nothing.
func (j *job) keys(ctx context.Context, qs []question) error {
	v := j.a.Domain.Verifier
	if v == nil {
		return nil
	}
	items := make([]*pluginv1.VerifyItem, len(qs))
	for i, q := range qs {
		items[i] = &pluginv1.VerifyItem{Id: q.Split + "/" + q.ID, Prompt: q.Prompt, Text: q.Reference, Reference: q.Reference}
	}
	js, err := j.judgements(ctx, v, items)
	if err != nil {
		return err
	}
	seen := map[string]string{}
	for i, jd := range js {
		if !jd.AnswerOk {
			return fmt.Errorf("benchmark item %s: the verifier rejects its reference answer (%s)", items[i].Id, jd.Reason)
		}
		if jd.Key == "" {
			continue
		}
		qs[i].Key = jd.Key
		if first, ok := seen[jd.Key]; ok {
			return fmt.Errorf("benchmark items %s and %s are the same question", first, items[i].Id)
		}
		seen[jd.Key] = items[i].Id
	}
	return nil
}

// index reads the seal of the job's benchmark.
func (j *job) index() (*seal.Index, error) {
	dir, err := j.path("benchmark")
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, sealFile))
	if err != nil {
		return nil, err
	}
	return seal.Decode(b)
}
