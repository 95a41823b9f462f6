package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/lang"
	"jupiter/plan/planfile"
	"jupiter/plugins/lockfile"
	"jupiter/state"
	"jupiter/state/artifact"
)

type planOptions struct {
	targetOptions
	narrowOptions
	markdown bool
	json     bool
	detailed bool
	probe    bool
	out      string
	cycles   uint64
}

func newPlanCommand(w *world) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [DIR|FILE]",
		Short: "Say what is to be done, why, and within which bounds",
		Long: `Compare what the configuration asks for with what the state has recorded, and say what the next
cycle does: one line a change, with its reason. Nothing is changed.

  +  new          ~  goes on, or more of the same      ±  runs again
  -  forgotten: no longer configured                   ?  settled while the plan is applied
  →  recorded under another address

Exit status: 0 done, 1 error, 2 there is something to do (with --detailed-exitcode),
3 the collapse guard has stopped a cycle.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd.Flags().Changed("cycles")); err != nil {
				return usageError{err}
			}
			return showPlan(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.narrowOptions.addFlags(cmd)
	addJSON(cmd, &o.json, "plan")
	f := cmd.Flags()
	f.BoolVar(&o.probe, "probe", false, "run a few items for a first forecast of the time; nothing of them is kept")
	f.BoolVar(&o.detailed, "detailed-exitcode", false, "exit with 2 where there is something to do")
	f.BoolVar(&o.markdown, "markdown", false, "write a comment for a pull request")
	f.StringVar(&o.out, "out", "", "save the plan to `FILE`, for apply")
	f.Uint64Var(&o.cycles, "cycles", 1, "with --out: how many cycles the saved plan approves, at most `N`")
	return cmd
}

// check refuses flags that do not go together, before anything is read.
func (o *planOptions) check(cycles bool) error {
	switch {
	case o.json && o.markdown:
		return errors.New("--json and --markdown are two forms of one output")
	case cycles && o.out == "":
		return errors.New("--cycles says how many cycles a saved plan approves: it goes with --out")
	case cycles && o.cycles == 0:
		return errors.New("--cycles 0 approves nothing")
	case isConfiguration(o.out):
		return fmt.Errorf("--out %s: a file of this name is read as configuration. Give the plan another one, such as cycle.plan", o.out)
	}
	return nil
}

// isConfiguration says whether a file is a part of a configuration by its name.
func isConfiguration(name string) bool {
	return strings.HasSuffix(name, ".jupiter.hcl") || strings.HasSuffix(name, ".jupiter.yaml")
}

// arg is a command's only argument, or "".
func arg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func showPlan(ctx context.Context, w *world, o *planOptions, arg string) (err error) {
	narrow, err := o.options()
	if err != nil {
		return err
	}
	p, err := open(ctx, w, &o.targetOptions, o.path(arg), access{warn: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	p.runner.Options = narrow
	how := p.runner.Plan
	if o.probe {
		how = p.runner.PlanTried
	}
	made, base, err := p.planBy(ctx, how)
	if err != nil {
		return err
	}
	if o.out != "" {
		limitEnvelope(made, o.cycles)
		if err := p.save(o.out, made, base); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		err = w.json(planDocument{"jupiter.plan/v1", made})
	case o.markdown:
		viewMarkdown(w.out, made)
	default:
		viewPlan(w, made)
		if o.out != "" {
			fmt.Fprintf(w.out, "\nSaved to %s. To do it, type: jupiter apply %s\n", o.out, o.out)
		}
	}
	if err != nil {
		return err
	}
	switch {
	case made.Halted():
		return code(exitHalted)
	case o.detailed && (!made.Empty() || made.NeedsPerson()):
		return code(exitChanges)
	}
	return nil
}

// planDocument is what plan --json writes.
type planDocument struct {
	Schema string `json:"schema"`
	*plan.Plan
}

// errPerson says that an apply has nothing to do and that all is not well.
var errPerson = errors.New("something was changed outside of Jupiter that an apply cannot put right; the plan above says what to do")

// errMoved says that the state changed while a plan was made from it.
var errMoved = errors.New("the state changed while the plan was made; plan again")

// plan makes the plan of the next turn, with what it was made from. Lists in it are empty rather than nil.
func (p *project) plan(ctx context.Context) (*plan.Plan, planfile.Base, error) {
	return p.planBy(ctx, p.runner.Plan)
}

func (p *project) planBy(ctx context.Context, how func(context.Context) (*plan.Plan, error)) (*plan.Plan, planfile.Base, error) {
	before, err := p.base(ctx)
	if err != nil {
		return nil, before, err
	}
	made, err := how(ctx)
	if err != nil {
		return nil, before, p.placed(err)
	}
	before.Config, before.Outside = made.Envelope.Config, made.Outside()
	after, err := p.base(ctx)
	if err != nil {
		return nil, before, err
	}
	if after.Lineage != before.Lineage || after.Serial != before.Serial {
		return nil, before, errMoved
	}
	if made.Changes == nil {
		made.Changes = []plan.Change{}
	}
	if made.Drift == nil {
		made.Drift = []plan.Drift{}
	}
	for i := range made.Changes {
		c := &made.Changes[i]
		if c.Reasons == nil {
			c.Reasons = []plan.Reason{}
		}
		for j := range c.Reasons {
			if c.Reasons[j].Names == nil {
				c.Reasons[j].Names = []string{}
			}
		}
	}
	return made, before, nil
}

// placed gives an error of the planner the sources that it points into.
func (p *project) placed(err error) error {
	var refused *plan.RefusedError
	if errors.As(err, &refused) {
		return &configurationError{refused.Diags, p.files}
	}
	var unknown *plan.UnknownAddressError
	if errors.As(err, &unknown) && len(unknown.Below) == 0 {
		return fmt.Errorf("%w.%s jupiter plan%s lists the addresses", err, lang.DidYouMean(string(unknown.Address), unknown.Have), p.at())
	}
	return err
}

// base says which state there is now.
func (p *project) base(ctx context.Context) (b planfile.Base, err error) {
	err = p.db.View(ctx, func(tx *state.Tx) error {
		b.Lineage, b.Serial = tx.Lineage(), tx.Serial()
		return nil
	})
	if err != nil {
		return b, err
	}
	b.Version = version
	b.Lock, err = lockDigest(p.cfg.Dir)
	return b, err
}

// lockDigest is the digest of a configuration's lock file; "": it has none.
func lockDigest(dir string) (string, error) {
	b, err := config.ReadFile(filepath.Join(dir, lockfile.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return artifact.Sum(b), nil
}

// limitEnvelope narrows what a plan's approval allows.
func limitEnvelope(p *plan.Plan, cycles uint64) {
	p.Envelope.Cycles = min(p.Envelope.Cycles, cycles)
	p.Envelope.Looks = min(p.Envelope.Looks, cycles)
	if p.Forecast != nil {
		p.Forecast.Limit(p.Envelope.Cycles)
	}
}

// save writes a plan to a file. The way from the file to the configuration is kept with it.
func (p *project) save(path string, made *plan.Plan, base planfile.Base) error {
	from, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	to, err := filepath.Abs(p.path)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	base.Module = filepath.ToSlash(rel)
	return planfile.Write(path, planfile.File{Base: base, Plan: fromModule(made, p.cfg.Dir)})
}

// fromModule is a plan whose places are spelled from the root module's directory, wherever the command was typed: equal
// plans give equal bytes.
func fromModule(made *plan.Plan, dir string) *plan.Plan {
	same := *made
	same.Changes = slices.Clone(made.Changes)
	for i := range same.Changes {
		c := &same.Changes[i]
		c.Reasons = slices.Clone(c.Reasons)
		for j := range c.Reasons {
			c.Reasons[j].File = within(dir, c.Reasons[j].File)
		}
	}
	return &same
}

// within spells a path from a directory, or leaves it as it is where there is no way.
func within(dir, path string) string {
	if path == "" {
		return ""
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(dir, abs)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}
