// Package runtime makes a plan true. It walks the actions of the next cycle, calls the plugins, records each result in
// one transaction, decides, promotes, and plans again until nothing is left to do.
//
// There is no resume path. An action that was cut off leaves a partial result under its lineage; the next plan finds it
// and goes on. An action that was recorded is never run again, whoever asks.
//
// The rules that make a promotion trustworthy live in pure packages below this one: mix and its anchor, seal, gate,
// guard. This package brings them their inputs and writes down what they say. No plugin can switch them off.
//
// Order of writes, each durable before the next: artifact bytes, one transaction, symlinks. A look is durable before the
// gate pool is opened. Removal runs backwards.
package runtime

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/runtime/notify"
	"jupiter/state"
	"jupiter/state/artifact"
)

// Runner applies the plans of one configuration. Its fields are set before its first use and not changed after.
type Runner struct {
	Config   *config.Config
	DB       *state.DB
	Host     *host.Host
	Sink     Sink
	Log      *slog.Logger
	Clock    func() time.Time
	Who      string // for the records: user@host
	Machine  string // host name
	PID      int
	Parallel int // actions at once
	Options  plan.Options
	CPUs     int          // of the machine, for its history
	Memory   uint64       // of the machine, in bytes; 0: not known
	Disk     uint64       // free where the state is, in bytes; 0: not known
	History  History      // of the machine; nil: none is kept
	Env      []string     // of commands that are told what happened
	Client   *http.Client // of webhooks that are; nil: a plain one

	// Force makes the gate promote every candidate. It exists for the proof that the guard halts a collapse which a gate
	// would have prevented, is reachable from tests only, and is no user's option.
	Force bool

	probe    *probe
	stopping atomic.Bool
	asked    atomic.Uint64 // questions put to generators, see Ask
	handed   sync.Map      // path that an attribute refers to → digest, in this turn
	late     atomic.Pointer[LateError]
	lineages sync.Map // lineage → *sync.Mutex: one action of a lineage at a time
	run      string   // ID of the run in progress

	notices   *notify.Queue // of the run in progress
	meter     *meter        // of the run in progress
	exhausted atomic.Pointer[BudgetError]
	stops     sync.WaitGroup // requests to stop under way
	forgetful sync.Once      // whether it was said that the history cannot be written
}

// Plan makes the plan of the next turn. Sources are looked at once in a runner's life.
func (r *Runner) Plan(ctx context.Context) (*plan.Plan, error) { return r.plan(ctx, false) }

// PlanTried is Plan with a trial of a few items, which the forecast rests on where there is no history. It takes a while,
// and changes nothing.
func (r *Runner) PlanTried(ctx context.Context) (*plan.Plan, error) { return r.plan(ctx, true) }

func (r *Runner) plan(ctx context.Context, try bool) (*plan.Plan, error) {
	rec, err := r.recorded(ctx)
	if err != nil {
		return nil, err
	}
	if r.probe == nil {
		r.probe = newProbe(r)
	}
	p, err := plan.Make(ctx, r.Config, rec, r.probe, r.Options)
	if err != nil {
		return nil, err
	}
	drift, err := r.drift(ctx, p, rec)
	if err = errors.Join(err, rec.err); err != nil {
		return nil, err
	}
	p.AddDrift(drift...)
	t := &trial{}
	if try && !p.Empty() {
		if t, err = r.tried(ctx, p, rec); err != nil {
			return nil, err
		}
	}
	return p, r.forecast(ctx, p, rec, t)
}

// Explain says why the action at an address of the next plan would run or not, with all that its identity is made of; or
// what was recorded there. It gives nil where there is neither, with the addresses that the next plan has.
func (r *Runner) Explain(ctx context.Context, at addr.Address) (*plan.Explanation, []string, error) {
	p, err := r.Plan(ctx)
	if err != nil {
		return nil, nil, err
	}
	rec, err := r.recorded(ctx)
	if err != nil {
		return nil, nil, err
	}
	var all []string
	for _, c := range p.Changes {
		all = append(all, string(c.Address))
	}
	for _, a := range rec.Stages() {
		all = append(all, string(a))
	}
	return plan.Explain(p, rec, at), all, nil
}

// Stop asks the run to save what it has and return. A second call has no further effect; to end at once, cancel the
// context that Apply was given.
func (r *Runner) Stop(ctx context.Context, reason string) {
	if r.stopping.CompareAndSwap(false, true) {
		r.Host.Stop(ctx, reason, r.grace())
	}
}

// stage is the implementation behind a block, held to what the block allows it.
func (r *Runner) stage(ctx context.Context, s *config.Stage) (*host.Stage, error) {
	st, err := r.Host.Stage(ctx, s.Kind, s.Type)
	if err != nil {
		return nil, err
	}
	st = st.Limited(host.Limits{Memory: uint64(s.Limits.MemoryGB * 1e9), Processes: s.Limits.Processes})
	if s.Timeouts.Stall > 0 {
		st = st.Stalling(s.Timeouts.Stall)
	}
	return given(st, s.Body), nil
}

// given lets a stage's process have the variables of the environment that its configuration names.
func given(st *host.Stage, b config.Body) *host.Stage { return st.Given(b.Schema.Variables(b.Value)) }

func (r *Runner) store() *artifact.Store { return r.DB.Artifacts() }

// at is where an artifact's bytes lie. Digests come from the state, which holds no malformed ones.
func (r *Runner) at(digest string) string {
	path, err := r.store().Path(digest)
	if err != nil {
		return filepath.Join(r.store().Dir(), "malformed-digest")
	}
	return path
}

// has says whether an artifact's bytes are there.
func (r *Runner) has(digest string) bool {
	ok, err := r.store().Has(digest)
	return ok && err == nil
}

// workDir is where actions in progress keep their files: the core's own below core, and those of calls below the plugins'
// names.
func (r *Runner) workDir() string { return filepath.Join(r.Config.StateDir, "work") }

// coreDir is where an action keeps the files that no plugin may write to.
func (r *Runner) coreDir(lineage string) string {
	return filepath.Join(r.workDir(), "core", lineage[:24])
}

// recorded reads all that a plan needs in one transaction.
func (r *Runner) recorded(ctx context.Context) (*recorded, error) {
	rec := &recorded{facts: map[addr.Address]plan.Facts{}, actions: map[string]*state.ActionRecord{}, last: map[string]*state.ActionRecord{}, partials: map[string]*state.Partial{}, hosts: map[string]string{},
		begun: map[string]*state.Partial{}, looked: map[string]artifact.Condition{}, inspect: func(digest string) (artifact.Condition, error) { return r.store().Inspect(ctx, digest) }}
	err := r.DB.View(ctx, func(tx *state.Tx) error {
		rec.cycles = recordedCycles(tx)
		all := slices.Clone(rec.cycles)
		for _, c := range r.Config.Cycles { // something may have been done to one that has no history yet
			all = append(all, c.Addr)
		}
		for _, c := range all {
			f, err := facts(tx, c)
			if err != nil {
				return err
			}
			rec.facts[c] = f
		}
		return rec.load(tx)
	})
	return rec, err
}

// recordedCycles lists the cycles that have any history, in order.
func recordedCycles(tx *state.Tx) []addr.Address {
	all := slices.Concat(tx.Cycles(), tx.DecidedCycles(), tx.LookedCycles())
	slices.Sort(all)
	return slices.Compact(all)
}

// facts reads the history of one cycle.
func facts(tx *state.Tx, cycle addr.Address) (f plan.Facts, err error) {
	if f.Generators, err = tx.Generators(cycle); err != nil {
		return f, err
	}
	if f.Current, _, err = tx.Current(cycle); err != nil {
		return f, err
	}
	if f.Decisions, err = tx.Decisions(cycle); err != nil {
		return f, err
	}
	if f.Looks, err = tx.Looks(cycle); err != nil {
		return f, err
	}
	for e, err := range tx.Events() {
		switch {
		case err != nil:
			return f, err
		case e.Cycle != string(cycle):
		case e.Act == "destroy":
			f.Events = nil // what was done to a history that is gone says nothing of this one
		default:
			f.Events = append(f.Events, e)
		}
	}
	return f, nil
}

// Facts reads the recorded history of one cycle.
func (r *Runner) Facts(ctx context.Context, cycle addr.Address) (f plan.Facts, err error) {
	err = r.DB.View(ctx, func(tx *state.Tx) error {
		f, err = facts(tx, cycle)
		return err
	})
	return f, err
}
