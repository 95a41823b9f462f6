package config

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jupiter/plan/lang"
)

// row is a line of a table of docs/language.md: what its first cell names, and its cell of defaults.
type row struct {
	names []string
	def   string
	block bool // names { … }: the names are of a block's attributes
}

var (
	tableRow  = regexp.MustCompile(`(?m)^\| (` + "`[^|]*`" + `) \| ([^|]*) \|`)
	codeWords = regexp.MustCompile("`([^`]*)`")
	word      = regexp.MustCompile(`[a-z_][a-z0-9_]*`)
)

// section is what stands between two texts.
func section(t *testing.T, text, begins, ends string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+begins)
	if !found {
		t.Fatalf("docs/language.md has no %q", begins)
	}
	rest, _, _ = strings.Cut(rest, ends)
	return rest
}

// TestGrammarDocumented: docs/language.md names every attribute and block of each table of the grammar, and its own
// tables name no others and give the same defaults.
func TestGrammarDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	forms := []struct {
		begins, ends string
		forms        []*form
	}{
		{"### jupiter", "\n### ", []*form{settingsForm}},
		{"### variable", "\n### ", []*form{variableForm, validationForm}},
		{"### module", "\n### ", []*form{moduleForm}},
		{"### moved", "\n### ", []*form{movedForm}},
		{"### output", "\n### ", []*form{outputForm}},
		{"### notify", "\n### ", []*form{notifyForm}},
		{"### domain", "\n**source.**", []*form{domainForm, anchorForm, licensesForm}},
		{"**source.**", "\n**evaluation.**", []*form{sourceForm, templateForm}},
		{"**evaluation.**", "\n**build.**", []*form{evaluationForm, splitForm}},
		{"**build.**", "\n## ", []*form{buildForm}},
		{"## self_improvement", "\n## ", []*form{cycleForm, gateForm, guardForm, budgetForm}},
		{"## cluster", "\n## ", []*form{clusterForm, nodeForm}},
		{"## Stages\n", "\n## ", []*form{generatorForm, trainerForm, selectForm, lifecycleForm, timeoutsForm, limitsForm, budgetForm, pricesForm, plainStages["filter"], plainStages["verifier"], plainStages["evaluator"], plainStages["exporter"]}},
	}
	seen := 0
	for _, f := range forms {
		part := section(t, text, f.begins, f.ends)
		said := spans(part)
		known := map[string]attribute{}
		for _, g := range f.forms {
			for _, a := range g.attrs {
				seen++
				known[a.name] = a
				if !said[a.name] && a.name != "for_each" {
					t.Errorf("docs/language.md says nothing of %s in %s", a.name, strings.TrimSpace(f.begins))
				}
			}
			for _, n := range g.blocks {
				known[n.typ] = attribute{}
				if !said[n.typ] {
					t.Errorf("docs/language.md says nothing of the block %s in %s", n.typ, strings.TrimSpace(f.begins))
				}
			}
		}
		for _, r := range rowsOf(part) {
			for _, n := range r.names {
				if _, ok := known[n]; !ok && !slices.Contains(lang.StageKinds, n) {
					t.Errorf("docs/language.md has %s in %s, which the grammar has not", n, strings.TrimSpace(f.begins))
				}
			}
			if a := known[r.names[0]]; !r.block && len(r.names) == 1 && a.name != "" && strings.Contains(part, "| default |") {
				checkDefault(t, a, r.def)
			}
		}
	}
	if seen < 100 {
		t.Errorf("looked at %d attributes only", seen)
	}
}

// checkDefault compares a cell with the table of the grammar.
func checkDefault(t *testing.T, a attribute, cell string) {
	t.Helper()
	want := "–"
	switch {
	case a.required:
		want = "required"
	case a.otherwise != "":
		want = a.otherwise
	case a.def != nil:
		raw, err := json.Marshal(a.def)
		if err != nil {
			t.Fatal(err)
		}
		want = string(raw)
	}
	plain := func(s string) string {
		return strings.NewReplacer("`", "", `"`, "", " ", "", "=", ":", "0.40", "0.4", "0.30", "0.3").Replace(s)
	}
	if plain(cell) != plain(want) {
		t.Errorf("docs/language.md gives %s the default %s, the grammar %s", a.name, cell, want)
	}
}

// rowsOf are the rows of tables that begin with a name.
func rowsOf(part string) (rows []row) {
	for _, m := range tableRow.FindAllStringSubmatch(part, -1) {
		r := row{def: m[2]}
		for _, c := range codeWords.FindAllStringSubmatch(m[1], -1) {
			name, inner, block := strings.Cut(c[1], "{")
			name, _, _ = strings.Cut(name, `"`)
			r.names = append(r.names, strings.TrimSpace(name))
			if block && word.MatchString(inner) && !strings.Contains(inner, "=") {
				r.names, r.block = append(r.names, word.FindAllString(inner, -1)...), true
			}
			r.block = r.block || block
		}
		rows = append(rows, r)
	}
	return rows
}

// spans are the words of inline code.
func spans(text string) map[string]bool {
	all := map[string]bool{}
	for _, c := range codeWords.FindAllStringSubmatch(strings.ReplaceAll(text, "```", ""), -1) {
		for _, w := range word.FindAllString(c[1], -1) {
			all[w] = true
		}
	}
	return all
}
