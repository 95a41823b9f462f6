package plan

import (
	"fmt"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

// DriftKind says what was changed.
type DriftKind string

// The kinds of drift.
const (
	LinkDrift     DriftKind = "link"     // a generator's symbolic link does not follow the state
	ArtifactDrift DriftKind = "artifact" // bytes that are recorded are gone or damaged
	ModelDrift    DriftKind = "model"    // a served generator runs another model than the one that was recorded
	SourceDrift   DriftKind = "source"   // a source holds something else than when it was read
)

// Fix says what comes of a drift.
type Fix string

// The fixes.
const (
	FixRepair Fix = "repair" // an apply puts it right by itself: a change of its own
	FixChange Fix = "change" // a line of the plan puts it right
	FixPerson Fix = "person" // nothing that an apply does puts it right
)

// Drift is one thing that was changed outside of Jupiter: a file, a link, a source. What a changed configuration asks for
// is no drift.
type Drift struct {
	Kind    DriftKind    `json:"kind"`
	Address addr.Address `json:"address"` // that it belongs to
	Name    string       `json:"name"`    // path of a link, digest of an artifact; "" for a source
	Detail  string       `json:"detail"`
	Fix     Fix          `json:"fix"`
	Remedy  string       `json:"remedy"` // what happens, or what a person can do; a sentence
	Blocks  bool         `json:"blocks"` // the next turn of its cycle cannot run for it
	Version uint64       `json:"version,omitempty"`
}

// SourceError is a source that cannot be looked at: it is gone, or does not answer.
type SourceError struct {
	Address   addr.Address
	Collected bool // what it held at some time is recorded
	Err       error
}

func (e *SourceError) Error() string { return fmt.Sprintf("%s: %v", e.Address, e.Err) }

func (e *SourceError) Unwrap() error { return e.Err }

// AddDrift puts drift into a plan and counts what an apply repairs.
func (p *Plan) AddDrift(all ...Drift) {
	for _, d := range all {
		p.Drift = append(p.Drift, d)
		if d.Fix == FixRepair {
			p.Summary.Repair++
		}
	}
}

// NeedsPerson says whether something was found that nothing but a person puts right.
func (p *Plan) NeedsPerson() bool {
	for _, d := range p.Drift {
		if d.Fix == FixPerson {
			return true
		}
	}
	return false
}

// FindDrift lists what a plan, made from the same records, found changed: its own lines that run because of it, and the
// facts of each cycle whose bytes are not what they were. History is not made again by a line of a plan, so that a model
// in use that is gone has to be found here.
func FindDrift(p *Plan, cfg *config.Config, rec Recorded) ([]Drift, error) {
	rec = afterMoves(rec, p.Moves)
	var all []Drift
	for _, ch := range p.Changes {
		for _, r := range ch.Reasons {
			d := Drift{Address: ch.Address, Fix: FixChange}
			switch r.Code {
			case SourceChanged:
				d.Kind, d.Detail, d.Remedy = SourceDrift, "the source holds something else than when it was read", "It is read again."
			case ModelChanged:
				d.Kind, d.Detail, d.Remedy = ModelDrift, "the model that it names is another one than when it was recorded", "It becomes the next version of the generator."
			case ArtifactMissing, ArtifactDamaged:
				d.Kind, d.Name, d.Remedy = ArtifactDrift, r.Names[0], "It is made again."
				d.Detail = "its result " + lost(rec, r.Names[0])
			default:
				continue
			}
			all = append(all, d)
		}
	}
	if p.Options.Destroy {
		return nil, nil // what is about to be forgotten is not put right
	}
	for i, c := range cfg.Cycles {
		more, err := driftOfCycle(c, rec, p.Cycles[i].Terminal == Running && !p.Options.Partial())
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// lost says how an artifact is lost.
func lost(rec Recorded, digest string) string {
	if rec.Damaged(digest) {
		return "is damaged"
	}
	return "is gone"
}

// driftOfCycle looks at the facts of one cycle: the models of its generators, and what its next turn begins with.
func driftOfCycle(c *config.Cycle, rec Recorded, running bool) ([]Drift, error) {
	f := rec.Facts(c.Addr)
	var all []Drift
	for _, g := range f.Generators {
		if g.Released || rec.Has(g.Digest) {
			continue
		}
		d := Drift{Kind: ArtifactDrift, Address: c.Addr, Name: g.Digest, Fix: FixPerson, Version: g.Version}
		d.Detail = fmt.Sprintf("the model of generator_v%d %s", g.Version, lost(rec, g.Digest))
		current := g.Version == f.Current
		if current {
			d.Detail = fmt.Sprintf("the model of generator_v%d, which is in use, %s", g.Version, lost(rec, g.Digest))
		}
		again, err := ExportAgain(c, g, rec)
		switch {
		case err != nil:
			return nil, err
		case again != nil:
			d.Fix, d.Remedy = FixRepair, "It is exported again from its checkpoint."
		case current:
			d.Blocks = running
			d.Remedy = putBack(f, rec, "go back to another generator")
		default:
			d.Remedy = putBack(Facts{}, rec, "") + " Until then nothing can go back to it."
		}
		all = append(all, d)
	}
	if !running {
		return all, nil
	}
	if at := f.Start(); at != "" && !rec.Has(at) {
		all = append(all, Drift{Kind: ArtifactDrift, Address: c.Trainer.Addr, Name: at, Fix: FixPerson, Blocks: true,
			Detail: fmt.Sprintf("the checkpoint of step %d, which the next window starts from, %s", f.Step(), lost(rec, at)),
			Remedy: putBack(f, rec, "set the student back with the generator")})
	}
	if at := f.Base(); at != "" && at != f.Start() && !rec.Has(at) {
		all = append(all, Drift{Kind: ArtifactDrift, Address: c.Trainer.Addr, Name: at, Fix: FixPerson, Blocks: true,
			Detail: fmt.Sprintf("the imported model that the student began with, which the checkpoint of step %d may build on, %s", f.Step(), lost(rec, at)),
			Remedy: putBack(Facts{}, rec, "")})
	}
	if at := f.Pool(); at != "" && c.Pool == "accumulate" && hasSynthetic(c, Ratio(c)) && !rec.Has(at) {
		all = append(all, Drift{Kind: ArtifactDrift, Address: c.Addr.Child("pool"), Name: at, Fix: FixPerson, Blocks: true,
			Detail: fmt.Sprintf("the pool of epoch %d, with the samples of the cycles so far, %s", len(f.Decisions), lost(rec, at)),
			Remedy: putBack(Facts{}, rec, "") + ` Or do without them: pool = "replace".`})
	}
	return all, nil
}

// putBack says what a person can do about a fact that is lost: bring the bytes back, or, where there is a generator to
// go back to, roll back.
func putBack(f Facts, rec Recorded, purpose string) string {
	text := "Put it back from a copy of the project."
	for i := len(f.Generators) - 1; i >= 0; i-- {
		g := f.Generators[i]
		if g.Version < f.Current && !g.Withdrawn && !g.Released && rec.Has(g.Digest) {
			return fmt.Sprintf("%s Or %s: jupiter rollback --to %d.", text, purpose, g.Version)
		}
	}
	return text
}

// baseOf is the imported checkpoint that the training of a generator began with; "": none.
func baseOf(c *config.Cycle, g state.Generator, rec Recorded) string {
	for _, d := range rec.Facts(c.Addr).Decisions {
		if d.Promoted == g.Version {
			return d.Inputs["base"]
		}
	}
	if made := rec.Action(g.CreatedBy); made != nil { // the base generator's adoption
		return made.Parts["input.base"]
	}
	return ""
}

// ExportAgain is the export that gave a generator its model, where its checkpoint is there and the exporter is still the
// one that made it; nil else. Running it gives the same bytes again.
func ExportAgain(c *config.Cycle, g state.Generator, rec Recorded) (*Action, error) {
	if g.Checkpoint == "" || c.Exporter == nil || !rec.Has(g.Checkpoint) {
		return nil, nil
	}
	base := baseOf(c, g, rec)
	if base != "" && !rec.Has(base) {
		return nil, nil
	}
	a, err := ExportOf(c.Trainer.Addr, judges(c), g.Checkpoint, base)
	if err != nil {
		return nil, err
	}
	inputs, _ := a.Resolve(nil)
	was := rec.Action(a.Identify(inputs).ID)
	if was == nil || was.Outputs["model"].Digest != g.Digest {
		return nil, nil
	}
	a.Address = addr.Address(was.Address)
	return a, nil
}
