package plan

import (
	"errors"
	"fmt"
	"io/fs"

	"jupiter/plan/config"
	"jupiter/state"
)

// ImportOf is the import of a model from elsewhere for one of a cycle's stages: its generator, which is to run it, or its
// trainer, which is to start from it. digest is that of the file or directory, as Probe.File gives it. What the stage
// is told belongs to the identity: a trainer refuses a model of another shape than its own.
func ImportOf(cfg *config.Config, c *config.Cycle, s *config.Stage, from *config.Import, digest string) (*Action, error) {
	x := &expander{single: len(cfg.Cycles) == 1}
	return x.importOf(c, s, from, digest)
}

func (x *expander) importOf(c *config.Cycle, s *config.Stage, from *config.Import, digest string) (*Action, error) {
	a := &Action{Address: x.at(s.Addr.Child("import"), c), Kind: Import, Cycle: c, Domain: c.Domain, Stage: s, Import: from, Title: "import " + from.Written}
	a.part("for", s.Kind)
	if err := a.stage("", s); err != nil {
		return nil, err
	}
	a.Parts = append(a.Parts, Part{Name: "file", Value: digest, Range: s.Attrs[from.Attr].Range})
	return a, nil
}

// importing expands the import that a block asks for.
func (x *expander) importing(c *config.Cycle, s *config.Stage) (*Action, error) {
	digest, err := x.probe.File(s.Import.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no %s, which %s names", s.Addr, s.Import.Written, s.Import.Attr)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s %s: %w", s.Addr, s.Import.Attr, s.Import.Written, err)
	}
	a, err := x.importOf(c, s, s.Import, digest)
	if err != nil {
		return nil, err
	}
	return x.add(a), nil
}

// beginning is the input "base" of what is trained from trainer t's start on: the import at the root of its chain, which is
// among the actions already; nil: training begins with nothing. An adapter's checkpoints build on it, and so two starts are two
// results, however far training is.
func (x *expander) beginning(t *config.Stage) *Input {
	for t.Start != nil {
		t = t.Start
	}
	for _, a := range *x.out {
		if a.Kind == Import && a.Stage == t {
			return &Input{Name: "base", From: a, Output: "checkpoint", Range: t.Attrs["start"].Range}
		}
	}
	return nil
}

// on adds the base that an action's checkpoints build on, if there is one.
func (a *Action) on(base *Input) {
	if base != nil {
		a.Inputs = append(a.Inputs, *base)
	}
}

// AdoptOf is what makes an imported model the base generator of a cycle, by the model's digest.
func AdoptOf(cfg *config.Config, c *config.Cycle, model string) *Action {
	x := &expander{single: len(cfg.Cycles) == 1}
	a := x.adopt(c)
	a.input("model", model, "")
	return a
}

// begun says what a cycle that has begun no longer takes from its configuration: the models from elsewhere that it began
// with are history, so a block that names another one, or a file that has changed since, has no effect.
func (x *expander) begun(c *config.Cycle, f Facts, rec Recorded) (notes []string) {
	last := func(s *config.Stage) *state.ActionRecord { return rec.Last(string(x.at(s.Addr.Child("import"), c))) }
	note := func(s *config.Stage, output, digest, what, made string) {
		if s.Import == nil {
			return
		}
		r := last(s)
		if r == nil || r.Outputs[output].Digest != digest {
			notes = append(notes, fmt.Sprintf("%s says %s = %q, and %s. It has no effect on a cycle that has begun: a self_improvement block of another name begins with it",
				s.Addr, s.Import.Attr, s.Import.Written, made))
			return
		}
		// A file that is gone is no matter: what it held is in the store.
		if now, err := x.probe.File(s.Import.Path); err == nil && now != r.Parts["file"] {
			notes = append(notes, fmt.Sprintf("%s is not what %s was made from: %s → %s. What was made stays; a self_improvement block of another name begins with what the file holds now",
				s.Import.Written, what, short(r.Parts["file"]), short(now)))
		}
	}
	if len(f.Generators) > 0 {
		note(c.Generator, "model", f.Generators[0].Digest, "generator_v1", "generator_v1 is another model")
		if r := last(c.Generator); c.Generator.Model != "" && r != nil && r.Outputs["model"].Digest == f.Generators[0].Digest {
			notes = append(notes, fmt.Sprintf("generator_v1 was imported, and %s says model = %s: it has no effect on a cycle that has begun", c.Generator.Addr, c.Generator.Model))
		}
	}
	behind, at := f.Behind(), f.Start()
	switch e := f.imported(); {
	case len(behind) > 0 && !f.Restart:
		note(c.Trainer, "checkpoint", behind[0].StartCheckpoint, "the student's start", "the student started from something else")
	case at == "": // the student begins, or begins again, with what the block says
	case len(f.Decisions) > 0:
		note(c.Trainer, "checkpoint", at, "the student's start", "the student starts from something else")
	case e != nil && c.Trainer.Import != nil && !x.same(c, at, rec):
		notes = append(notes, fmt.Sprintf("the student starts from an import%s, and not from start = %q of %s: jupiter import %s %s takes that model",
			because(*e), c.Trainer.Import.Written, c.Trainer.Addr, c.Trainer.Addr, c.Trainer.Import.Written))
	}
	return notes
}

// same says whether the start that a cycle's trainer names is what a person has imported: the import that the block asks for has
// come to that checkpoint, or the last one has and took the same file, under other attributes. A file that is gone is no matter.
func (x *expander) same(c *config.Cycle, checkpoint string, rec Recorded) bool {
	is := func(r *state.ActionRecord) bool { return r != nil && r.Outputs["checkpoint"].Digest == checkpoint }
	last := rec.Last(string(x.at(c.Trainer.Addr.Child("import"), c)))
	file, err := x.probe.File(c.Trainer.Import.Path)
	if is(last) && (err != nil || last.Parts["file"] == file) {
		return true
	}
	a, err := x.importOf(c, c.Trainer, c.Trainer.Import, file)
	return err == nil && is(rec.Action(a.Identify(nil).ID))
}
