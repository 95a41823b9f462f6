package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/schema"
	"jupiter/runtime"
	"jupiter/state"
)

// recordProject makes the plan of the configuration at path and records a result for each of its actions.
func recordProject(ctx context.Context, program, path string, env []string) (err error) {
	plugins := map[string]host.Program{}
	for _, name := range []string{"fake", "quality"} {
		plugins[name] = host.Program{Path: program, Args: []string{"plugin-serve", name}}
	}
	h, err := host.New(host.Options{Plugins: plugins, Env: env, Dir: filepath.Dir(path)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	s := &schemas{ctx: ctx, host: h}
	cfg, _, diags := config.Load(path, config.Options{Schemas: s})
	if diags.HasErrors() {
		return diags
	}
	links := map[addr.Address]string{cfg.Cycles[0].Addr: filepath.Join(cfg.Dir, "generators")}
	db, err := state.Open(cfg.StateDir, state.Options{Clock: time.Now, Links: links})
	if err != nil {
		return err
	}
	r := &runtime.Runner{Config: cfg, DB: db, Host: h, Sink: runtime.Discard{}, Log: slog.New(slog.DiscardHandler), Clock: time.Now, Parallel: 1}
	p, err := r.Plan(ctx)
	if err != nil {
		return err
	}
	for _, c := range p.Cycles {
		if err := record(ctx, db, c.Actions); err != nil {
			return err
		}
	}
	_, err = db.RepairLinks(ctx)
	return err
}

// schemas lets the host answer config.Load.
type schemas struct {
	ctx  context.Context
	host *host.Host
}

func (s *schemas) Stage(kind, typ string) (*schema.Stage, error) {
	st, err := s.host.Stage(s.ctx, kind, typ)
	if err != nil {
		return nil, err
	}
	return st.Schema, nil
}

// record writes what an apply records of each action but the decision: bytes in the store, an artifact, the action under
// its identity, the stage, and with the base generator its place in the history. All records come in one transaction.
func record(ctx context.Context, db *state.DB, actions []*plan.Action) error {
	done := map[*plan.Action]map[string]state.Output{}
	var all []made
	for _, a := range actions {
		if a.Kind == plan.Promote {
			continue
		}
		inputs, unknown := a.Resolve(done)
		if len(unknown) > 0 {
			return fmt.Errorf("%s comes before its inputs %v", a.Address, unknown)
		}
		m, err := makeUp(ctx, db, a, inputs)
		if err != nil {
			return err
		}
		done[a] = m.rec.Outputs
		all = append(all, m)
	}
	return db.Update(ctx, func(tx *state.Tx) error {
		for _, m := range all {
			if err := m.put(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// made is an action with what it is said to have made.
type made struct {
	action *plan.Action
	rec    state.ActionRecord
	arts   []state.Artifact
}

// makeUp gives an action outputs of a few bytes each, under the names that its kind has.
func makeUp(ctx context.Context, db *state.DB, a *plan.Action, inputs map[string]string) (made, error) {
	id := a.Identify(inputs)
	m := made{action: a, rec: state.ActionRecord{ID: id.ID, Lineage: id.Lineage, Address: string(a.Address), Kind: string(a.Kind), Parts: id.Parts,
		Outputs: map[string]state.Output{}, Result: json.RawMessage(`{"in":200,"kept":200}`), Retained: true}}
	for _, name := range outputs(a) {
		info, err := db.Artifacts().PutBytes(ctx, fmt.Appendf(nil, "%s of %s\n", name, id.ID), mediaType)
		if err != nil {
			return made{}, err
		}
		m.rec.Outputs[name] = state.Output{Digest: info.Digest, MediaType: mediaType}
		m.arts = append(m.arts, state.Artifact{Digest: info.Digest, Size: info.Size, MediaType: mediaType, MadeBy: id.ID,
			Inputs: slices.Sorted(maps.Values(inputs))})
	}
	return m, nil
}

// put writes the records of one action, in the order in which one needs the other.
func (m made) put(tx *state.Tx) error {
	for _, a := range m.arts {
		if err := tx.PutArtifact(a); err != nil {
			return err
		}
	}
	if err := tx.PutAction(m.rec); err != nil {
		return err
	}
	if a := m.action; a.Kind == plan.Adopt {
		g := state.Generator{Version: 1, Base: true, Digest: m.rec.Outputs["model"].Digest, MediaType: mediaType,
			Stage: string(a.Cycle.Generator.Addr), CreatedBy: m.rec.ID}
		if err := errors.Join(tx.AppendGenerator(a.Cycle.Addr, g), tx.SetCurrent(a.Cycle.Addr, 1)); err != nil {
			return err
		}
	}
	return tx.PutStage(m.action.Address, state.StageRecord{Action: m.rec.ID})
}

// mediaType of all that is recorded here; a plan does not look at it.
const mediaType = "application/vnd.jupiter.bench"

// outputs are the names under which an action of this kind gives its results.
func outputs(a *plan.Action) []string {
	switch a.Kind {
	case plan.Benchmark:
		return []string{"benchmark"}
	case plan.Generate:
		return []string{"samples"}
	case plan.Mix:
		return []string{"dataset"}
	case plan.Train:
		return []string{"checkpoint.20"}
	case plan.Select:
		return []string{"checkpoint", "model"}
	case plan.Measure:
		return []string{"metrics", "raw"}
	case plan.Evaluate:
		return []string{"answers", "items"}
	case plan.Adopt:
		return []string{"model"}
	}
	return []string{"records"}
}
