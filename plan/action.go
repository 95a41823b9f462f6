package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/schema"
)

// Kind says what an action does.
type Kind string

// The kinds, in the order in which a cycle meets them.
const (
	Collect   Kind = "collect"   // a source's records
	Benchmark Kind = "benchmark" // the sealed questions
	Real      Kind = "real"      // what the sources gave, less what the benchmark holds
	Generate  Kind = "generate"  // raw samples of one template
	Verify    Kind = "verify"    // what the verifier and the seal let through
	Filter    Kind = "filter"    // what one filter keeps
	Pool      Kind = "pool"      // the synthetic records of this and earlier generations
	Mix       Kind = "mix"       // the draws of one window
	Train     Kind = "train"     // one window of optimizer steps
	Select    Kind = "select"    // the window's best checkpoint, exported
	Validate  Kind = "validate"  // one model's scores on the validation split
	Export    Kind = "export"    // a checkpoint in the generator's format
	Measure   Kind = "measure"   // what the guard wants to know of a model
	Evaluate  Kind = "evaluate"  // both contestants' answers on one split
	Import    Kind = "import"    // a model from elsewhere, in the format of the stage that it is for
	Adopt     Kind = "adopt"     // the base generator becomes version 1
	Promote   Kind = "promotion" // the decision
	Pin       Kind = "pin"       // the generator that the configuration pins
)

// Part is one thing that an action's result depends on, other than its inputs.
type Part struct {
	Name   string // "config.learning_rate", "seed", "window"
	Value  string // canonical
	Effect schema.Effect
	Range  hcl.Range // where it was written; empty for a default and the core's own
	Block  hcl.Range // the block that it is written in, or would be; empty for the core's own
}

// Input is an artifact that an action reads: either one whose digest is known, or an output of another action.
type Input struct {
	Name   string
	Digest string    // known already
	From   *Action   // else: this action's
	Output string    // output; "*" takes all of them
	Label  string    // for people: "v1"
	Range  hcl.Range // the attribute that names it; empty: it follows from the cycle's own course
}

// Window is a span of optimizer steps with a learning-rate schedule of its own.
type Window struct {
	Index      uint64 // 0 for the first
	Start, End uint64 // steps
	Total      uint64 // steps of the whole run
	Records    uint64 // that the trainer reads in the window
}

// Action is one memoised unit of work. Two actions with equal IDs give the same result, so the recorded result of one
// stands for the other.
type Action struct {
	Address  addr.Address
	Kind     Kind
	Title    string // for people: "steps 1600 → 3200 of 6400"
	Cycle    *config.Cycle
	Stage    *config.Stage // the stage that does it; nil: the core
	Source   *config.Source
	Template *config.Template
	Import   *config.Import // import: where the model lies
	Domain   *config.Domain
	Judges   *Judges // what judges models on the way
	Window   Window
	Samples  uint64 // generate

	// Models are the trainers that make the models which the action runs, one a model; nil: not a model of ours. They shape
	// a forecast and nothing else.
	Models []*config.Stage

	Parts  []Part
	Inputs []Input

	blocks map[string]hcl.Range // where a part that has gone was written: of a stage by its prefix, else by the part's name

	Refs    []string  // paths that its stages' attributes refer to: an input each, see RefInput
	After   []*Action // done before it without handing it anything: depends_on
	Replace bool      // runs although its result is recorded
}

// Judges is what a model is exported, run and scored with.
type Judges struct {
	Runner    *config.Stage // generator block that runs exported students
	Exporter  *config.Stage
	Evaluator *config.Stage
	Verifier  *config.Stage // nil: none
	Weights   config.Weights
	Samples   uint64 // that the guard compares of a model
}

// Identity is an action's two names. ID owns the memo. Lineage leaves out what only advances or is operational: it owns
// partial results, so that asking for more keeps what is there.
type Identity struct {
	ID      string
	Lineage string
	Parts   map[string]string
	Seed    uint64 // a pure function of some parts of the lineage, see seedParts
}

// seedParts are what a seed is made from, where an action has them: the user's seed, the window or cycle, and what a
// generator writes from. The other parts do not enter: two learning rates, two mixes or two versions of a plugin are
// compared on the same initial weights, the same order of draws and the same dropout.
var seedParts = []string{"kind", "seed", "window", "cycle", "bucket", "prompt", "system_prompt", "values", "examples", "input.generator"}

// Identify names the action, given the digest of each input.
func (a *Action) Identify(inputs map[string]string) Identity {
	parts, lineage := a.identity(inputs), a.lineage(inputs)
	seed := map[string]string{}
	for _, name := range seedParts {
		if v, ok := lineage[name]; ok {
			seed[name] = v
		}
	}
	return Identity{ID: actionID(parts), Lineage: lineageID(lineage), Parts: parts, Seed: binary.BigEndian.Uint64(sum("seed", seed))}
}

// identity is every part that the ID is made of.
func (a *Action) identity(inputs map[string]string) map[string]string {
	return a.gather(inputs, func(e schema.Effect) bool { return e != schema.None })
}

// lineage is every part that the lineage is made of.
func (a *Action) lineage(inputs map[string]string) map[string]string {
	return a.gather(inputs, func(e schema.Effect) bool { return e == schema.Rerun })
}

func (a *Action) gather(inputs map[string]string, counts func(schema.Effect) bool) map[string]string {
	parts := make(map[string]string, 1+len(a.Parts)+len(inputs))
	parts["kind"] = string(a.Kind)
	for _, p := range a.Parts {
		if counts(p.Effect) {
			parts[p.Name] = p.Value
		}
	}
	for name, digest := range inputs {
		parts["input."+name] = digest
	}
	return parts
}

// actionID is the ID of the action with these parts.
func actionID(parts map[string]string) string { return hash("action", parts) }

// lineageID is the lineage of the action with these parts.
func lineageID(parts map[string]string) string { return hash("lineage", parts) }

func hash(label string, parts map[string]string) string {
	return hex.EncodeToString(sum(label, parts))
}

// sum is the SHA-256 of a set of parts in JSON, keys sorted, under a domain-separating label.
func sum(label string, parts map[string]string) []byte {
	h := sha256.New()
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(partsJSON(parts))
	return h.Sum(nil)
}

// part adds a part that the core owns.
func (a *Action) part(name, value string) { a.Parts = append(a.Parts, Part{Name: name, Value: value}) }

func (a *Action) number(name string, n uint64) { a.part(name, strconv.FormatUint(n, 10)) }

// block is a block of the configuration: its attributes, and where it begins.
type block struct {
	attrs map[string]config.Attr
	at    hcl.Range
}

// core adds a part that stands for an attribute of a block: the one of its name, or the first of names that is written.
func (a *Action) core(name, value string, effect schema.Effect, b block, names ...string) {
	p := Part{Name: name, Value: value, Effect: effect, Block: b.at}
	for _, n := range append(names, name) {
		if at, ok := b.attrs[n]; ok {
			p.Range = at.Range
			break
		}
	}
	a.Parts = append(a.Parts, p)
}

// stage adds what identifies a plugin's stage and its configuration, under a prefix, and what each call tells it of the
// domain: a filter that goes by the domain's language gives something else for another one. A
// secret is no part of it.
func (a *Action) stage(prefix string, s *config.Stage) error {
	return a.body(prefix, s.Type, s.Body, s.Range)
}

// body is stage for any block that speaks to a plugin.
func (a *Action) body(prefix, typ string, b config.Body, at hcl.Range) error {
	a.gone(prefix, at)
	if a.Domain != nil && !slices.ContainsFunc(a.Parts, func(p Part) bool { return p.Name == "domain" }) {
		a.part("domain", domainText(a.Domain))
	}
	a.Parts = append(a.Parts, Part{Name: prefix + "type", Value: typ, Block: at})
	a.number(prefix+"revision", uint64(b.Schema.Revision))
	for _, name := range sorted(b.Refs) {
		path := string(b.Refs[name])
		a.Parts = append(a.Parts, Part{Name: prefix + "config." + name, Value: path, Range: b.Attrs[name].Range, Block: at})
		if !slices.Contains(a.Refs, path) {
			a.Refs = append(a.Refs, path)
		}
	}
	if b.Value.IsNull() {
		return nil
	}
	values := b.Value.AsValueMap()
	for _, name := range sorted(values) {
		def := attribute(b.Schema, name)
		if def.Sensitive || values[name].IsNull() {
			continue // an attribute that is not set is no part: a new optional attribute makes nothing stale
		}
		v, err := schema.CanonicalJSON(b.Schema.Decisive(name, values[name]))
		if err != nil {
			return err
		}
		a.Parts = append(a.Parts, Part{Name: prefix + "config." + name, Value: string(v), Effect: def.Effect, Range: b.Attrs[name].Range, Block: at})
	}
	return nil
}

// attribute is what a schema says of an attribute; nothing where the name is a block's.
func attribute(s *schema.Stage, name string) schema.Attribute {
	for _, at := range s.Attributes {
		if at.Name == name {
			return at
		}
	}
	return schema.Attribute{}
}

// input adds an input whose digest is known.
func (a *Action) input(name, digest, label string) {
	if digest != "" {
		a.Inputs = append(a.Inputs, Input{Name: name, Digest: digest, Label: label})
	}
}

// gone says where a part, or those of a stage, would be written that the action has no more.
func (a *Action) gone(name string, at hcl.Range) {
	if a.blocks == nil {
		a.blocks = map[string]hcl.Range{}
	}
	a.blocks[name] = at
}

// named adds an input whose digest is known, and which an attribute names.
func (a *Action) named(name, digest string, at config.Attr) {
	a.Inputs = append(a.Inputs, Input{Name: name, Digest: digest, Range: at.Range})
}

// from adds an input that another action gives.
func (a *Action) from(name string, other *Action, output string) {
	a.Inputs = append(a.Inputs, Input{Name: name, From: other, Output: output})
}
