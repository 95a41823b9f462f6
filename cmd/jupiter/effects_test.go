package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"jupiter/plan"
	"jupiter/plan/config"
)

// TestEffects compares plans of the quickstart before and after changes of its text.
func TestEffects(t *testing.T) {
	t.Parallel()
	lab := newEffectLab(t)
	t.Run("documented", func(t *testing.T) { effectsDocumented(t, lab) })
	t.Run("spelling", func(t *testing.T) { spellingIsNoChange(t, lab) })
}

// effectsDocumented: a change of each attribute of the quickstart makes run again what docs/effects.md says, and no
// more. The attributes come from the grammar and from the schemas of the stages, so none is left out; the first turn is
// recorded as done and not decided.
func effectsDocumented(t *testing.T, lab *effectLab) {
	rows := effectRows(t)
	forms := effectForms(t, lab)
	pasts := map[string]*effectPast{}
	seen := 0
	for _, s := range effectSections() {
		table := rows[s.heading]
		delete(rows, s.heading)
		names := forms.attributes(s.form, "")
		if s.form == "locals" || s.form == "module" {
			names = append(names, slices.DeleteFunc(slices.Sorted(maps.Keys(s.cases)), func(n string) bool { return slices.Contains(names, n) })...)
		}
		for _, name := range names {
			seen++
			c, ok := s.cases[name]
			row, said := table[name]
			delete(table, name)
			if !ok || !said {
				t.Errorf("%s %s: a case of this test: %t; a row of docs/effects.md: %t", s.heading, name, ok, said)
				continue
			}
			got, err := lab.effect(s, name, c, pasts)
			if err != nil {
				t.Errorf("%s %s = %s: %v", s.heading, name, c.value, err)
			} else if got != row {
				t.Errorf("%s %s = %s makes run again: %s\ndocs/effects.md says: %s", s.heading, name, c.value, got, row)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			t.Errorf("docs/effects.md has %s in %s, which the grammar has not", name, s.heading)
		}
	}
	for _, h := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("docs/effects.md has a section %s, which this test does not know", h)
	}
	if seen < 200 {
		t.Errorf("looked at %d attributes only", seen)
	}
}

// effect plans before and after a change, and gives the kinds of actions that run again on their own account. It fails
// unless exactly what follows from these may run too, and unless what the base generator was made of is history once
// that is in use.
func (lab *effectLab) effect(s effectSection, name string, c effectCase, pasts map[string]*effectPast) (string, error) {
	past, err := lab.past(c.given, !s.base, pasts)
	if err != nil {
		return "", fmt.Errorf("before the change: %w", err)
	}
	cfg, err := lab.edit(append(slices.Clone(c.given), s.edit(name, c)...)...)
	switch {
	case c.refused && err == nil:
		return "", errors.New("is valid")
	case c.refused:
		return "no other value is valid", nil
	case err != nil:
		return "", err
	case s.base:
		later, err := lab.past(c.given, true, pasts)
		if err != nil {
			return "", err
		}
		if got, err := lab.kinds(cfg, later); err != nil || got != "nothing" {
			return "", fmt.Errorf("with generator_v1 in use, makes run again: %s %v", got, err)
		}
	}
	return lab.kinds(cfg, past)
}

// past is what is recorded of the quickstart with some of its text replaced, and must leave nothing to do.
func (lab *effectLab) past(given []string, adopted bool, pasts map[string]*effectPast) (*effectPast, error) {
	key := fmt.Sprint(adopted, given)
	if pasts[key] != nil {
		return pasts[key], nil
	}
	cfg, err := lab.edit(given...)
	if err != nil {
		return nil, err
	}
	past, err := lab.record(cfg, adopted)
	if err != nil {
		return nil, err
	}
	if got, err := lab.kinds(cfg, past); err != nil || got != "nothing" {
		return nil, fmt.Errorf("runs %s %v", got, err)
	}
	pasts[key] = past
	return past, nil
}

func (lab *effectLab) edit(edits ...string) (*config.Config, error) {
	texts, err := lab.edited(edits...)
	if err != nil {
		return nil, err
	}
	return lab.load(texts)
}

// kinds plans a configuration, and gives the kinds of actions that run again on their own account: with a part of theirs
// that differs, or an input that is known and differs.
func (lab *effectLab) kinds(cfg *config.Config, past *effectPast) (string, error) {
	p, err := plan.Make(lab.t.Context(), cfg, past, lab, plan.Options{})
	if err != nil {
		return "", err
	}
	changes := map[string]plan.Change{}
	for _, ch := range p.Changes {
		changes[string(ch.Address)] = ch
	}
	var kinds []string
	runs := map[*plan.Action]bool{}
	for _, a := range p.Cycles[0].Actions {
		ch := changes[string(a.Address)]
		if a.Kind == plan.Promote {
			if ch.Op != plan.Decide {
				return "", fmt.Errorf("%s: %s", ch.Address, ch.Op)
			}
			continue
		}
		follows := slices.ContainsFunc(a.Inputs, func(in plan.Input) bool { return runs[in.From] })
		own := slices.ContainsFunc(ch.Reasons, func(r plan.Reason) bool { return r.Code != plan.InputUnknown })
		want := plan.NoOp
		switch {
		case !own && !follows:
		case past.last[string(a.Address)] == nil:
			want = plan.Create
		case a.Kind == plan.Train:
			want = plan.Advance
		default:
			want = plan.Rerun
		}
		if ch.Op != want || ch.Unknown != (follows && want != plan.Create) {
			return "", fmt.Errorf("%s: %s, may run: %t; want %s, may run: %t", ch.Address, ch.Op, ch.Unknown, want, follows)
		}
		for _, r := range ch.Reasons {
			if r.Code == plan.ConfigChanged && (r.File == "" || r.Line == 0) || r.Code == plan.NextCycle || r.Code == plan.NextWindow {
				return "", fmt.Errorf("%s: a reason without a place: %+v", ch.Address, r)
			}
		}
		runs[a] = own || follows
		if own && !slices.Contains(kinds, string(a.Kind)) {
			kinds = append(kinds, string(a.Kind))
		}
	}
	if len(kinds) == 0 {
		return "nothing", nil
	}
	return strings.Join(kinds, ", "), nil
}

// spellingIsNoChange: how the quickstart is written makes nothing run again.
func spellingIsNoChange(t *testing.T, lab *effectLab) {
	cfg, err := lab.load(nil)
	if err != nil {
		t.Fatal(err)
	}
	past, err := lab.record(cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	src, beside := lab.files[lab.main], filepath.Join(filepath.Dir(lab.main), "more.jupiter.hcl")
	f, diags := hclwrite.ParseConfig([]byte(src), lab.main, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var first, second, backwards string
	for i, b := range f.Body().Blocks() {
		text := string(b.BuildTokens(nil).Bytes())
		backwards = text + "\n" + backwards
		if i%2 == 0 {
			first += text + "\n"
		} else {
			second += text + "\n"
		}
	}
	reordered, err := lab.edited("generator.llama.base model =", "generator.llama.base model = trainer.llama.base",
		"@domain.quantities description =", `@domain.quantities description = "Another description"`)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, now string) map[string]string {
		if !strings.Contains(src, old) {
			t.Fatalf("the quickstart has no %q", old)
		}
		return map[string]string{lab.main: strings.ReplaceAll(src, old, now)}
	}
	for name, texts := range map[string]map[string]string{
		"comments":           {lab.main: "/* A comment. */\n" + strings.ReplaceAll(src, "{\n", "{ // another\n\n")},
		"order of blocks":    {lab.main: backwards},
		"order, description": reordered,
		"two files":          {lab.main: first, beside: second},
		"yaml":               {lab.main: "", filepath.Join(filepath.Dir(lab.main), "quickstart.jupiter.yaml"): loopRead(t, filepath.Join(repository, "examples", "quickstart-yaml", "quickstart.jupiter.yaml"))},
		"a value":            change("learning_rate = 0.007", "learning_rate = 7 / 1000.0"),
		"a local's name":     {lab.main: strings.NewReplacer("local.window", "local.steps", "  window =", "  steps =").Replace(src)},
		"a variable's name":  {lab.main: strings.NewReplacer("var.seed", "var.number", `variable "seed"`, `variable "number"`).Replace(src)},
	} {
		if texts[lab.main] == src {
			t.Errorf("%s: nothing is written another way", name)
		}
		cfg, err := lab.load(texts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := lab.kinds(cfg, past); err != nil || got != "nothing" {
			t.Errorf("%s makes run again: %s %v", name, got, err)
		}
	}
}

// schemaForms are the definitions of the JSON Schema of the language.
type schemaForms map[string]map[string]any

func effectForms(t *testing.T, lab *effectLab) schemaForms {
	t.Helper()
	stages, err := lab.host.Stages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := config.JSONSchema(stages)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs schemaForms `json:"$defs"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Defs
}

// attributes are the names of all attributes of a definition, those of blocks without labels included.
func (f schemaForms) attributes(form, prefix string) (names []string) {
	props, _ := f[form]["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(props)) {
		p := props[name].(map[string]any)
		block, _ := p["$ref"].(string)
		if all, ok := p["anyOf"].([]any); ok {
			block, _ = all[0].(map[string]any)["$ref"].(string)
		}
		block = strings.TrimPrefix(block, "#/$defs/")
		switch {
		case f[block] != nil && !strings.HasPrefix(block, "value."):
			names = append(names, f.attributes(block, prefix+name+".")...)
		case p["type"] == "object" && p["anyOf"] == nil: // a block with labels has a section of its own
		default:
			names = append(names, prefix+name)
		}
	}
	return names
}

var (
	effectRow  = regexp.MustCompile(`(?m)^\| (` + "`[^|]*`" + `) \| ([^|]*?) \|`)
	effectName = regexp.MustCompile("`([^`]*)`")
)

// effectRows reads docs/effects.md: section → attribute → what runs again.
func effectRows(t *testing.T) map[string]map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository, "docs", "effects.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, part := range strings.Split(string(b), "\n### ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		all[heading] = map[string]string{}
		for _, m := range effectRow.FindAllStringSubmatch(text, -1) {
			for _, n := range effectName.FindAllStringSubmatch(m[1], -1) {
				if _, twice := all[heading][n[1]]; twice {
					t.Errorf("docs/effects.md has %s of %s twice", n[1], heading)
				}
				all[heading][n[1]] = m[2]
			}
		}
	}
	return all
}
