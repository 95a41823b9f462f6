package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// The calls of a trial: what the executors do, without what makes it durable.

// collect reads a source until there are enough records.
func (t *trial) collect(ctx context.Context, a *plan.Action, recs []*sdk.Record) ([]*sdk.Record, error) {
	j, err := t.job(a)
	if err != nil {
		return nil, err
	}
	st, err := t.r.Host.Stage(ctx, "collector", a.Source.Type)
	if err != nil {
		return nil, err
	}
	st = given(st, a.Source.Body)
	call, err := j.call(a.Source.Type, a.Source.Body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := st.Collector().Collect(ctx, &pluginv1.CollectRequest{Call: call})
	if err != nil {
		return nil, err
	}
	for len(recs) < trialRecords {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		recs = append(recs, e.GetBatch().GetRecords()...)
	}
	return recs, nil
}

// base is the imported checkpoint that an action's training begins with: the one that is recorded, or else one that the trial
// imports for itself; nil: it begins with nothing.
func (t *trial) base(ctx context.Context, a *plan.Action) (*pluginv1.Artifact, error) {
	i := slices.IndexFunc(a.Inputs, func(in plan.Input) bool { return in.Name == "base" })
	if i < 0 {
		return nil, nil
	}
	in := a.Inputs[i]
	if in.From != nil {
		if made := t.rec.Action(in.From.Identify(nil).ID); made != nil {
			in.Digest = made.Outputs[in.Output].Digest
		}
	}
	if in.Digest != "" && t.r.has(in.Digest) {
		return &pluginv1.Artifact{Digest: in.Digest, Path: t.r.at(in.Digest), MediaType: sdk.CheckpointMediaType}, nil
	}
	if in.From == nil {
		return nil, fmt.Errorf("what training began with (%s) is gone", in.Digest)
	}
	if t.imports[in.From] == nil {
		j, err := t.job(in.From)
		if err != nil {
			return nil, err
		}
		res, err := j.importModel(ctx)
		if err != nil {
			return nil, err
		}
		t.imports[in.From] = &pluginv1.Artifact{Path: res.outputs[in.Output].path, MediaType: sdk.CheckpointMediaType}
	}
	return t.imports[in.From], nil
}

// steps trains so many steps from nothing, or from the imported base.
func (t *trial) steps(ctx context.Context, a *plan.Action, steps uint64, dataset, real string, base *pluginv1.Artifact) (checkpoint string, tokens uint64, err error) {
	j, err := t.job(a)
	if err != nil {
		return "", 0, err
	}
	st, err := t.r.stage(ctx, a.Stage)
	if err != nil {
		return "", 0, err
	}
	call, err := j.call(a.Stage.Type, a.Stage.Body)
	if err != nil {
		return "", 0, err
	}
	stream, err := st.Trainer().Train(ctx, &pluginv1.TrainRequest{Call: call, ToStep: steps, WindowEnd: steps, Checkpoint: base, Base: base,
		Dataset: &pluginv1.Artifact{Path: dataset, MediaType: sdk.RecordsMediaType}, Real: &pluginv1.Artifact{Path: real, MediaType: sdk.RecordsMediaType},
		Topology: &pluginv1.Topology{Peers: []*pluginv1.Peer{{Name: "local"}}}})
	if err != nil {
		return "", 0, err
	}
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", 0, err
		}
		if u := e.GetProgress().GetUsage(); u != nil {
			tokens = u.PromptTokens + u.CompletionTokens
		}
		if o := e.GetCheckpoint().GetOutput(); o != nil {
			if checkpoint, err = j.output(st, "Train", o.Path); err != nil {
				return "", 0, err
			}
		}
	}
	if checkpoint == "" {
		return "", 0, st.Breach("Train", "", "it ends without a checkpoint")
	}
	return checkpoint, tokens, nil
}

// export makes a model of a checkpoint, as the executor does.
func (t *trial) export(ctx context.Context, c *config.Cycle, maker *config.Stage, checkpoint string, base *pluginv1.Artifact) (*pluginv1.Artifact, error) {
	a := &plan.Action{Address: c.Exporter.Addr, Kind: plan.Export, Cycle: c, Domain: c.Domain, Stage: c.Exporter, Models: []*config.Stage{maker}}
	j, err := t.job(a)
	if err != nil {
		return nil, err
	}
	st, err := t.r.stage(ctx, c.Exporter)
	if err != nil {
		return nil, err
	}
	dir, err := j.exported(ctx, st, &pluginv1.Artifact{Path: checkpoint, MediaType: sdk.CheckpointMediaType}, base)
	if err != nil {
		return nil, err
	}
	return &pluginv1.Artifact{Path: dir, MediaType: ModelMediaType}, nil
}

// draw asks for samples, until they are there or it takes too long, and gives the tokens that they used.
func (t *trial) draw(ctx context.Context, a *plan.Action, m *pluginv1.Artifact, n uint64) (used [2]uint64, err error) {
	j, err := t.job(a)
	if err != nil {
		return used, err
	}
	st, err := t.r.stage(ctx, a.Stage)
	if err != nil {
		return used, err
	}
	call, err := j.call(a.Stage.Type, a.Stage.Body)
	if err != nil {
		return used, err
	}
	ctx, cancel := context.WithTimeout(ctx, trialLong)
	defer cancel()
	set := &pluginv1.PromptSet{Template: a.Template.Name, Samples: n}
	for i, p := range config.ExpandPrompts(a.Template, n) {
		set.Prompts = append(set.Prompts, &pluginv1.Prompt{Id: strconv.Itoa(i), System: p.System, Text: p.Text, Bucket: a.Template.Bucket})
	}
	stream, err := st.Generator().Generate(ctx)
	if err != nil {
		return used, err
	}
	if err := stream.Send(&pluginv1.GenerateRequest{Call: call, Model: m, Sets: []*pluginv1.PromptSet{set}}); err != nil && !errors.Is(err, io.EOF) {
		return used, err
	}
	if err := stream.CloseSend(); err != nil {
		return used, err
	}
	use := &callUse{}
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) || ctx.Err() != nil && use.counted != [2]uint64{} {
			return use.counted, nil
		}
		if err != nil {
			return used, err
		}
		use.heard(e.GetProgress())
		for _, r := range e.GetBatch().GetRecords() {
			use.saw(r.PromptTokens, r.CompletionTokens)
		}
	}
}
