// Package conformance holds a plugin to the protocol's contract, whatever language it is written in.
//
// The suite starts the executable through the host, as a run would, and asks it rule by rule (rule.go): of the plugin as a
// whole, then of each stage that it offers, with calls that are small but whole. A rule is kept, broken, or not checked. Not
// checked is never taken for kept: it says why, such as that an exporter needs a checkpoint and nothing gave one.
//
// What a stage needs for a call is made here (material.go), comes from its schema's defaults and Options.Config, or from
// another stage of the same plugin: a trainer's checkpoint goes to the exporter that consumes its media type, and what
// comes out of that to the generator that runs it. A stage whose plain call fails with an error of its own is taken for
// not configured, and its other rules are not checked. Once the plain call works an error anywhere is a broken rule.
//
// Each rule that is broken costs the plugin its process: the next one begins with a new one, so that one fault does not
// count twice.
//
// The suite does not prove anything. It finds what it looks for: a plugin may break a rule with other inputs.
package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"jupiter/plugins/host"
)

// Options say what is tested, and how.
type Options struct {
	Program host.Program // TLS "" is TLSDetect
	Wrapper []string     // starts plugins confined; see host.Options
	Version string       // of the host
	Env     []string     // the parent's environment
	Dir     string       // where relative paths of Config begin; "": a directory of the suite's own

	Config map[string]json.RawMessage // by stage, "trainer llama": attributes that the defaults do not give
	Stage  string                     // the only stage to test, "trainer llama"; "": all
	Rules  *regexp.Regexp             // the only rules to check; nil: all

	Model, Checkpoint  string // files or directories for stages that read one, in the place of what the plugin itself makes
	Import             string // a model from elsewhere, for stages that take such
	Records, Questions string // files in the place of the suite's own; see material.go

	Timeout time.Duration // of one call; 0: a minute
	Grace   time.Duration // from Stop to the end of a call; 0: the host's 30 s
	Many    int           // records of the memory rules; 0: 100,000
	Memory  uint64        // that these may cost, in bytes; 0: 256 MiB

	Done func(Result) // is told each result as it comes; nil: nobody
}

func (o Options) withDefaults() Options {
	o.Timeout, o.Grace = cmp.Or(o.Timeout, time.Minute), cmp.Or(o.Grace, 30*time.Second)
	o.Many, o.Memory = cmp.Or(o.Many, 100_000), cmp.Or(o.Memory, 256<<20)
	o.Program.TLS = cmp.Or(o.Program.TLS, host.TLSDetect)
	return o
}

// Run checks a plugin. Its error says that the suite could not do its work: a plugin that does not even start is one, as is
// the end of ctx. Rules that are broken are in the report.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	dir, err := os.MkdirTemp("", "jupiter-conformance-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if gone := os.RemoveAll(dir); err == nil {
			err = gone
		}
	}()
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	b := &bench{Options: o.withDefaults(), dir: dir, stdout: &writes{}, report: &Report{Schema: Schema, Path: o.Program.Path, Results: []Result{}}}
	b.Dir = cmp.Or(b.Dir, dir)
	defer b.close()
	if err := b.meet(ctx); err != nil {
		return nil, err
	}
	if err := b.known(); err != nil {
		return nil, err
	}
	if err := b.all(ctx); err != nil {
		return nil, err
	}
	if len(b.report.Results) == 0 {
		return nil, fmt.Errorf("no rule is called like %q that the plugin, or the stage that was chosen, has to keep; docs/conformance.md lists them", b.Rules)
	}
	return b.report, nil
}

// all checks the rules of the plugin, then those of each stage.
func (b *bench) all(ctx context.Context) error {
	whole := &subject{bench: b, broken: map[string]bool{}}
	for _, r := range rules {
		if r.kinds == nil && !r.last {
			if err := b.check(ctx, r, whole); err != nil {
				return err
			}
		}
	}
	for _, s := range b.subjects() {
		for _, r := range rules {
			if slices.Contains(r.kinds, s.kind()) && (b.chosen(s) || r.needed && makes(s)) {
				if err := b.check(ctx, r, s); err != nil {
					return err
				}
			}
		}
	}
	for _, r := range rules {
		if r.last {
			if err := b.check(ctx, r, whole); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosen says whether a stage is to be tested. The plugin as a whole always is.
func (b *bench) chosen(s *subject) bool {
	return s.schema == nil || b.Stage == "" || b.Stage == s.name()
}

// makes says whether other stages may read what a stage makes, so that its plain call is made in any case.
func makes(s *subject) bool { return s.kind() == "trainer" || s.kind() == "exporter" }

// check checks one rule, and gives the plugin a new process where it broke it.
func (b *bench) check(ctx context.Context, r *rule, s *subject) error {
	if b.Rules != nil && !b.Rules.MatchString(r.ID) && !r.needed {
		return nil
	}
	began := time.Now()
	err := s.ready(r)
	if err == nil {
		err = r.check(ctx, s)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	res := Result{Rule: r.ID, Stage: s.name(), Outcome: Kept, Promise: r.About, Where: r.Where, Seconds: time.Since(began).Seconds()}
	res.Outcome, res.Reason = outcome(err)
	if b.chosen(s) && (b.Rules == nil || b.Rules.MatchString(r.ID)) {
		b.report.add(res)
		if b.Done != nil {
			b.Done(res)
		}
	}
	if res.Outcome == Broken {
		s.broken[r.ID] = true
		return b.renew()
	}
	return nil
}

// known refuses names of stages that the plugin does not offer: a slip there would leave out what was to be tested.
func (b *bench) known() error {
	var names []string
	for _, s := range b.subjects() {
		names = append(names, s.name())
	}
	if b.offered == nil { // the host makes no stages of it
		return nil
	}
	for name := range b.Config {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the configuration is for %s, and the plugin offers %q", name, names)
		}
	}
	if b.Stage != "" && !slices.Contains(names, b.Stage) {
		return fmt.Errorf("there is no stage %s: the plugin offers %q", b.Stage, names)
	}
	return nil
}
