package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"jupiter/plugins/schema"
)

// stagesOf are schemas in order.
func stagesOf(f fakeSchemas) (all []*schema.Stage) {
	for _, k := range slices.Sorted(maps.Keys(f)) {
		all = append(all, f[k])
	}
	return all
}

// compiled is the JSON Schema of the tests' stages.
func compiled(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	b, err := JSONSchema(stagesOf(newSchemas()))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(SchemaID) // checks it against its meta-schema, too
	if err != nil {
		t.Fatal(err)
	}
	return s, doc.(map[string]any)
}

// fits says what is wrong with a YAML file, as an editor sees it.
func fits(t *testing.T, s *jsonschema.Schema, src []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(src, &v); err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err // a key that is no text
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestSchemaFits: good files fit the schema, and bad ones do not where their mistake is one of form.
func TestSchemaFits(t *testing.T) {
	t.Parallel()
	s, _ := compiled(t)
	good := 0
	for path, src := range sources(t) {
		if filepath.Ext(path) != ".yaml" || strings.Contains(path, "invalid") || strings.Contains(path, "cmd") {
			continue
		}
		good++
		if err := fits(t, s, src); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if good < 2 {
		t.Errorf("%d good files", good)
	}
	for name, bad := range map[string]bool{
		"bad_argument": true, "duplicate_key": true, "endless": true, "missing_label": true, "not_a_block": true, "not_a_mapping": true, "syntax": true,
		"unknown_key": true, "wrong_type": true, "unquoted_template": true,
		// These are for the program to say.
		"octal": false, "second_document": false, "tag": false, "template_folded": false, "template_syntax": false, "unknown_reference": false, "unlabelled_choice": false,
	} {
		src, err := os.ReadFile("testdata/invalid/" + name + ".jupiter.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := fits(t, s, src); (err != nil) != bad {
			t.Errorf("%s: %v, want an error: %v", name, err, bad)
		}
	}
	for src, bad := range map[string]bool{
		"":                                                                 false,
		"self_improvement:\n":                                              false,
		"self_improvement: { patience: 3 }":                                false,
		"self_improvement: { patience: -1 }":                               true,
		"self_improvement: { patience: 1.5 }":                              true,
		"self_improvement: { patience: ${var.n} }":                         true, // the quotes are missing
		"self_improvement: { patience: \"${var.n}\" }":                     false,
		"self_improvement: { promotion: manuel }":                          true,
		"self_improvement: { weights: { acuracy: 1 } }":                    true,
		"self_improvement: { gate: { alpha: 0.9 } }":                       true,
		"self_improvement: { guard: { nll: { warn: 0 } } }":                true,
		"self_improvement: { ue5: { domain: \"${domain.d}\" } }":           true, // the other parts are missing
		"trainer: { llama: { s: { max_steps: 5, dimm: 3 } } }":             true,
		"trainer: { llama: { s: { dim: 3 } } }":                            true,
		"trainer: { llama: { s: { max_steps: 5, dim: 3 } } }":              false,
		"trainer: { llama: { 5s: { max_steps: 5 } } }":                     true,
		"trainer: { lama: { s: { max_steps: 5 } } }":                       true,
		"exporter: { llama: { e: } }":                                      false,
		"trainer: { llama: { t: { max_steps: 1, dataset: llama.base } } }": true,
		"trainer: { llama: { año_1-b: { max_steps: 5 } } }":                false,
		"trainer: { llama: { \"a b\": { max_steps: 5 } } }":                true,
		"trainer: { llama: { a.b: { max_steps: 5 } } }":                    true,
		"exporter: { llama: { e: { timeouts: { run: 1h30m } } } }":         false,
		"exporter: { llama: { e: { timeouts: { run: 2x } } } }":            true,
		"exporter: { llama: { e: { timeouts: { run: 90 } } } }":            true,
		"exporter: { llama: { e: { timeouts: { run: \"${var.t}\" } } } }":  false,
		"locals: { a: [1, { b: 2 }] }":                                     false,
		"cluster: { c: { node: { n: { host: h, role: boss } } } }":         true,
	} {
		if err := fits(t, s, []byte(src)); (err != nil) != bad {
			t.Errorf("%s: %v, want an error: %v", src, err, bad)
		}
	}
}

// TestSchemaPatterns: no expression has what the dialects of regular expressions do not share.
func TestSchemaPatterns(t *testing.T) {
	t.Parallel()
	b, err := JSONSchema(stagesOf(newSchemas()))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{`\\p{`, `(?`} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("%s stands in the schema", word)
		}
	}
}

// TestSchemaKnowsTheGrammar: every attribute and block that HCL's decoder is asked for is in the JSON Schema, required
// where it is required, and nothing else is.
func TestSchemaKnowsTheGrammar(t *testing.T) {
	t.Parallel()
	_, doc := compiled(t)
	defs := doc["$defs"].(map[string]any)
	seen := map[string]bool{"value.template": true, "value.reference": true}
	check := func(name string, drawn any, asked *hcl.BodySchema) {
		t.Helper()
		seen[name] = true
		m, ok := drawn.(map[string]any)
		if !ok {
			t.Errorf("%s is not in the schema", name)
			return
		}
		var want, need, have []string
		for _, a := range asked.Attributes {
			if want = append(want, a.Name); a.Required {
				need = append(need, a.Name)
			}
		}
		for _, b := range asked.Blocks {
			want = append(want, b.Type)
		}
		slices.Sort(want)
		slices.Sort(need)
		if list, ok := m["required"].([]any); ok {
			for _, r := range list {
				have = append(have, r.(string))
			}
		}
		props, _ := m["properties"].(map[string]any)
		if d := cmp.Diff(slices.Compact(want), slices.Sorted(maps.Keys(props))); d != "" && len(want)+len(props) > 0 {
			t.Errorf("%s (-decoder +schema):\n%s", name, d)
		}
		if d := cmp.Diff(need, have); d != "" {
			t.Errorf("%s, required (-decoder +schema):\n%s", name, d)
		}
	}
	var walk func(name string, drawn any, g *form)
	walk = func(name string, drawn any, g *form) {
		check(name, drawn, g.body())
		for _, b := range g.blocks {
			if len(b.labels) < 2 {
				walk(b.typ, defs[b.typ], b.form)
				continue
			}
			for _, s := range stagesOf(newSchemas()) {
				if s.Kind != b.form.plugin {
					continue
				}
				both, rest := b.form.body(), hcldec.ImpliedSchema(s.Spec())
				both.Attributes, both.Blocks = append(both.Attributes, rest.Attributes...), append(both.Blocks, rest.Blocks...)
				check(b.typ+"_"+s.Type, defs[b.typ+"_"+s.Type], both)
				for _, inner := range b.form.blocks {
					walk(inner.typ, defs[inner.typ], inner.form)
				}
			}
		}
	}
	walk("a file", doc, fileForm())
	for name := range defs {
		if !seen[name] {
			t.Errorf("the schema defines %s, which no decoder reads", name)
		}
	}
	if len(seen) < 40 {
		t.Errorf("looked at %d blocks only", len(seen))
	}
}

// ofForm are the summaries of mistakes that an editor can see: of names, of types, of bounds.
var ofForm = []string{"Unsupported argument", "Missing required argument", "Unknown type", "Unknown split", "Unknown measure", "Unknown component", "Wrong type",
	"Not a count", "Number out of range", "Share out of range", "Weight out of range", "Unknown word", "Not a block", "Missing block label", "Reference expected",
	"Domain expected", "Incorrect attribute value type", "List expected", "Invalid name", "Unknown limit", "Invalid source"}

// TestSchemaAgrees makes one mistake after the other in a complete file, and asks the program and the schema.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	s, _ := compiled(t)
	const dir = "testdata/samples/examples/unreal-yaml"
	src, err := os.ReadFile(dir + "/main.jupiter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base := wrong(t, src)
	var tree yaml.Node
	if err := yaml.Unmarshal(src, &tree); err != nil {
		t.Fatal(err)
	}
	mistakes := 0
	var walk func(path string, n *yaml.Node)
	try := func(path string, n *yaml.Node, change string, to yaml.Node) {
		was := *n
		*n = to
		out, err := yaml.Marshal(&tree)
		*n = was
		if err != nil {
			t.Fatal(err)
		}
		said := wrong(t, out)
		for summary, n := range base {
			said[summary] -= n
		}
		bad := slices.ContainsFunc(ofForm, func(summary string) bool { return said[summary] > 0 })
		mistakes++
		if err := fits(t, s, out); (err != nil) != bad {
			t.Errorf("%s %s: the program says %v, the schema %v", path, change, said, err)
		}
	}
	walk = func(path string, n *yaml.Node) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				k := n.Content[i]
				at := path + "." + k.Value
				misspelt := *k
				misspelt.Value += "x"
				try(at, k, "renamed", misspelt)
				walk(at, n.Content[i+1])
			}
		case yaml.SequenceNode:
			for i, c := range n.Content {
				walk(fmt.Sprintf("%s[%d]", path, i), c)
			}
		case yaml.ScalarNode:
			switch {
			case strings.HasPrefix(path, ".variable"), strings.HasPrefix(path, ".locals"), strings.Contains(path, ".extra_sites"):
				// Such a value is a mistake only where it is used.
			case n.ShortTag() == "!!str":
				try(path, n, "as a list", yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"}}})
			default:
				try(path, n, "as a word", yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "word"})
				try(path, n, "below zero", yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "-1"})
			}
		}
	}
	walk("", tree.Content[0])
	if mistakes < 150 {
		t.Errorf("%d mistakes only", mistakes)
	}
}

// wrong counts the program's summaries about a file.
func wrong(t *testing.T, src []byte) map[string]int {
	t.Helper()
	const path = "testdata/samples/examples/unreal-yaml/main.jupiter.yaml"
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _, diags := load(t, filepath.Dir(path), Options{Overlay: map[string][]byte{abs: src}})
	m := map[string]int{}
	for _, d := range diags {
		m[d.Summary]++
	}
	return m
}
