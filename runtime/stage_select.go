package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

// ModelMediaType is a model in the generator's format: a directory with one model file.
const ModelMediaType = "application/vnd.jupiter.model"

// candidate is one checkpoint with its scores on the selection's split.
type candidate struct {
	Name   string        `json:"name"` // step-000001600, or "previous": the best of the windows before
	Scores *state.Scores `json:"scores,omitempty"`
}

// selected is the outcome of a selection.
type selected struct {
	Best       string      `json:"best"`
	Candidates []candidate `json:"candidates"`
}

func (s selected) String() string {
	for _, c := range s.Candidates {
		if c.Name == s.Best && c.Scores != nil {
			return fmt.Sprintf("%s, the best of %d, score %.4f", stepName(s.Best), len(s.Candidates), *c.Scores.Score)
		}
	}
	return stepName(s.Best)
}

// stepName reads an output's name: "step 1600"; "previous" is the best of the windows before.
func stepName(output string) string {
	var n uint64
	if _, err := fmt.Sscanf(output, "step-%d", &n); err != nil {
		return "the best before this window"
	}
	return fmt.Sprintf("step %d", n)
}

// selectBest exports the candidates, scores each on the selection's split, and keeps the best; of equals the earliest.
// Without a selection the last checkpoint is exported.
func (j *job) selectBest(ctx context.Context) (*result, error) {
	type entry struct{ name, checkpoint string }
	var entries []entry
	if d := j.inputs["previous.checkpoint"]; d != "" {
		entries = append(entries, entry{"previous", d})
	}
	w, sel := j.a.Window, j.a.Stage.Select
	for _, name := range slices.Sorted(maps.Keys(j.inputs)) {
		step, ok := strings.CutPrefix(name, "checkpoints.")
		if !ok {
			continue
		}
		if sel != nil && sel.Every > 0 {
			var n uint64
			if _, err := fmt.Sscanf(step, "step-%d", &n); err != nil {
				return nil, fmt.Errorf("output %q names no step: %w", step, err)
			}
			if n != w.End && (n-w.Start)%sel.Every != 0 {
				continue
			}
		}
		entries = append(entries, entry{step, j.inputs[name]})
	}
	if len(entries) == 0 {
		return nil, errors.New("the window left no checkpoint")
	}
	if sel == nil {
		entries = entries[len(entries)-1:]
	}

	var out selected
	best := -1.0
	var res result
	for i, e := range entries {
		exp, err := plan.ExportOf(j.a.Address, j.a.Judges, e.checkpoint, j.inputs["base"])
		if err != nil {
			return nil, err
		}
		exp.Models = []*config.Stage{j.a.Stage}
		inputs, _ := exp.Resolve(nil)
		exported, err := j.r.do(ctx, exp, inputs)
		if err != nil {
			return nil, err
		}
		model := exported.Outputs["model"].Digest
		c := candidate{Name: e.name}
		if sel != nil {
			s, err := j.validation(ctx, sel.Split, model)
			if err != nil {
				return nil, err
			}
			c.Scores = &s
		}
		if c.Scores != nil && c.Scores.Score == nil {
			return nil, fmt.Errorf("%s could not be scored on split %q: evaluator %q left an answer without any score", stepName(e.name), sel.Split, j.a.Judges.Evaluator.Type)
		}
		if c.Scores == nil || *c.Scores.Score > best {
			if c.Scores != nil {
				best = *c.Scores.Score
			}
			out.Best = e.name
			res.outputs = map[string]put{
				"checkpoint": {digest: e.checkpoint, mediaType: sdk.CheckpointMediaType},
				"model":      {digest: model, mediaType: ModelMediaType},
			}
		}
		out.Candidates = append(out.Candidates, c)
		p := &pluginv1.Progress{Done: uint64(i + 1), Total: uint64(len(entries)), Unit: "checkpoints"}
		if sel != nil {
			p.Metrics = map[string]float64{"score": best}
		}
		j.progress(p)
	}
	res.detail = out
	return &res, nil
}

// validation gives a model's means on a split, from the memo where it was scored before.
func (j *job) validation(ctx context.Context, split, model string) (state.Scores, error) {
	bench := j.inputs["benchmark"]
	val, err := plan.ValidateOf(j.a.Address, j.a.Domain, j.a.Judges, split, model, bench)
	if err != nil {
		return state.Scores{}, err
	}
	val.Models = []*config.Stage{j.a.Stage}
	in := map[string]string{"challenger": model, "benchmark": bench}
	rec, err := j.r.do(ctx, val, in)
	if err != nil {
		return state.Scores{}, err
	}
	items, err := readLines[item](j.r.at(rec.Outputs["items"].Digest))
	if err != nil {
		return state.Scores{}, err
	}
	scores := make([]itemScore, len(items))
	for i, it := range items {
		scores[i] = *it.Challenger
	}
	return j.mean(scores), nil // by the weights of now: they are no part of an evaluation's identity
}

// mediaType is what an artifact was recorded as.
func (r *Runner) mediaType(digest string) (mt string, err error) {
	err = r.DB.View(context.Background(), func(tx *state.Tx) error {
		a, ok, err := tx.Artifact(digest)
		if err == nil && !ok {
			err = fmt.Errorf("artifact %s is not recorded", digest)
		}
		mt = a.MediaType
		return err
	})
	return mt, err
}

// export turns a checkpoint into the generator's format.
func (j *job) export(ctx context.Context) (*result, error) {
	if _, err := j.path("checkpoint"); err != nil {
		return nil, err
	}
	base, err := j.base()
	if err != nil {
		return nil, err
	}
	st, err := j.r.stage(ctx, j.a.Stage)
	if err != nil {
		return nil, err
	}
	model, err := j.exported(ctx, st, j.artifact(j.inputs["checkpoint"], sdk.CheckpointMediaType), base)
	if err != nil {
		return nil, err
	}
	return &result{outputs: map[string]put{"model": {path: model, mediaType: ModelMediaType, from: st}}}, nil
}

// base is the imported checkpoint that training began with; nil: it began with nothing.
func (j *job) base() (*pluginv1.Artifact, error) {
	d := j.inputs["base"]
	if d == "" {
		return nil, nil
	}
	if _, err := j.path("base"); err != nil {
		return nil, err
	}
	return j.artifact(d, sdk.CheckpointMediaType), nil
}

// exported has the exporter make a model of a checkpoint, whose training began with base, and gives its directory.
func (j *job) exported(ctx context.Context, st *host.Stage, checkpoint, base *pluginv1.Artifact) (string, error) {
	stage := j.a.Stage
	call, err := j.call(stage.Type, stage.Body)
	if err != nil {
		return "", err
	}
	stream, err := st.Exporter().Export(ctx, &pluginv1.ExportRequest{Call: call, Checkpoint: checkpoint, Base: base})
	if err != nil {
		return "", err
	}
	var model string
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		switch {
		case e.GetOutput() != nil:
			if model, err = j.output(st, "Export", e.GetOutput().Path); err != nil {
				return "", err
			}
		case e.GetProgress() != nil:
			j.progress(e.GetProgress())
		case e.GetDiagnostic() != nil:
			if err := j.diagnostic(st, e.GetDiagnostic()); err != nil {
				return "", err
			}
		}
	}
	if model == "" {
		return "", st.Breach("Export", "", "it ends without an output called \"model\"")
	}
	return j.asDirectory(model)
}
