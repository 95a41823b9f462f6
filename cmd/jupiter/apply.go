package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/planfile"
	"jupiter/runtime"
)

type applyOptions struct {
	targetOptions
	narrowOptions
	lockOptions
	json     bool
	approved bool
	cycles   uint64
	parallel int
	detach   bool
	as       string // the run that this process does for an apply --detach; see detach.go
}

func newApplyCommand(w *world) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply [DIR|FILE|PLANFILE]",
		Short: "Do what the plan says, cycle after cycle",
		Long: `Make the configuration true: plan, act, decide, and plan again, until nothing is left to do, an end is
reached, or what was approved is used up. A plan that jupiter plan --out saved is applied as it was
approved, or refused when the state or the configuration has changed since.

The first Ctrl-C saves what runs and ends; the next apply goes on from there. The second one ends at once;
what was saved before is kept.

With --detach the run goes on by itself, in a process that outlives the terminal and the login: jupiter attach watches
it, jupiter logs shows what it said, jupiter stop ends it. The command returns once the run has begun.

Exit status: 0 done, 1 error, 3 the collapse guard has stopped a cycle, 4 a budget is used up or a later
cycle's plan no longer fits what was approved, 130 interrupted with progress saved.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return applyCommand(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.narrowOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "write JSON, an event a line")
	f.BoolVar(&o.approved, "auto-approve", false, "do not ask")
	f.Uint64Var(&o.cycles, "cycles", 0, "at most `N` cycles; 0: as many as the plan has")
	f.IntVar(&o.parallel, "parallelism", 4, "at most `N` light actions at once; what takes the whole machine runs alone")
	f.BoolVar(&o.detach, "detach", false, "go on without this terminal; see jupiter attach, logs and stop")
	o.addHidden(f)
	return cmd
}

// applyCommand is jupiter apply. The whole of it, from the lock to the last table, can be interrupted.
func applyCommand(ctx context.Context, w *world, o *applyOptions, arg string) (err error) {
	if o.parallel < 1 {
		return usageError{fmt.Errorf("--parallelism %d: it takes at least 1", o.parallel)}
	}
	saved, path, err := o.find(arg)
	if err != nil {
		return err
	}
	narrow, err := o.options()
	switch {
	case err != nil:
		return err
	case saved != nil && o.narrowOptions.given():
		return usageError{errors.New("a saved plan says what is done: --target and its like go with jupiter plan --out")}
	case saved != nil:
		narrow = saved.Plan.Options
	}
	watch := watchInterrupts(ctx, w)
	defer watch.close()
	ctx = watch.ctx

	view, name, begun, err := o.shown(w)
	if err != nil {
		return err
	}
	p, err := open(ctx, w, &o.targetOptions, path, access{write: true, warn: true, lock: &o.lockOptions, sink: view,
		par: o.parallel, name: name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	if _, err := p.db.Sweep(ctx); err != nil { // links are set right once that is approved
		return err
	}
	p.runner.Options = narrow
	made, base, err := p.plan(ctx)
	if err != nil {
		return err
	}
	if saved != nil {
		limitEnvelope(made, max(1, saved.Plan.Envelope.Cycles))
		if err := stillTrue(saved, made, base); err != nil {
			return err
		}
	}
	if o.cycles > 0 {
		limitEnvelope(made, o.cycles)
	}
	killed, err := p.lastRunKilled(ctx)
	if err != nil {
		return err
	}
	if !o.json {
		viewPlan(w, made)
	}
	if err := runtime.Blocked(made); err != nil {
		return err
	}
	switch {
	case made.Empty() && !killed && made.NeedsPerson():
		return errPerson
	case made.Empty() && !killed:
		view.ended(ending{at: p.w.now(), outcome: endOf(made), status: statusOf(endOf(made))})
		return code(statusOf(endOf(made)))
	case !made.Settled() && saved == nil && !o.approved: // what is put right needs none: the state said so before
		if err := confirm(ctx, w, o.json); err != nil {
			return err
		}
	}
	if o.detach {
		return p.detach(ctx, o, made, base)
	}
	return p.apply(ctx, watch, view, made, o.as, begun)
}

// shown is how a run is shown, what its process is called, and what says that it has begun to who waits for it.
func (o *applyOptions) shown(w *world) (view *loggedView, name string, begun func(), err error) {
	if o.as == "" {
		return &loggedView{runView: newRunView(w, o.json)}, applyName, func() {}, nil
	}
	if begun, err = tellBegun(o.as); err != nil {
		return nil, "", nil, err
	}
	ignoreHangup()
	return &loggedView{runView: silentView{}}, detachedName, begun, nil
}

// find tells a saved plan from a configuration. A plan file's path, like that of --out, is relative to the current
// directory; its configuration is the one that it was made from, unless -C names another.
func (o *applyOptions) find(arg string) (*planfile.File, string, error) {
	if arg == "" || isConfiguration(arg) {
		return nil, o.path(arg), nil
	}
	info, err := os.Stat(arg)
	if err != nil || info.IsDir() {
		return nil, o.path(arg), nil // load says what is wrong with it
	}
	f, err := planfile.Read(arg)
	if err != nil {
		return nil, "", err
	}
	if o.chdir != "" {
		return &f, o.chdir, nil
	}
	path := filepath.Join(filepath.Dir(arg), filepath.FromSlash(f.Base.Module))
	return &f, path, nil
}

// stillTrue fails where a saved plan is not what would be planned now, for as many cycles.
func stillTrue(saved *planfile.File, made *plan.Plan, base planfile.Base) error {
	if err := saved.Base.Check(base); err != nil {
		return err
	}
	was, now := saved.Plan.Changes, made.Changes
	same := len(was) == len(now)
	for i := 0; same && i < len(was); i++ {
		same = was[i].Address == now[i].Address && was[i].From == now[i].From && was[i].Op == now[i].Op && was[i].Title == now[i].Title && sameReasons(was[i].Reasons, now[i].Reasons)
	}
	if !same {
		return &planfile.StaleError{Differences: []string{"what is to be done has changed: a source, a file or a template is not what it was"}}
	}
	if !reflect.DeepEqual(saved.Plan.Envelope, made.Envelope) {
		return &planfile.StaleError{Differences: []string{"it approves something else than a plan of this can approve"}}
	}
	return nil
}

// sameReasons compares reasons, but for where they were written: that is spelled from the current directory.
func sameReasons(a, b []plan.Reason) bool {
	same := len(a) == len(b)
	for i := 0; same && i < len(a); i++ {
		same = a[i].Code == b[i].Code && a[i].Was == b[i].Was && a[i].Now == b[i].Now && list(a[i].Names) == list(b[i].Names)
	}
	return same
}

// apply runs what was approved and shows what came of it. as is the run that a detached process was told to do; "": a new
// one.
func (p *project) apply(ctx context.Context, watch *interrupts, view *loggedView, made *plan.Plan, as string, begun func()) error {
	if _, err := p.db.BackupBeforeApply(ctx); err != nil {
		return err
	}
	id, err := as, error(nil)
	if as == "" {
		if id, err = newRunID(p.w.now()); err != nil {
			return err
		}
	}
	if view.log, err = openRunLog(p.w, p.cfg.StateDir, id, view.runView.say); err != nil {
		return err
	}
	if as == "" {
		defer view.log.text.Close()
	} else { // from here on the log is put aside when it is full; it is open until the last word of the process
		p.w.out, p.w.err = view.log.text, view.log.text
	}
	watch.onFirst(func(ctx context.Context) {
		view.say("Stopping: what runs is saved first. Press Ctrl-C again to end at once.")
		p.runner.Stop(ctx, "interrupted by the user")
	})
	view.start()
	outcome, err := p.runner.Apply(ctx, runtime.ApplyOptions{Envelope: made.Envelope, Forecast: made.Forecast, RunID: id, Command: "apply", Begun: begun, Status: exitOf})
	watch.onFirst(nil)
	view.ended(ending{at: p.w.now(), run: id, outcome: outcome, status: exitOf(outcome, err), err: err})
	if errors.Is(err, runtime.ErrEnvelope) {
		fmt.Fprintf(p.w.err, "Error: %v\n\nAll progress is saved. jupiter plan shows the new plan; jupiter apply asks for a new approval.\n", err)
		return code(exitEnvelope)
	}
	var spent *runtime.BudgetError
	if errors.As(err, &spent) {
		fmt.Fprintf(p.w.err, "Error: %v\n\nAll progress is saved. jupiter apply goes on from there, with as much again; raise the budget if that is too little.\n", spent)
		return code(exitEnvelope)
	}
	if err != nil {
		return err
	}
	if _, isJSON := view.runView.(*jsonView); !isJSON {
		if err := viewResult(context.WithoutCancel(ctx), p, outcome); err != nil {
			return err
		}
	}
	return code(statusOf(outcome))
}

// statusOf is the exit code of an outcome. An apply that did as many cycles as were approved has done what it was to do.
func statusOf(o runtime.Outcome) int {
	switch o {
	case runtime.OutcomeHalted:
		return exitHalted
	case runtime.OutcomeInterrupted:
		return exitInterrupted
	case runtime.OutcomeFailed:
		return exitError
	}
	return exitDone
}

// exitOf is the exit code of an apply that ended with an outcome and an error.
func exitOf(o runtime.Outcome, err error) int {
	var spent *runtime.BudgetError
	switch {
	case errors.Is(err, runtime.ErrEnvelope), errors.As(err, &spent):
		return exitEnvelope
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case err != nil:
		return exitError
	}
	return statusOf(o)
}

// endOf is the outcome of an apply that finds nothing to do.
func endOf(made *plan.Plan) runtime.Outcome {
	for _, t := range []plan.Terminal{plan.Halted, plan.Pending, plan.Converged, plan.Ceiling} {
		for _, c := range made.Cycles {
			if c.Terminal == t {
				return runtime.Outcome(t)
			}
		}
	}
	return runtime.OutcomeDone
}

// outcomeLine is the last line of apply --json.
type outcomeLine struct {
	At      time.Time       `json:"at"`
	Event   string          `json:"event"` // always "outcome"
	Run     string          `json:"run,omitempty"`
	Outcome runtime.Outcome `json:"outcome"`
	Status  int             `json:"exit_status"`
	Error   string          `json:"error,omitempty"`
}
