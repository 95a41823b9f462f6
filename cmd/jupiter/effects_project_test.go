package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/schema"
	"jupiter/state"
)

// effectLab plans the quickstart with its real stages, where it lies, with some of its text replaced in memory. What its
// probe asks is asked once.
type effectLab struct {
	t     *testing.T
	host  *host.Host
	files map[string]string // absolute path → text as it is on the disk, but for empty blocks
	main  string
	field string // the domain's module
	seen  map[string]string
}

func newEffectLab(t *testing.T) *effectLab {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(repository, "examples", "quickstart"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := loopCache()
	if err != nil {
		t.Fatal(err)
	}
	w := here()
	w.executable = func() (string, error) { return exec.LookPath("jupiter") }
	w.environ = append(w.environ, "XDG_CACHE_HOME="+cache)
	h, err := newHost(w, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	lab := &effectLab{t: t, host: h, files: map[string]string{}, seen: map[string]string{}, main: filepath.Join(dir, "quickstart.jupiter.hcl"),
		field: filepath.Join(filepath.Dir(filepath.Dir(dir)), "domains", "quantities", "domain.jupiter.hcl")}
	for _, p := range []string{lab.main, lab.field} {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		lab.files[p] = strings.ReplaceAll(string(b), " {}\n", " {\n}\n") // a block that attributes can be put into
	}
	return lab
}

// load reads the quickstart with other texts in place of its files'. Its plugins have their say too.
func (lab *effectLab) load(overlay map[string]string) (*config.Config, error) {
	texts := map[string][]byte{}
	for p, s := range overlay {
		texts[p] = []byte(s)
	}
	cfg, _, diags := config.Load(filepath.Dir(lab.main), config.Options{Schemas: &schemas{ctx: lab.t.Context(), host: lab.host}, Overlay: texts, Version: version})
	if diags.HasErrors() {
		return nil, diags
	}
	said, err := validateBodies(lab.t.Context(), lab.host, cfg)
	if err == nil && said.HasErrors() {
		err = said
	}
	return cfg, err
}

// edited gives the texts of the quickstart after edits. An edit is "PLACE NAME = VALUE", "PLACE NAME =" to take the
// attribute out, "PLACE -TYPE.LABEL" and "PLACE +TYPE.LABEL" for a block, "+ TEXT" or
// "@+ TEXT" for more text, which comes first. A place is TYPE.LABEL…, with /TYPE for a block within; one that begins with
// @ is in the domain's module.
func (lab *effectLab) edited(edits ...string) (map[string]string, error) {
	parsed := map[string]*hclwrite.File{}
	out := map[string]string{}
	texts := maps.Clone(lab.files)
	for _, e := range edits {
		for prefix, path := range map[string]string{"+ ": lab.main, "@+ ": lab.field} {
			if text, ok := strings.CutPrefix(e, prefix); ok {
				texts[path] += "\n" + text + "\n"
				out[path] = texts[path]
			}
		}
	}
	open := func(path string) (*hclwrite.File, error) {
		if parsed[path] == nil {
			f, diags := hclwrite.ParseConfig([]byte(texts[path]), path, hcl.InitialPos)
			if diags.HasErrors() {
				return nil, diags
			}
			parsed[path] = f
		}
		return parsed[path], nil
	}
	for _, e := range edits {
		if strings.HasPrefix(e, "+ ") || strings.HasPrefix(e, "@+ ") {
			continue
		}
		place, rest, _ := strings.Cut(e, " ")
		name, value, _ := strings.Cut(rest, "=")
		place, within := strings.CutPrefix(place, "@")
		path := lab.main
		if within {
			path = lab.field
		}
		f, err := open(path)
		if err != nil {
			return nil, err
		}
		body, err := effectBody(f.Body(), place)
		if err != nil {
			return nil, err
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		labels := strings.Split(name[1:], ".")
		switch {
		case name[0] == '-':
			if !body.RemoveBlock(body.FirstMatchingBlock(labels[0], labels[1:])) {
				return nil, fmt.Errorf("there is no block %s", name[1:])
			}
			continue
		case name[0] == '+':
			body.AppendNewBlock(labels[0], labels[1:])
			continue
		case value == "":
			body.RemoveAttribute(name)
			continue
		}
		body.SetAttributeRaw(name, hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(value)}})
	}
	for path, f := range parsed {
		out[path] = string(f.Bytes())
	}
	return out, nil
}

// effectBody finds the block at a place. A block without labels that is not there is added.
func effectBody(body *hclwrite.Body, place string) (*hclwrite.Body, error) {
	for _, step := range strings.Split(place, "/") {
		parts := strings.Split(step, ".")
		b := body.FirstMatchingBlock(parts[0], parts[1:])
		if b == nil && len(parts) > 1 {
			return nil, fmt.Errorf("there is no block %s", place)
		}
		if b == nil {
			b = body.AppendNewBlock(parts[0], nil)
		}
		body = b.Body()
	}
	return body, nil
}

// once keeps the answer to a question.
func (lab *effectLab) once(key string, ask func() (string, error)) (string, error) {
	if v, ok := lab.seen[key]; ok {
		return v, nil
	}
	v, err := ask()
	if err == nil {
		lab.seen[key] = v
	}
	return v, err
}

// Records, Source, Model and File make the lab a plan.Probe that asks the real stages.
func (lab *effectLab) Records(ctx context.Context, t *config.Stage, steps uint64) (n uint64, err error) {
	conf, err := schema.CanonicalJSON(t.Body.Value)
	if err != nil {
		return 0, err
	}
	text, err := lab.once(fmt.Sprintf("records %s %d", conf, steps), func() (string, error) {
		st, err := lab.host.Stage(ctx, "trainer", t.Type)
		if err != nil {
			return "", err
		}
		e, err := st.Estimate(ctx, conf, steps)
		return fmt.Sprint(e.GetRecords()), err
	})
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(text, &n)
	return n, err
}

func (lab *effectLab) Source(ctx context.Context, s *config.Source) (string, error) {
	conf, err := schema.CanonicalJSON(s.Body.Value)
	if err != nil {
		return "", err
	}
	return lab.once("source "+string(conf), func() (string, error) {
		st, err := lab.host.Stage(ctx, "collector", s.Type)
		if err != nil {
			return "", err
		}
		fp, err := st.Fingerprint(ctx, conf)
		return fp.GetDigest(), err
	})
}

func (lab *effectLab) Model(context.Context, *config.Stage) (string, error) {
	return "", errors.New("the quickstart trains its own models")
}

func (lab *effectLab) File(path string) (string, error) {
	return lab.once("file "+path, func() (string, error) {
		b, err := os.ReadFile(path)
		return effectDigest(string(b)), err
	})
}

func effectDigest(s string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s))) }

// effectPast is what is recorded: all actions of one turn, and no decision.
type effectPast struct {
	facts   plan.Facts
	actions map[string]*state.ActionRecord
	last    map[string]*state.ActionRecord
}

func (p *effectPast) Facts(addr.Address) plan.Facts        { return p.facts }
func (p *effectPast) Action(id string) *state.ActionRecord { return p.actions[id] }
func (p *effectPast) Last(at string) *state.ActionRecord   { return p.last[at] }
func (p *effectPast) Partial(string) *state.Partial        { return nil }
func (p *effectPast) Begun(string) *state.Partial          { return nil }
func (p *effectPast) Cycles() []addr.Address               { return nil }
func (p *effectPast) Has(string) bool                      { return true }
func (p *effectPast) Damaged(string) bool                  { return false }
func (p *effectPast) Stages() (all []addr.Address) {
	for _, at := range slices.Sorted(maps.Keys(p.last)) {
		all = append(all, addr.Address(at))
	}
	return all
}

// effectOutputs are the names of what each kind of action gives.
var effectOutputs = map[plan.Kind][]string{
	plan.Benchmark: {"benchmark"}, plan.Generate: {"samples"}, plan.Mix: {"dataset"}, plan.Train: {"step-1", "step-2"},
	plan.Select: {"model", "checkpoint"}, plan.Measure: {"metrics"}, plan.Evaluate: {"items"}, plan.Adopt: {"model"},
	plan.Collect: {"records"}, plan.Real: {"records"}, plan.Verify: {"records"}, plan.Filter: {"records"}, plan.Pool: {"records"},
}

// record plans the first turn and writes down each action as done. adopted: the base generator is in use since; else its
// training is over, and that is not yet recorded as a fact.
func (lab *effectLab) record(cfg *config.Config, adopted bool) (*effectPast, error) {
	past := &effectPast{actions: map[string]*state.ActionRecord{}, last: map[string]*state.ActionRecord{}}
	p, err := plan.Make(lab.t.Context(), cfg, past, lab, plan.Options{})
	if err != nil {
		return nil, err
	}
	done := map[*plan.Action]map[string]state.Output{}
	for _, a := range p.Cycles[0].Actions {
		if a.Kind == plan.Promote {
			continue
		}
		inputs, unknown := a.Resolve(done)
		if len(unknown) > 0 {
			return nil, fmt.Errorf("%s comes before its inputs %v", a.Address, unknown)
		}
		id := a.Identify(inputs)
		rec := &state.ActionRecord{ID: id.ID, Lineage: id.Lineage, Address: string(a.Address), Kind: string(a.Kind), Parts: id.Parts, Outputs: map[string]state.Output{}, Retained: true}
		for _, name := range effectOutputs[a.Kind] {
			rec.Outputs[name] = state.Output{Digest: effectDigest(id.ID + name)}
		}
		if len(rec.Outputs) == 0 {
			return nil, fmt.Errorf("what %s gives is not known to the test", a.Kind)
		}
		if a.Kind == plan.Adopt {
			rec.Outputs["model"] = state.Output{Digest: inputs["model"]} // an adoption moves no bytes
			if adopted {
				past.facts.Generators, past.facts.Current = []state.Generator{{Version: 1, Base: true, Digest: inputs["model"]}}, 1
			}
		}
		done[a], past.actions[rec.ID], past.last[rec.Address] = rec.Outputs, rec, rec
	}
	return past, nil
}
