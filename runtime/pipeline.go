package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/state/durable"
)

// Pipeline is pipeline_state.json: what scripts and notebooks read to draw a run.
type Pipeline struct {
	Schema           string   `json:"schema"`
	Cycle            string   `json:"cycle"`
	CurrentEpoch     uint64   `json:"current_epoch"` // decided cycles
	Phase            string   `json:"phase"`         // running, or the terminal state
	GeneratorVersion uint64   `json:"generator_version"`
	BestEvalScore    *float64 `json:"best_eval_score"` // null: nothing was scored yet
	Epochs           []Epoch  `json:"epochs"`
}

// Epoch is one decided cycle.
type Epoch struct {
	Epoch            uint64   `json:"epoch"`
	Step             uint64   `json:"step"`
	Generator        string   `json:"generator"` // the one in use when it was decided
	GeneratorVersion uint64   `json:"generator_version"`
	Accuracy         *float64 `json:"accuracy"`
	Coherence        *float64 `json:"coherence"`
	Domain           *float64 `json:"domain"`
	Score            *float64 `json:"score"` // the candidate's
	Incumbent        *float64 `json:"incumbent_score"`
	LCB              *float64 `json:"lcb"`
	Decision         string   `json:"decision"`
	Entropy          *float64 `json:"entropy4"` // of raw samples, bits
}

// NewPipeline draws the state of one cycle.
func NewPipeline(c *config.Cycle, f plan.Facts) Pipeline {
	p := Pipeline{Schema: "jupiter.pipeline/v1", Cycle: c.Name, CurrentEpoch: uint64(len(f.Decisions)), Phase: "running", GeneratorVersion: f.Current, Epochs: []Epoch{}}
	if end, _ := f.End(c); end != plan.Running {
		p.Phase = string(end)
	}
	for _, d := range f.Decisions {
		e := Epoch{Epoch: d.Epoch, Step: d.Step, Generator: fmt.Sprintf("generator_v%d", d.IncumbentVersion), GeneratorVersion: d.IncumbentVersion, Accuracy: d.Challenger.Accuracy,
			Coherence: d.Challenger.Coherence, Domain: d.Challenger.Domain, Score: d.Challenger.Score, Incumbent: d.Incumbent.Score, LCB: d.LCB, Decision: d.Verdict}
		var ev evidence
		if json.Unmarshal(d.Evidence, &ev) == nil {
			if pt, ok := ev.Metrics.Full(); ok {
				e.Entropy = &pt.Entropy4
			}
		}
		if e.Score != nil && (p.BestEvalScore == nil || *e.Score > *p.BestEvalScore) {
			p.BestEvalScore = e.Score
		}
		p.Epochs = append(p.Epochs, e)
	}
	return p
}

// writePipeline rewrites pipeline_state.json: one for a single cycle, one a cycle in generators/NAME/ beside it else.
func (r *Runner) writePipeline(ctx context.Context) error {
	for _, c := range r.Config.Cycles {
		f, err := r.Facts(ctx, c.Addr)
		if err != nil {
			return err
		}
		name := "pipeline_state.json"
		if len(r.Config.Cycles) > 1 {
			name = "pipeline_state." + c.Name + ".json"
		}
		b, err := json.MarshalIndent(NewPipeline(c, f), "", "  ")
		if err != nil {
			return err
		}
		if err := durable.Replace(filepath.Join(r.Config.Dir, name), append(b, '\n')); err != nil {
			return err
		}
	}
	return nil
}
