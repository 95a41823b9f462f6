package plan

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plan/addr"
	"jupiter/plan/config"
)

// RefusedError is a plan that the configuration itself forbids.
type RefusedError struct{ Diags hcl.Diagnostics }

func (e *RefusedError) Error() string { return e.Diags.Error() }

// refuse says that prevent_destroy forbids what a plan would do to the result at an address.
func refuse(s *config.Stage, at addr.Address, why string) error {
	rng := s.Attrs["lifecycle.prevent_destroy"].Range
	return &RefusedError{hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Protected result", Subject: &rng,
		Detail: fmt.Sprintf("%s has prevent_destroy = true, and %s: %s. Take the change back, name the attribute in ignore_changes, or set prevent_destroy to false.", s.Addr, why, at)}}}
}

// protect refuses a change that would throw away what a protected stage has made because its own block says something
// else now. New data are no such change: a stage that runs again on them was meant to.
func protect(a *Action, ch Change, rec Recorded) error {
	s := a.Stage
	if s == nil || !s.Lifecycle.PreventDestroy || ch.Op == Create || ch.Op == NoOp {
		return nil
	}
	if a.Replace {
		return refuse(s, a.Address, "this plan replaces its result")
	}
	if a.Kind == Train && rec.Begun(string(a.Address)) == nil {
		return nil // history stays as it is, whatever the next window is trained with
	}
	for _, r := range ch.Reasons {
		if r.Code == ConfigChanged && r.File != "" {
			return refuse(s, a.Address, fmt.Sprintf("%s at %s:%d has changed since, so that its result would be made anew", r.Names[0], r.File, r.Line))
		}
	}
	return nil
}

// ignoreChanges gives stages the recorded values of what their ignore_changes names, so that a plan and the calls that
// come of it go on with them. A stage without a recorded result keeps what is written.
func ignoreChanges(cfg *config.Config, rec Recorded, x *expander) error {
	for _, c := range cfg.Cycles {
		for _, s := range []*config.Stage{c.Generator, c.Successor, c.Base, c.Trainer, c.Exporter, c.Evaluator, c.Domain.Verifier} {
			if err := ignore(c, s, rec, x); err != nil {
				return err
			}
		}
		for _, s := range c.Filters {
			if err := ignore(c, s, rec, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func ignore(c *config.Cycle, s *config.Stage, rec Recorded, x *expander) error {
	if s == nil || len(s.Lifecycle.IgnoreChanges) == 0 {
		return nil
	}
	parts, prefix := recordedParts(c, s, rec, x)
	if parts == nil {
		return nil
	}
	values := s.Body.Value.AsValueMap()
	for _, name := range s.Lifecycle.IgnoreChanges {
		switch name {
		case "seed":
			s.Seed = number(parts, "seed", s.Seed)
			continue
		case "save_every_steps":
			s.SaveEverySteps = number(parts, "save_every_steps", s.SaveEverySteps)
			continue
		}
		ty := values[name].Type()
		text, ok := parts[prefix+"config."+name]
		if !ok {
			values[name] = cty.NullVal(ty)
			continue
		}
		v, err := ctyjson.Unmarshal([]byte(text), ty)
		if err != nil {
			return fmt.Errorf("%s: the recorded value of %s, which ignore_changes keeps, is none of its type now: %w", s.Addr, name, err)
		}
		values[name] = v
	}
	s.Body.Value = cty.ObjectVal(values)
	return nil
}

func number(parts map[string]string, name string, or uint64) uint64 {
	if n, err := strconv.ParseUint(parts[name], 10, 64); err == nil {
		return n
	}
	return or
}

// recordedParts finds the last recorded action that a stage's configuration was a part of, and the prefix of its names
// there; nil: none.
func recordedParts(c *config.Cycle, s *config.Stage, rec Recorded, x *expander) (map[string]string, string) {
	type place struct {
		at     addr.Address
		prefix string
	}
	var places []place
	evaluated, measured := x.at(c.Evaluator.Addr, c), x.at(c.Addr.Child("guard"), c)
	switch {
	case s == c.Base:
		places = append(places, place{x.at(s.Addr, c).Index(1), ""})
	case s.Kind == "trainer" || s.Kind == "filter":
		places = append(places, place{x.at(s.Addr, c), ""})
	case s.Kind == "generator":
		for _, t := range c.Domain.Templates {
			places = append(places, place{x.at(t.Addr, c), ""})
		}
		places = append(places, place{measured, "runner."})
	default:
		places = append(places, place{evaluated, s.Kind + "."}, place{measured, s.Kind + "."})
	}
	for _, p := range places {
		if last := rec.Last(string(p.at)); last != nil && last.Parts[p.prefix+"type"] == s.Type {
			return last.Parts, p.prefix
		}
	}
	return nil, ""
}
