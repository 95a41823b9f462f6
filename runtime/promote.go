package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plugins/schema"
	"jupiter/state"
)

// descriptor names a generator that brings its own model.
type descriptor struct {
	Address     string          `json:"address"`
	Type        string          `json:"type"`
	Config      json.RawMessage `json:"config"`
	Fingerprint string          `json:"fingerprint"`
}

// adopt makes the base generator version 1, in the transaction that records the action; or the next version, where a
// served model is another one than when it was recorded.
func (j *job) adopt(ctx context.Context) (*result, error) {
	c, res := j.a.Cycle, &result{outputs: map[string]put{}}
	g := state.Generator{Version: 1, Base: true, Stage: string(c.Generator.Addr), CreatedBy: j.id.ID, CreatedAt: j.r.Clock()}
	if model := j.inputs["model"]; model != "" {
		g.Digest, g.MediaType, g.Checkpoint = model, ModelMediaType, j.inputs["checkpoint"]
		res.outputs["model"] = put{digest: model, mediaType: ModelMediaType}
	} else {
		conf, err := schema.CanonicalJSON(c.Generator.Body.Schema.Public(c.Generator.Body.Value))
		if err != nil {
			return nil, err
		}
		b, err := json.MarshalIndent(descriptor{string(c.Generator.Addr), c.Generator.Type, conf, j.id.Parts["fingerprint"]}, "", "  ")
		if err != nil {
			return nil, err
		}
		dir := filepath.Join(j.work, "generator")
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "generator.json"), b, 0o644); err != nil {
			return nil, err
		}
		art, err := j.ingest(ctx, put{path: dir, mediaType: DescriptorMediaType})
		if err != nil {
			return nil, err
		}
		g.Digest, g.MediaType = art.Digest, DescriptorMediaType
		res.outputs["model"] = put{path: dir, mediaType: DescriptorMediaType}
	}
	res.also = func(tx *state.Tx, _ *state.ActionRecord) error {
		have, err := tx.Generators(c.Addr)
		if err != nil {
			return err
		}
		if len(have) > 0 && j.id.Parts["after"] != strconv.Itoa(len(have)) {
			return nil
		}
		if len(have) > 0 {
			g.Version, g.Base = uint64(len(have))+1, false
			if err := j.served(tx, g.Version); err != nil {
				return err
			}
		}
		return install(tx, c.Addr, &g)
	}
	return res, nil
}

// served records that a served model was found to be another one.
func (j *job) served(tx *state.Tx, version uint64) error {
	c := j.a.Cycle
	from, _, err := tx.Current(c.Addr)
	if err != nil {
		return err
	}
	decisions, err := tx.Decisions(c.Addr)
	if err != nil {
		return err
	}
	return tx.AppendEvent(state.Event{At: j.r.Clock(), Act: "adopt", Cycle: string(c.Addr), From: from, To: version, Who: j.r.Who,
		Reason: fmt.Sprintf("the model that %s names is another one than when generator_v%d was recorded", c.Generator.Addr, from), Epoch: uint64(len(decisions))})
}

// install appends a generator to the history and makes it current, with the pins that keep its bytes.
func install(tx *state.Tx, cycle addr.Address, g *state.Generator) error {
	if err := tx.AppendGenerator(cycle, *g); err != nil {
		return err
	}
	if g.Checkpoint != "" {
		if err := tx.Pin(g.Checkpoint, cycle, fmt.Sprintf("checkpoint of generator v%d", g.Version)); err != nil {
			return err
		}
	}
	return tx.SetCurrent(cycle, g.Version)
}

// settle records a decision, and the promotion that it brings, in one transaction; then moves the symlink.
func (t *turn) settle(ctx context.Context, d *state.Decision) error {
	var promoted *state.Generator
	if d.Verdict == "PROMOTE" && !d.Pending {
		promoted = t.successor(d)
		d.Promoted = promoted.Version
	}
	err := t.r.DB.Update(ctx, func(tx *state.Tx) error {
		if d.Look != nil {
			if err := tx.SetLookVerdict(t.c.Addr, *d.Look, d.Verdict); err != nil {
				return err
			}
		}
		if promoted != nil {
			if err := install(tx, t.c.Addr, promoted); err != nil {
				return err
			}
		}
		if base := t.facts.Generators[0]; base.Score == nil && d.Incumbent.Score != nil && d.IncumbentVersion == 1 {
			base.Score = d.Incumbent.Score
			if err := tx.UpdateGenerator(t.c.Addr, base); err != nil {
				return err
			}
		}
		return tx.AppendDecision(t.c.Addr, *d)
	})
	if err != nil {
		return err
	}
	t.r.emit(Event{Type: Decided, Cycle: t.c.Name, Address: string(t.a.Address), Decision: d})
	t.r.tellDecision(t.c.Name, d, promoted)
	if promoted == nil {
		return nil
	}
	if _, err := t.r.DB.RepairLinks(ctx); err != nil {
		return err
	}
	t.r.emit(Event{Type: Promoted, Cycle: t.c.Name, Version: promoted.Version, Message: fmt.Sprintf("generator_v%d is now in use", promoted.Version)})
	return nil
}

// successor is the generator that a PROMOTE brings. What was evaluated is what is promoted: the same digest.
func (t *turn) successor(d *state.Decision) *state.Generator {
	return &state.Generator{Version: uint64(len(t.facts.Generators)) + 1, Digest: d.Model, MediaType: ModelMediaType, Stage: string(t.c.Successor.Addr),
		Checkpoint: d.Checkpoint, Epoch: d.Epoch, Step: d.Step, CreatedBy: t.a.Identify(map[string]string{"model": d.Model}).ID, CreatedAt: t.r.Clock(), Score: d.Challenger.Score}
}

// pendingTurn finds the decision of a cycle that waits for a person.
func (r *Runner) pendingTurn(ctx context.Context, cycle addr.Address) (*turn, *state.Decision, error) {
	c := r.cycle(cycle)
	if c == nil {
		return nil, nil, fmt.Errorf("%s is not in the configuration", cycle)
	}
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return nil, nil, err
	}
	n := len(f.Decisions)
	if n == 0 || !f.Decisions[n-1].Pending {
		return nil, nil, fmt.Errorf("%s: no promotion waits for a decision", cycle)
	}
	return &turn{r: r, c: c, a: &plan.Action{Kind: plan.Promote, Address: cycle.Child("promotion")}, facts: f}, &f.Decisions[n-1], nil
}

// Approve promotes the candidate whose decision waits.
func (r *Runner) Approve(ctx context.Context, cycle addr.Address, reason string) (*state.Generator, error) {
	t, d, err := r.pendingTurn(ctx, cycle)
	if err != nil {
		return nil, err
	}
	if err := t.approvable(d); err != nil {
		return nil, err
	}
	g := t.successor(d)
	return g, r.act(ctx, cycle, "approve", reason, d, g)
}

// approvable refuses a promotion that what a person did since speaks against: the generator is held where it is, or is
// another one than the candidate was found to be better than.
func (t *turn) approvable(d *state.Decision) error {
	const reject = "jupiter reject --reason turns the candidate down"
	switch {
	case t.c.PinGenerator != 0:
		return fmt.Errorf("%s: the configuration says pin_generator = %d, so that nothing is promoted; take that line out, or %s", t.c.Addr, t.c.PinGenerator, reject)
	case t.facts.Pinned(t.c) != 0:
		return fmt.Errorf("%s: generator_v%d is pinned, so that nothing is promoted; jupiter pin --release ends that, %s", t.c.Addr, t.facts.Pinned(t.c), reject)
	case t.facts.Current != d.IncumbentVersion:
		return fmt.Errorf("%s: the candidate of epoch %d was found better than generator_v%d, and generator_v%d is in use now; %s", t.c.Addr, d.Epoch, d.IncumbentVersion, t.facts.Current, reject)
	}
	return nil
}

// Reject turns the candidate down whose decision waits. The look that it spent stays spent, and its PROMOTE verdict
// stays in the ledger: what the gate has said cannot be unsaid.
func (r *Runner) Reject(ctx context.Context, cycle addr.Address, reason string) error {
	_, d, err := r.pendingTurn(ctx, cycle)
	if err != nil {
		return err
	}
	return r.act(ctx, cycle, "reject", reason, d, nil)
}

func (r *Runner) act(ctx context.Context, cycle addr.Address, act, reason string, d *state.Decision, g *state.Generator) error {
	err := r.DB.Update(ctx, func(tx *state.Tx) error {
		e := state.Event{At: r.Clock(), Act: act, Cycle: string(cycle), Who: r.Who, Reason: reason, Epoch: d.Epoch, From: d.IncumbentVersion}
		if g != nil {
			e.To = g.Version
			if err := install(tx, cycle, g); err != nil {
				return err
			}
		}
		res := state.Resolution{Approved: g != nil, Who: r.Who, Reason: reason, At: r.Clock()}
		if err := tx.ResolveDecision(cycle, d.Epoch, res, e.To); err != nil {
			return err
		}
		return tx.AppendEvent(e)
	})
	if err != nil {
		return err
	}
	if _, err := r.DB.RepairLinks(ctx); err != nil {
		return err
	}
	return r.writePipeline(ctx)
}

// Resume releases a cycle that the guard halted, or that came to an end by itself.
func (r *Runner) Resume(ctx context.Context, cycle addr.Address, reason string) error {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return err
	}
	return r.DB.Update(ctx, func(tx *state.Tx) error {
		return tx.AppendEvent(state.Event{At: r.Clock(), Act: "resume", Cycle: string(cycle), Who: r.Who, Reason: reason, Epoch: uint64(len(f.Decisions))})
	})
}
