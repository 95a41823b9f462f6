package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/runtime"
	"jupiter/runtime/gate"
	"jupiter/state"
)

// compareLevel is the confidence level of each interval by itself.
const compareLevel = 0.95

type compareOptions struct {
	targetOptions
	cycleOptions
	json     bool
	markdown bool
	plot     string
	groups   []string
}

func newCompareCommand(w *world) *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare DIR…",
		Short: "Set several runs side by side, with intervals",
		Long: `Set the histories of several projects side by side: scores and decisions of each cycle, the last candidate's score
with a 95 % interval, and what was used. Each project after the first is compared with the first. Where both
answered the same items the difference is paired, item by item, by the gate's own statistics; elsewhere
there is none, and it is said why. --group puts projects that differ in their seeds together: means over
runs, with the interval of Student's t.

Nothing is changed, and a running apply is no obstacle. A figure is an estimate, and decides nothing.

Exit status: 0 done, 1 error, for example where a project has no decided cycle.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return compareCommand(cmd.Context(), w, &o, args)
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	addJSON(cmd, &o.json, "compare")
	f := cmd.Flags()
	f.BoolVar(&o.markdown, "markdown", false, "write tables in Markdown")
	f.StringVar(&o.plot, "plot", "", "draw the candidates' scores over the cycles to `FILE`, .png or .svg")
	f.StringArrayVar(&o.groups, "group", nil, "runs of one recipe: `NAME=DIR,DIR`; may be repeated")
	return cmd
}

// comparisonOf is what compare --json writes.
type comparisonOf struct {
	Schema string         `json:"schema"`
	Level  float64        `json:"level"` // of each interval by itself
	Runs   []comparedRun  `json:"runs"`
	Pairs  []comparedPair `json:"pairs"`
	Groups []runGroup     `json:"groups"`
	Notes  []string       `json:"notes"`
}

// comparedRun is the history of one cycle of one project.
type comparedRun struct {
	Name       string         `json:"name"` // the directory as it was given, and the cycle where a project has several
	Dir        string         `json:"dir"`
	Cycle      string         `json:"cycle"`
	Weights    gate.Weights   `json:"weights"`
	V1         *float64       `json:"v1"`       // score of generator_v1 at its first evaluation
	V1Split    string         `json:"v1_split"` // that this was on
	Cycles     []historyCycle `json:"cycles"`
	Last       state.Scores   `json:"last"`     // of the last candidate
	Split      string         `json:"split"`    // that it was scored on
	Interval   *gate.Interval `json:"interval"` // of its score there; null: see notes
	Promotions int            `json:"promotions"`
	Used       *comparedUsage `json:"used"` // by all applies of the project; null: nothing was measured

	evaluations []runtime.Evaluation // of the last decision
}

type comparedUsage struct {
	Seconds float64  `json:"seconds"`
	Tokens  uint64   `json:"tokens"`
	USD     *float64 `json:"usd"` // null: not all prices are known
}

// comparedPair is one run's last candidate against that of the first.
type comparedPair struct {
	Name       string         `json:"name"`
	Against    string         `json:"against"`
	Split      string         `json:"split"`      // "": none that both answered
	Difference *gate.Interval `json:"difference"` // paired; null: see notes
	Notes      []string       `json:"notes"`
}

// runGroup is the mean over runs of one recipe.
type runGroup struct {
	Name       string         `json:"name"`
	Runs       []string       `json:"runs"`
	Last       *gate.Interval `json:"last"`
	Gain       *gate.Interval `json:"gain"` // of the last candidate over generator_v1
	Promotions float64        `json:"promotions"`
	Notes      []string       `json:"notes"`
}

func compareCommand(ctx context.Context, w *world, o *compareOptions, args []string) error {
	if o.json && o.markdown {
		return usageError{errors.New("--json and --markdown are two forms of one output")}
	}
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(o.plot)), ".")
	if o.plot != "" && format != "png" && format != "svg" {
		return usageError{fmt.Errorf("--plot %s: its name must end in .png or .svg", o.plot)}
	}
	groups, dirs, err := o.grouped(args)
	if err != nil {
		return err
	}
	c := comparisonOf{Schema: "jupiter.compare/v1", Level: compareLevel, Runs: []comparedRun{}, Pairs: []comparedPair{}, Groups: []runGroup{}, Notes: []string{}}
	for _, dir := range dirs {
		if err := o.add(ctx, w, &c, dir); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	for _, r := range c.Runs[1:] {
		c.Pairs = append(c.Pairs, pairOf(r, c.Runs[0]))
	}
	for _, g := range groups {
		c.Groups = append(c.Groups, groupOf(g, c.Runs))
	}
	if o.plot != "" {
		picture, err := drawRuns(c.Runs, format)
		if err != nil {
			return err
		}
		if err := writeFile(o.plot, picture); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		return w.json(c)
	case o.markdown:
		viewCompare(markdownTable{w.out}, c)
	default:
		viewCompare(plainTable{w.out}, c)
	}
	return nil
}

// groupDirs is a --group.
type groupDirs struct {
	name string
	dirs []string
}

// grouped gives the groups, and all directories in the order in which they were named, each once.
func (o *compareOptions) grouped(args []string) (groups []groupDirs, dirs []string, err error) {
	add := func(dir string) {
		if dir = filepath.Clean(dir); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, a := range args {
		add(a)
	}
	for _, g := range o.groups {
		name, list, ok := strings.Cut(g, "=")
		one := groupDirs{name: name}
		for _, d := range strings.Split(list, ",") {
			if d == "" {
				ok = false
				break
			}
			add(d)
			one.dirs = append(one.dirs, filepath.Clean(d))
		}
		if !ok || name == "" {
			return nil, nil, usageError{fmt.Errorf("--group %q is not NAME=DIR,DIR", g)}
		}
		groups = append(groups, one)
	}
	if len(dirs) < 2 {
		return nil, nil, usageError{errors.New("a comparison takes two directories or more")}
	}
	return groups, dirs, nil
}

// add reads the histories of a project's cycles.
func (o *compareOptions) add(ctx context.Context, w *world, c *comparisonOf, dir string) error {
	return reading(ctx, w, &o.targetOptions, dir, func(p *project) error {
		cycles := p.cfg.Cycles
		if o.name != "" || len(cycles) == 0 {
			one, err := p.cycle(o.cycleOptions)
			if err != nil {
				return err
			}
			cycles = []*config.Cycle{one}
		}
		used, err := p.used(ctx)
		if err != nil {
			return err
		}
		for _, k := range cycles {
			f, err := p.runner.Facts(ctx, k.Addr)
			if err != nil {
				return err
			}
			if len(f.Decisions) == 0 {
				return fmt.Errorf("self_improvement.%s has no decided cycle yet: there is nothing to compare", k.Name)
			}
			r := newComparedRun(dir, k, f)
			r.Used = used
			if len(cycles) > 1 {
				r.Name += " " + k.Name
			}
			if r.evaluations, err = p.runner.Evaluations(ctx, &f.Decisions[len(f.Decisions)-1]); err != nil {
				c.Notes = append(c.Notes, fmt.Sprintf("%s has no interval: %v", r.Name, err))
			}
			r.level(c)
			c.Runs = append(c.Runs, r)
		}
		return nil
	})
}

func newComparedRun(dir string, k *config.Cycle, f plan.Facts) comparedRun {
	last := f.Decisions[len(f.Decisions)-1]
	r := comparedRun{Name: dir, Dir: dir, Cycle: k.Name, Weights: gate.Weights(k.Weights), Cycles: newHistory(f).Cycles, Last: last.Challenger, Split: last.Split}
	if len(f.Generators) > 0 {
		r.V1, r.V1Split = f.Generators[0].Score, f.Decisions[0].Split
	}
	for _, d := range f.Decisions {
		if d.Promoted > 0 {
			r.Promotions++
		}
	}
	return r
}

// level adds the interval of the last candidate's score, on the split that decided.
func (r *comparedRun) level(c *comparisonOf) {
	for _, e := range r.evaluations {
		if e.Split != r.Split {
			continue
		}
		in, err := gate.Level(e.Items, r.Weights, compareLevel)
		if err != nil {
			c.Notes = append(c.Notes, fmt.Sprintf("%s has no interval: %v", r.Name, err))
			return
		}
		r.Interval = &in
		if s := r.Last.Score; s != nil && (in.Mean-*s > 1e-9 || *s-in.Mean > 1e-9) {
			c.Notes = append(c.Notes, fmt.Sprintf("the weights of %s have changed since its last decision: its interval is of the score with those of now, %.4f, and not of %.4f", r.Name, in.Mean, *s))
		}
	}
}

// used adds up what all applies of a project took; nil where none has said.
func (p *project) used(ctx context.Context) (*comparedUsage, error) {
	runs, err := p.runs(ctx)
	if err != nil {
		return nil, err
	}
	var u *comparedUsage
	money, priced := 0.0, true
	for _, r := range runs {
		if r.Actual == nil {
			continue
		}
		if u == nil {
			u = &comparedUsage{}
		}
		u.Seconds += r.Actual.Seconds
		u.Tokens += r.Actual.PromptTokens + r.Actual.CompletionTokens
		if r.Actual.USD == nil {
			priced = false
			continue
		}
		money += *r.Actual.USD
	}
	if u != nil && priced {
		u.USD = &money
	}
	return u, nil
}

// pairOf compares the last candidates of two runs, on the gate pool where both opened it, else on dev.
func pairOf(r, first comparedRun) comparedPair {
	p := comparedPair{Name: r.Name, Against: first.Name, Notes: []string{}}
	if r.Weights != first.Weights {
		p.Notes = append(p.Notes, fmt.Sprintf("the weights differ: both are scored with those of %s here", first.Name))
	}
	for _, split := range []string{"gate", "dev"} {
		a, b := evaluationOn(r, split), evaluationOn(first, split)
		if a == nil || b == nil {
			continue
		}
		items, same := paired(a, b)
		if !same {
			p.Notes = append(p.Notes, "the items differ: each score is of its own items, and their difference is none of the models alone")
			return p
		}
		if names := differing(a.Judged, b.Judged); len(names) > 0 {
			p.Notes = append(p.Notes, "they were judged differently: "+list(names)+" differ")
		}
		in, err := gate.Difference(items, first.Weights, compareLevel)
		if err != nil {
			p.Notes = append(p.Notes, "no difference can be had: "+err.Error())
			return p
		}
		p.Split, p.Difference = split, &in
		return p
	}
	p.Notes = append(p.Notes, "the answers of one of them are no longer stored")
	return p
}

func evaluationOn(r comparedRun, split string) *runtime.Evaluation {
	for i := range r.evaluations {
		if r.evaluations[i].Split == split {
			return &r.evaluations[i]
		}
	}
	return nil
}

// paired puts two candidates' answers to the same items beside each other; false: they are not the same items.
func paired(a, b *runtime.Evaluation) ([]gate.Item, bool) {
	if a.Benchmark == "" || a.Benchmark != b.Benchmark || len(a.Items) != len(b.Items) {
		return nil, false
	}
	by := map[string]gate.Components{}
	for _, it := range b.Items {
		by[it.ID] = it.Challenger
	}
	items := make([]gate.Item, len(a.Items))
	for i, it := range a.Items {
		other, ok := by[it.ID]
		if !ok {
			return nil, false
		}
		items[i] = gate.Item{ID: it.ID, Cluster: it.Cluster, Challenger: it.Challenger, Incumbent: other}
	}
	return items, true
}

// differing are the names of parts that are not the same on both sides.
func differing(a, b map[string]string) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(n string) bool {
		x, inA := a[n]
		y, inB := b[n]
		return inA == inB && x == y
	})
}

// groupOf is the mean over the runs of a group. A run whose score is not known is left out, which is said.
func groupOf(g groupDirs, runs []comparedRun) runGroup {
	out := runGroup{Name: g.name, Runs: []string{}, Notes: []string{}}
	var last, gain []float64
	splits, apart := map[string]bool{}, false
	for _, r := range runs {
		if !slices.Contains(g.dirs, r.Dir) {
			continue
		}
		if r.Last.Score == nil {
			out.Notes = append(out.Notes, r.Name+" has no score, and is left out")
			continue
		}
		out.Runs = append(out.Runs, r.Name)
		out.Promotions += float64(r.Promotions)
		last = append(last, *r.Last.Score)
		splits[r.Split] = true
		if r.V1 != nil {
			gain = append(gain, *r.Last.Score-*r.V1)
			apart = apart || r.V1Split != r.Split
		}
	}
	if n := len(out.Runs); n > 0 {
		out.Promotions /= float64(n)
	}
	if len(splits) > 1 {
		out.Notes = append(out.Notes, "the last scores are of different splits: of the gate pool where it was opened, of dev elsewhere")
	}
	if apart {
		out.Notes = append(out.Notes, "v1 and the last candidate of a run were scored on different splits, so the gain has the difference of their items in it")
	}
	over := func(values []float64) *gate.Interval {
		in, err := gate.Runs(values, compareLevel)
		if err != nil {
			if !slices.Contains(out.Notes, err.Error()) {
				out.Notes = append(out.Notes, err.Error())
			}
			return nil
		}
		return &in
	}
	out.Last, out.Gain = over(last), over(gain)
	return out
}
