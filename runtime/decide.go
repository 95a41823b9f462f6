package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/runtime/gate"
	"jupiter/runtime/guard"
	"jupiter/state"
)

// evidence is what a decision keeps besides its figures: the rules one by one, and what the guard saw.
type evidence struct {
	Gate    gate.Decision `json:"gate"`
	Guard   guard.Report  `json:"guard"`
	Metrics guard.Metrics `json:"metrics"` // of the candidate
	Forced  bool          `json:"forced,omitempty"`
}

// turn is one cycle about to be decided.
type turn struct {
	r       *Runner
	c       *config.Cycle
	a       *plan.Action // the promotion
	facts   plan.Facts
	records map[plan.Kind]*state.ActionRecord // what the cycle's own actions gave
	model   string                            // the candidate
	ckpt    string                            // the checkpoint behind it
	bench   string

	elsewhere time.Duration // of the decision: in actions and in the guard's calibration, which are counted by themselves
}

// do runs an action of the decision.
func (t *turn) do(ctx context.Context, a *plan.Action, inputs map[string]string) (*state.ActionRecord, error) {
	began := t.r.Clock()
	defer func() { t.elsewhere += t.r.Clock().Sub(began) }()
	return t.r.do(ctx, a, inputs)
}

// output is the digest of what one of the cycle's actions gave; "" where the cycle has no such action.
func (t *turn) output(k plan.Kind, name string) string {
	if rec := t.records[k]; rec != nil {
		return rec.Outputs[name].Digest
	}
	return ""
}

// policy is the gate's view of a cycle.
func policy(c *config.Cycle) gate.Policy {
	return gate.Policy{Weights: gate.Weights(c.Weights), Threshold: c.ImprovementThreshold, Kind: gate.Kind(c.ThresholdKind), MinSteps: c.MinStepsBeforeReplace,
		Alpha: c.Alpha, Strict: c.Strict, Manual: c.Promotion == "manual", MinAccuracy: c.Domain.Evaluation.MinAccuracy, MinCoherence: c.Domain.Evaluation.MinCoherence}
}

// decide weighs the candidate against the generator in use and returns the decision, not yet recorded, with the look
// that it spent, if it opened the gate pool.
func (t *turn) decide(ctx context.Context) (*state.Decision, error) {
	cur := t.facts.Generator()
	if cur == nil {
		return nil, fmt.Errorf("%s has no generator in use", t.c.Addr)
	}
	ev, report, candidate, err := t.evidence(ctx, cur)
	if err != nil {
		return nil, err
	}
	p := policy(t.c)
	p.Pinned = t.facts.Pinned(t.c)
	open, d, err := gate.NeedsGate(p, ev)
	if err != nil {
		return nil, err
	}
	var look *state.Look
	inputs := map[string]string{"configuration": plan.CycleDigest(t.c), "train": t.records[plan.Train].ID, "pool": t.output(plan.Pool, "records"), "dataset": t.output(plan.Mix, "dataset"), "dev": t.output(plan.Evaluate, "items")}
	forced := t.r.Force && !d.Halted
	if base := t.records[plan.Train].Parts["input.base"]; base != "" {
		inputs["base"] = base
	}
	if open || forced {
		if look, ev.Gate, err = t.openGate(ctx, cur, inputs); err != nil {
			return nil, err
		}
		ev.Look = gate.Look{K: look.K, Promotions: promotionsBefore(t.facts.Looks, look.K)}
		if d, err = gate.Decide(p, ev); err != nil {
			return nil, err
		}
	}
	if forced = forced && d.Verdict != gate.Promote; forced {
		d.Verdict = gate.Promote
	}
	return t.record(cur, d, evidence{Gate: d, Guard: report, Metrics: candidate, Forced: forced}, look, inputs)
}

// evidence gathers all that can be said without the gate pool.
func (t *turn) evidence(ctx context.Context, cur *state.Generator) (e gate.Evidence, report guard.Report, candidate guard.Metrics, err error) {
	items, err := readLines[item](t.r.at(t.output(plan.Evaluate, "items")))
	if err != nil {
		return e, report, candidate, err
	}
	qs, err := readQuestions(t.r.at(t.bench), "gate")
	if err != nil {
		return e, report, candidate, err
	}
	clusters := make([]string, len(qs))
	for i, q := range qs {
		clusters[i] = q.Cluster
	}
	if candidate, err = t.r.readMetrics(t.output(plan.Measure, "metrics")); err != nil {
		return e, report, candidate, err
	}
	incumbent, _, err := t.measure(ctx, cur.Digest)
	if err != nil {
		return e, report, candidate, err
	}
	if report, err = t.guard(ctx, candidate, incumbent); err != nil {
		return e, report, candidate, err
	}
	bits, incumbentBits := candidate.BitsPerByte, incumbent.BitsPerByte
	if cur.MediaType == DescriptorMediaType && incumbentBits == nil {
		bits = nil // nothing to compare it with: what serves the generator in use gives no likelihoods
	}
	e = gate.Evidence{Step: t.a.Window.End, Dev: gateItems(items), Pool: gate.PoolOf(clusters), Guard: report,
		PassRate:    pair(candidate.PassRate, incumbent.PassRate, "the domain has no verifier"),
		BitsPerByte: pair(bits, incumbentBits, "a contestant cannot be scored by likelihood, or nothing is held out")}
	return e, report, candidate, nil
}

func pair(challenger, incumbent *float64, why string) gate.Pair {
	if challenger == nil && incumbent == nil {
		return gate.Pair{Challenger: gate.Unavailable(why), Incumbent: gate.Unavailable(why)}
	}
	reading := func(v *float64) gate.Reading { // one side alone is missing evidence: no verdict rests on it
		if v == nil {
			return gate.Reading{}
		}
		return gate.Known(*v)
	}
	return gate.Pair{Challenger: reading(challenger), Incumbent: reading(incumbent)}
}

// measure gives a model's guard metrics and the address of its raw samples, from the memo where it was measured before.
func (t *turn) measure(ctx context.Context, model string) (guard.Metrics, string, error) {
	a, err := plan.MeasureOf(t.c.Addr.Child("guard"), t.c.Domain, t.a.Judges, model, t.bench)
	if err != nil {
		return guard.Metrics{}, "", err
	}
	a.Models = []*config.Stage{t.maker(model)}
	out, err := t.do(ctx, a, map[string]string{"model": model, "benchmark": t.bench})
	if err != nil {
		return guard.Metrics{}, "", err
	}
	m, err := t.r.readMetrics(out.Outputs["metrics"].Digest)
	return m, out.Outputs["raw"].Digest, err
}

// maker is the trainer that made a model; nil: none of ours.
func (t *turn) maker(model string) *config.Stage {
	for _, g := range t.facts.Generators {
		if g.Digest == model {
			return makes(t.c, g.Version)
		}
	}
	return t.c.Trainer
}

// calibrationRounds is how often the reference's raw samples are split to find the noise of each measure.
const calibrationRounds = 50

// guard compares the candidate with the reference, the best so far and the incumbent. A student that a rollback took back
// is no standard for the one that starts again.
func (t *turn) guard(ctx context.Context, candidate, incumbent guard.Metrics) (guard.Report, error) {
	ref, err := t.reference(ctx)
	if err != nil {
		return guard.Report{}, err
	}
	reference, raw, err := t.measure(ctx, ref)
	if err != nil {
		return guard.Report{}, err
	}
	limits, err := t.limits(raw)
	if err != nil {
		return guard.Report{}, err
	}
	best := reference
	if b := incumbent.BitsPerByte; b != nil && (best.BitsPerByte == nil || *b < *best.BitsPerByte) {
		best = incumbent
	}
	for _, d := range t.facts.Behind() {
		var e evidence
		if err := json.Unmarshal(d.Evidence, &e); err != nil {
			return guard.Report{}, fmt.Errorf("evidence of epoch %d: %w", d.Epoch, err)
		}
		if b := e.Metrics.BitsPerByte; b != nil && (best.BitsPerByte == nil || *b < *best.BitsPerByte) {
			best = e.Metrics
		}
	}
	in := guard.Input{Limits: limits, Reference: reference, Best: best, Incumbent: incumbent, Candidate: candidate, SyntheticShare: 1 - plan.RealShare(t.c.Domain, plan.Ratio(t.c))}
	var real tally
	if err := json.Unmarshal(t.records[plan.Real].Result, &real); err != nil {
		return guard.Report{}, fmt.Errorf("counts of the real records: %w", err)
	}
	in.RealFamilies = real.shares()
	return guard.Assess(in), nil
}

// limits are the defaults, widened by what noise alone would reach on the reference's raw samples; what the configuration
// says stands as it is.
func (t *turn) limits(raw string) (guard.Limits, error) {
	over := map[string]guard.Limit{}
	for name, l := range t.c.Guard {
		over[name] = guard.Limit(l)
	}
	base, err := guard.Defaults().With(over)
	if err != nil {
		return guard.Limits{}, err
	}
	return once(t.r.probe, fmt.Sprintf("limits %s %v", raw, base.By), func() (guard.Limits, error) {
		samples, err := readLines[guard.Sample](t.r.at(raw))
		if err != nil {
			return guard.Limits{}, err
		}
		began := t.r.Clock()
		cal, err := guard.Calibrate(base, samples, calibrationRounds, guardSeed)
		took := t.r.Clock().Sub(began)
		t.elsewhere += took
		t.r.rememberTime(calibrating, began, took.Seconds())
		if err != nil {
			return guard.Limits{}, err
		}
		for name := range over {
			cal.Limits.By[guard.Name(name)] = base.By[guard.Name(name)]
		}
		return cal.Limits, nil
	})
}

// reference is the model whose raw samples are the standard of how varied they are: the base generator where it was trained here, on
// this domain; where a specialist replaces a general model, which a server has or which was imported, the first student. A specialist
// writes about less than a general model does. What retention let go of is passed over where it would have to be measured anew.
func (t *turn) reference(ctx context.Context) (string, error) {
	var models []string
	if base := t.facts.Generators[0]; base.Checkpoint != "" {
		models = append(models, base.Digest)
	}
	for _, d := range t.facts.Decisions {
		models = append(models, d.Model)
	}
	for _, m := range models {
		if measurable, err := t.measurable(ctx, m); measurable || err != nil {
			return m, err
		}
	}
	return t.model, nil
}

// measurable says whether a model's metrics are recorded, or its bytes are there to take them from.
func (t *turn) measurable(ctx context.Context, model string) (bool, error) {
	if t.r.has(model) {
		return true, nil
	}
	a, err := plan.MeasureOf(t.c.Addr.Child("guard"), t.c.Domain, t.a.Judges, model, t.bench)
	if err != nil {
		return false, err
	}
	inputs := map[string]string{"model": model, "benchmark": t.bench}
	if err := t.r.refs(a, inputs); err != nil {
		return false, err
	}
	var memo state.ActionRecord
	known := false
	err = t.r.DB.View(ctx, func(tx *state.Tx) error {
		var err error
		memo, known, err = tx.Action(a.Identify(inputs).ID)
		return err
	})
	if err != nil || !known {
		return false, err
	}
	return t.r.present(ctx, &memo)
}

// openGate spends a look, durable before the pool is read, and has both contestants answer the pool.
func (t *turn) openGate(ctx context.Context, cur *state.Generator, inputs map[string]string) (*state.Look, []gate.Item, error) {
	a, err := plan.GateOf(t.c, t.c.Evaluator.Addr, t.a.Judges, t.model, cur.Digest, t.bench)
	if err != nil {
		return nil, nil, err
	}
	in := map[string]string{"challenger": t.model, "incumbent": cur.Digest, "benchmark": t.bench}
	if err := t.r.refs(a, in); err != nil {
		return nil, nil, err
	}
	var look state.Look
	err = t.r.DB.Update(ctx, func(tx *state.Tx) (err error) {
		look, err = tx.AppendLook(t.c.Addr, state.Look{Evaluation: a.Identify(in).ID, Pool: t.bench, Step: t.a.Window.End, At: t.r.Clock()})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	a.Models = []*config.Stage{t.maker(t.model), t.maker(cur.Digest)}
	out, err := t.do(ctx, a, in)
	if err != nil {
		return nil, nil, err
	}
	inputs["gate"] = out.Outputs["items"].Digest
	items, err := readLines[item](t.r.at(out.Outputs["items"].Digest))
	return &look, gateItems(items), err
}

// promotionsBefore counts the PROMOTE verdicts among the looks before look k.
func promotionsBefore(looks []state.Look, k uint64) uint64 {
	var m uint64
	for _, l := range looks {
		if l.K < k && l.Verdict == string(gate.Promote) {
			m++
		}
	}
	return m
}

func gateItems(items []item) []gate.Item {
	out := make([]gate.Item, len(items))
	for i, it := range items {
		out[i] = gate.Item{ID: it.ID, Cluster: it.Cluster, Challenger: it.Challenger.components(), Incumbent: it.Incumbent.components()}
	}
	return out
}

// record puts a decision into the state's terms.
func (t *turn) record(cur *state.Generator, d gate.Decision, ev evidence, look *state.Look, inputs map[string]string) (*state.Decision, error) {
	raw, err := json.Marshal(ev)
	if err != nil {
		return nil, err
	}
	out := &state.Decision{Epoch: t.facts.Epoch(), Step: t.a.Window.End, IncumbentVersion: cur.Version,
		Challenger: state.Scores(d.Challenger), Incumbent: state.Scores(d.Incumbent), Split: d.Split, N: d.N, GainAbsolute: d.GainAbsolute, GainRelative: d.GainRelative,
		Verdict: string(d.Verdict), Halted: d.Halted, Pending: d.Verdict == gate.Promote && t.c.Promotion == "manual",
		Early: t.a.Window.End < t.c.MinStepsBeforeReplace || t.facts.Pinned(t.c) != 0, Reasons: append([]string{d.Summary}, d.Texts()...),
		Evidence: raw, Model: t.model, Checkpoint: t.ckpt, StartCheckpoint: t.records[plan.Train].Parts["input.start"], Inputs: inputs, Run: t.r.run, At: t.r.Clock()}
	if len(d.Reasons) > 0 && d.Reasons[0].Text == d.Summary {
		out.Reasons = d.Texts()
	}
	if ev.Forced {
		out.Reasons = append([]string{"forced by the test harness"}, out.Reasons...)
	}
	if look != nil {
		out.Look, out.Alpha, out.LCB = &look.K, d.Alpha, d.LCB
	}
	return out, nil
}
