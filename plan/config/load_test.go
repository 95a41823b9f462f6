package config

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
)

// write makes a module from files and gives its directory.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, src := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const seedDomain = `
domain "ue5" {
  description = "Unreal Engine 5"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }
  source "files" "docs" {
    bucket = "real"
  }
  template "t" {
    bucket = "synthetic"
  }
  evaluation {
    custom_eval_file = "eval.jsonl"
  }
}

trainer "llama" "base" {
  dataset   = domain.ue5.real
  max_steps = 10
}
trainer "llama" "student" {
  max_steps        = 20000
  save_every_steps = 1000
}
generator "llama" "g" {
  model   = trainer.llama.base
  samples = 10
}
exporter "llama" "e" {}
evaluator "panel" "p" {}
filter "quality" "q" {}
`

// TestUnlabelled loads the self_improvement mapping of the seed document, six keys and nothing else, beside one domain
// and one stage of each kind.
func TestUnlabelled(t *testing.T) {
	t.Parallel()
	keys := []string{"eval_every_steps: 5000", "improvement_threshold: 0.05", "min_steps_before_replace: 10000",
		"benchmark_samples: 500", "keep_last_n_checkpoints: 3", "always_keep_base_generator: true"}
	items := strings.Repeat("{}\n", 650)
	spellings := map[string]map[string]string{
		"yaml":          {"seed.jupiter.yaml": "self_improvement:\n  " + strings.Join(keys, "\n  ") + "\n"},
		"hcl":           {"seed.jupiter.hcl": "self_improvement {\n  " + strings.ReplaceAll(strings.Join(keys, "\n  "), ":", " =") + "\n}\n"},
		"only mappings": {"seed.jupiter.yaml": "self_improvement:\n  weights: { accuracy: 0.4, coherence: 0.3, domain: 0.3 }\n  gate: { alpha: 0.05 }\n"},
		"empty":         {"seed.jupiter.yaml": "self_improvement: {}\n"},
	}
	var first *Config
	for _, name := range slices.Sorted(maps.Keys(spellings)) {
		files := spellings[name]
		files["domain.jupiter.hcl"], files["eval.jsonl"] = seedDomain, items
		c := mustLoad(t, write(t, files), Options{})
		k := c.Cycles[0]
		if k.Name != "ue5" || k.Addr != "self_improvement.ue5" || k.Domain != c.Domains[0] || k.Trainer.Name != "student" || k.Exporter == nil || k.Evaluator == nil || len(k.Filters) != 1 || k.Base.Name != "base" {
			t.Errorf("%s: the cycle is %+v", name, k)
		}
		want := defaultCycle()
		if k.EvalEverySteps != want.EvalEverySteps || k.MinStepsBeforeReplace != want.MinStepsBeforeReplace || k.Weights != want.Weights || k.Alpha != want.Alpha {
			t.Errorf("%s: numbers are %+v", name, k)
		}
		if first == nil {
			first = c
		}
		c.Cycles[0].Attrs, first.Cycles[0].Attrs = nil, nil
		if d := cmp.Diff(first.Cycles, c.Cycles, alike(), cmp.FilterPath(func(p cmp.Path) bool { return strings.Contains(p.GoString(), "Evaluation") }, cmp.Ignore())); d != "" {
			t.Errorf("%s differs: %s", name, d)
		}
	}
}

func TestTenThousandStages(t *testing.T) {
	t.Parallel()
	var h, y strings.Builder
	h.WriteString("locals {\n  n = 3\n}\n")
	y.WriteString("locals: { n: 3 }\nfilter:\n  quality:\n")
	const n = 10_000
	for i := range n {
		fmt.Fprintf(&h, "filter \"quality\" \"f%d\" {\n  min_chars = local.n + %d\n  max_chars = 900\n  min_score = 0.5\n}\n", i, i)
		fmt.Fprintf(&y, "    f%d: { min_chars: \"${local.n + %d}\", max_chars: 900, min_score: 0.5 }\n", i, i)
	}
	for ext, src := range map[string]string{"hcl": h.String(), "yaml": y.String()} {
		dir := write(t, map[string]string{"big.jupiter." + ext: src})
		began := time.Now()
		c := mustLoad(t, dir, Options{})
		took := time.Since(began)
		if len(c.Stages) != n {
			t.Fatalf("%s: %d stages", ext, len(c.Stages))
		}
		t.Logf("%s: %d stages in %v", ext, n, took)
		if took > 20*time.Second { // about a second on an idle machine; quadratic work takes minutes
			t.Errorf("%s: loading took %v", ext, took)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"m.jupiter.hcl": `
variable "text" { type = string }
variable "list" {
  type    = list(number)
  default = [1]
}
variable "obj" {
  type    = object({ a = optional(number, 7), b = string })
  default = { b = "x" }
}
variable "env" {
  type    = string
  default = env("NAME")
}
variable "any" { default = null }
output "text" { value = var.text }
output "list" { value = var.list }
output "a" { value = var.obj.a }
output "env" { value = var.env }
output "any" { value = var.any }
`, "one.hcl": "list = [2, 3]\ntext = \"one\"\n", "two.yaml": "text: two\nany: [x]\n"})
	env := func(n string) (string, bool) { return "from " + n, n == "NAME" }
	files := []string{filepath.Join(dir, "one.hcl"), filepath.Join(dir, "two.yaml")}
	c := mustLoad(t, dir, Options{Vars: map[string]string{"obj": `{ b = "y", a = 1 }`}, VarFiles: files, Env: env})
	got := map[string]string{}
	for _, o := range c.Outputs {
		got[o.Name] = o.Value.GoString()
	}
	want := map[string]string{
		"text": cty.StringVal("two").GoString(), "list": cty.ListVal([]cty.Value{cty.NumberIntVal(2), cty.NumberIntVal(3)}).GoString(),
		"a": cty.NumberIntVal(1).GoString(), "env": cty.StringVal("from NAME").GoString(), "any": cty.TupleVal([]cty.Value{cty.StringVal("x")}).GoString(),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	for _, name := range []string{"values.yml", "values.json"} {
		more := filepath.Join(write(t, map[string]string{name: `{"text": "three"}`}), name)
		if c := mustLoad(t, dir, Options{VarFiles: append(files, more), Env: env}); c.Outputs[0].Value.AsString() != "three" {
			t.Errorf("%s was not read as YAML: %#v", name, c.Outputs[0].Value)
		}
	}

	// A value is text where the type is string, whatever it looks like, and an expression otherwise.
	c = mustLoad(t, dir, Options{Vars: map[string]string{"text": "[1"}})
	if v := c.Outputs[0].Value; v.AsString() != "[1" {
		t.Errorf("text = %#v", v)
	}
	for vars, want := range map[string]string{"list=[1": "Unterminated", "list=x": "Variables not allowed", "nothing=1": `no variable "nothing"`, "obj={}": "Wrong type"} {
		name, val, _ := strings.Cut(vars, "=")
		_, files, diags := load(t, dir, Options{Vars: map[string]string{"text": "t", name: val}})
		if msg := text(t, files, diags); !diags.HasErrors() || !strings.Contains(msg, want) || !strings.Contains(msg, "--var "+name) {
			t.Errorf("--var %s: %s", vars, msg)
		}
	}
}

// TestMissingPool proves that a gate file that is not there is told once.
func TestMissingPool(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/invalid/cycle_few_samples.jupiter.hcl")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("testdata/invalid/unsaved.jupiter.hcl")
	if err != nil {
		t.Fatal(err)
	}
	src = []byte(strings.Replace(string(src), `"../base"`, "\"../base\"\n  gate = \"nothing.jsonl\"", 1))
	_, files, diags := load(t, path, Options{Overlay: map[string][]byte{path: src}})
	if len(diags) != 1 || diags[0].Summary != "No such file" {
		t.Errorf("diagnostics of a gate file that is not there:\n%s", text(t, files, diags))
	}
}

// TestUnlabelledName proves that a block without a name is not told as one with an empty name.
func TestUnlabelledName(t *testing.T) {
	t.Parallel()
	_, files, diags := load(t, write(t, map[string]string{"m.jupiter.hcl": "self_improvement {\n  patience = 0.5\n}\n"}), Options{})
	if msg := text(t, files, diags); !strings.Contains(msg, "in self_improvement:") {
		t.Error(msg)
	}
}

// TestManyErrors proves that a text that is no configuration at all is not answered with an error a character.
func TestManyErrors(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"m.jupiter.hcl": "a = " + strings.Repeat("$", 5000), "m.jupiter.yaml": "locals:\n  a: ${" + strings.Repeat("$", 5000) + "}\n",
	} {
		_, _, diags := load(t, write(t, map[string]string{name: src}), Options{})
		if n := len(diags); n == 0 || n > 25 || !strings.Contains(diags.Error()+diags[n-1].Detail, "more errors") {
			t.Errorf("%s: %d diagnostics, the last one %v", name, n, diags[n-1])
		}
	}
}

// TestSecret proves that a diagnostic never shows a sensitive value.
func TestSecret(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"m.jupiter.hcl": `
variable "token" {
  type      = string
  default   = env("TOKEN")
  sensitive = true
}
locals {
  alias = "Bearer ${var.token}"
  bad   = var.token + 1
}
generator "openai" "ok" {
  base_url = "x"
  api_key  = var.token
}
generator "openai" "bad" {
  base_url    = local.alias
  temperature = parseint(var.token, 10)
}
`})
	keys := write(t, map[string]string{"m.jupiter.hcl": "variable \"s\" {\n  default = \"canary\"\n  sensitive = true\n}\n" +
		"locals {\n  twice = { for k in [var.s, upper(var.s), var.s] : k => 1 }\n}\n"})
	if _, files, diags := load(t, keys, Options{}); len(diags) != 1 || strings.Contains(text(t, files, diags), "canary") {
		t.Errorf("a key that is twice there:\n%s", text(t, files, diags))
	}
	rendered := write(t, map[string]string{"m.jupiter.hcl": "variable \"s\" {\n  default = \"canary\"\n  sensitive = true\n}\n" +
		"locals {\n  text = templatefile(\"t.tpl\", { k = var.s })\n}\n", "t.tpl": "${tonumber(k)}"})
	if _, files, diags := load(t, rendered, Options{}); len(diags) != 1 || strings.Contains(text(t, files, diags), "canary") {
		t.Errorf("a template that fails on a secret:\n%s", text(t, files, diags))
	}
	for _, value := range []string{"[canary", `"canary"`, "canary"} {
		number := write(t, map[string]string{"m.jupiter.hcl": "variable \"n\" {\n  type = number\n  sensitive = true\n}\n"})
		_, files, diags := load(t, number, Options{Vars: map[string]string{"n": value}})
		if msg := text(t, files, diags); !diags.HasErrors() || strings.Contains(msg, "canary") {
			t.Errorf("--var n=%s:\n%s", value, msg)
		}
	}
	c, files, diags := load(t, dir, Options{Env: func(string) (string, bool) { return "canary-5309", true }})
	msg := text(t, files, diags)
	if len(diags) < 2 || strings.Contains(msg, "canary") {
		t.Errorf("diagnostics:\n%s", msg)
	}
	for _, s := range c.Stages {
		if s.Name == "ok" && s.Body.Value.GetAttr("api_key").AsString() != "canary-5309" {
			t.Error("the secret did not reach the attribute that takes one")
		}
	}
}

func TestModules(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"main/m.jupiter.hcl": `
module "f" {
  for_each = { a = 1, b = 2 }
  source   = "../child"
  n        = each.value
}
output "n" { value = module.f["b"].n }
output "path" { value = module.f["a"].path }
output "file" { value = module.f["a"].file }
output "ref" { value = module.f["b"].exporter }
output "set" { value = module.f["a"].set }
output "tpl" { value = module.f["a"].tpl }
`,
		"child/c.jupiter.yaml": `
variable: { n: { type: number } }
exporter: { llama: { e: {} } }
output:
  n: { value: "${var.n * 10}" }
  path: { value: "${path.module}" }
  file: { value: "${trimspace(file(\"${path.module}/data/x.txt\"))}" }
  set: { value: "${fileset(\"${path.module}/data\", \"**/*.txt\")}" }
  tpl: { value: "${templatefile(\"${path.module}/t.tpl\", { who = \"me\" })}" }
  exporter: { value: "${exporter.llama.e}" }
`,
		"child/data/x.txt": "hello\n", "child/data/y/z.txt": "", "child/t.tpl": "%{ for i in [1, 2] }${who}${i} %{ endfor }",
	})
	c := mustLoad(t, filepath.Join(dir, "main"), Options{})
	got := map[string]cty.Value{}
	for _, o := range c.Outputs {
		got[o.Name] = o.Value
	}
	s := cty.StringVal
	want := map[string]cty.Value{
		"n": cty.NumberIntVal(20), "path": s("../child"), "file": s("hello"), "ref": s(`module.f["b"].exporter.llama.e`),
		"set": cty.SetVal([]cty.Value{s("x.txt"), s("y/z.txt")}), "tpl": s("me1 me2 "),
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !got[name].RawEquals(want[name]) {
			t.Errorf("%s = %#v, want %#v", name, got[name], want[name])
		}
	}
	if len(c.Stages) != 2 || c.Stages[0].Addr != `module.f["a"].exporter.llama.e` {
		t.Errorf("stages: %v", c.Stages)
	}
}

func TestFindModule(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"b.jupiter.hcl": "", "a.jupiter.yaml": "", "other.hcl": "", ".swap.jupiter.hcl": "", "empty/x.txt": ""})
	if d, names, err := FindModule(dir); err != nil || d != dir || !cmp.Equal(names, []string{"a.jupiter.yaml", "b.jupiter.hcl"}) {
		t.Errorf("%s %v %v", d, names, err)
	}
	if d, names, err := FindModule(filepath.Join(dir, "b.jupiter.hcl")); err != nil || d != dir || !cmp.Equal(names, []string{"b.jupiter.hcl"}) {
		t.Errorf("%s %v %v", d, names, err)
	}
	for _, p := range []string{"other.hcl", "empty", "nowhere"} {
		if _, _, err := FindModule(filepath.Join(dir, p)); err == nil {
			t.Errorf("%s is taken for a module", p)
		}
	}
	if _, _, diags := load(t, filepath.Join(dir, "empty"), Options{}); !diags.HasErrors() {
		t.Error("an empty directory loads")
	}
}

func TestGatePool(t *testing.T) {
	t.Parallel()
	main := func(gate string) string {
		return `module "base" {
  source = "../base"
  gate   = "` + gate + `"
}
self_improvement "a" {
  domain                   = module.base.domain
  generator                = module.base.generator
  trainer                  = module.base.trainer
  exporter                 = module.base.exporter
  evaluator                = module.base.evaluator
  eval_every_steps         = 50
  min_steps_before_replace = 50
}
`
	}
	for gate, want := range map[string]string{"gate.jsonl": "", "few.jsonl": "has 99 items", "some.jsonl": "With 200 items the first decision can show a gain of about 5.4 points"} {
		dir := write(t, map[string]string{"main/m.jupiter.hcl": main(gate)})
		if err := os.CopyFS(filepath.Join(dir, "base"), os.DirFS("testdata/base")); err != nil {
			t.Fatal(err)
		}
		_, files, diags := load(t, filepath.Join(dir, "main"), Options{})
		msg := text(t, files, diags)
		if want == "" && len(diags) > 0 || !strings.Contains(msg, want) || want != "" && len(diags) != 1 {
			t.Errorf("%s: want %q, got:\n%s", gate, want, msg)
		}
	}
	// α(1,0) = 0.05·6/π²/2 has the quantile 2.165, and 0.35/√500 is 0.01565.
	if g := VisibleGain(500, 0.05); math.Abs(g-0.03389) > 2e-4 {
		t.Errorf("visible gain at 500 items = %v", g)
	}
	dir := write(t, map[string]string{"a": "", "b": "x", "c": "x\n\n \t\ny\r\n", "d": strings.Repeat("z", 70_000) + "\n" + strings.Repeat(" ", 70_000) + "w"})
	for name, want := range map[string]uint64{"a": 0, "b": 1, "c": 2, "d": 2} {
		if n, err := countLines(filepath.Join(dir, name)); err != nil || n != want {
			t.Errorf("%s has %d lines, want %d: %v", name, n, want, err)
		}
	}
}

// TestEveryRule proves that each rule finds something in some case of testdata/invalid, so that none is a dead letter.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/invalid/*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{"ruleCycleNames": true, "ruleGatePool": true} // have tests of their own
	name := func(r rule) string {
		s := runtime.FuncForPC(reflect.ValueOf(r).Pointer()).Name()
		return s[strings.LastIndexByte(s, '.')+1:]
	}
	for _, path := range cases {
		c, _, _ := load(t, path, Options{})
		rules := rulesOfParts()
		whole := true
		for _, k := range c.Cycles {
			whole = whole && k.Domain != nil && k.Generator != nil && k.Successor != nil && k.Trainer != nil && k.Exporter != nil && k.Evaluator != nil
		}
		if whole {
			rules = append(rules, rulesOfWhole()...)
		}
		for _, r := range rules {
			found[name(r)] = found[name(r)] || len(r(c)) > 0
		}
	}
	for _, r := range append(rulesOfParts(), rulesOfWhole()...) {
		if !found[name(r)] {
			t.Errorf("no case breaks %s", name(r))
		}
	}
}

// TestCycleNames: the rule looks over all modules, which no file of testdata/invalid can.
func TestCycleNames(t *testing.T) {
	t.Parallel()
	cycles := func(names ...string) *Config {
		c := &Config{}
		for _, n := range names {
			c.Cycles = append(c.Cycles, &Cycle{Name: n})
		}
		return c
	}
	for want, c := range map[int]*Config{0: cycles("a", "b"), 1: cycles("a", "b", "a"), 2: cycles("a", "a", "a")} {
		if got := len(ruleCycleNames(c)); got != want {
			t.Errorf("%d diagnostics, want %d", got, want)
		}
	}
}

func TestSatisfies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version, constraint string
		want                bool
	}{
		{"0.1.0", ">= 0.1.0", true}, {"0.1.0", "> 0.1", false}, {"1.4.2", ">= 1.0, < 2", true}, {"2.0.0", ">=1.0,<2", false},
		{"1.4.2", "~> 1.2", true}, {"2.0.0", "~> 1.2", false}, {"1.2.9", "~> 1.2.3", true}, {"1.3.0", "~> 1.2.3", false},
		{"1.0.0", "1.0", true}, {"1.0.1", "!= 1.0.1", false}, {"v1.2.3-dev", "= 1.2.3", true}, {"(devel)", ">= 9", true}, {"", "< 0.1", true},
	}
	for _, tt := range tests {
		if got, err := satisfies(tt.version, tt.constraint); err != nil || got != tt.want {
			t.Errorf("%q meets %q = %v, %v; want %v", tt.version, tt.constraint, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "=> 1", "1.x", ">= 1,", "~~> 1"} {
		if _, err := satisfies("1", bad); err == nil {
			t.Errorf("%q is taken for a constraint", bad)
		}
	}
}

func TestExpandPrompts(t *testing.T) {
	t.Parallel()
	tpl := &Template{Prompt: "{a}{b} {{a}} {c}", SystemPrompt: "{b}", Values: map[string][]string{"a": {"1", "2", "3"}, "b": {"x", "y"}, "unused": {"u", "v"}}}
	got := ExpandPrompts(tpl, 100)
	if len(got) != 6 {
		t.Fatalf("%d prompts, want the 6 combinations", len(got))
	}
	seen := map[Prompt]bool{}
	for _, p := range got {
		seen[p] = true
	}
	if len(seen) != 6 {
		t.Errorf("combinations come up twice: %v", got)
	}
	if want := []Prompt{{"x", "1x {a} {c}"}, {"y", "2y {a} {c}"}, {"x", "3x {a} {c}"}}; !cmp.Equal(got[:3], want) {
		t.Errorf("first prompts = %v, want %v: both lists are cycled through from the start", got[:3], want)
	}
	for n := uint64(1); n < 6; n++ {
		if d := cmp.Diff(got[:n], ExpandPrompts(tpl, n)); d != "" {
			t.Errorf("%d samples ask with other prompts than 100 do: %s", n, d)
		}
	}
	if got := ExpandPrompts(&Template{}, 8192); !cmp.Equal(got, []Prompt{{}}) {
		t.Errorf("without a prompt: %v, want one empty one", got)
	}
	if got := ExpandPrompts(&Template{Prompt: "p", Examples: []string{"e", "f"}}, 3); !cmp.Equal(got, []Prompt{{Text: "e\n\nf\n\np"}}) {
		t.Errorf("with examples: %q", got)
	}
	huge := &Template{Values: map[string][]string{}}
	for c := 'a'; c <= 'z'; c++ {
		huge.Prompt += "{" + string(c) + "}"
		huge.Values[string(c)] = []string{"0", "1", "2", "3", "4", "5", "6", "7"}
	}
	if got := ExpandPrompts(huge, 10); len(got) != 10 || got[9].Text == got[0].Text {
		t.Errorf("8^26 combinations: %d prompts", len(got))
	}
}

// TestEndpoint: a generator that names a node which serves a model asks there.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	cfg, _, diags := load(t, "testdata/endpoint", Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, s := range cfg.Stages {
		if s.Name != "teacher" {
			continue
		}
		if got := s.Body.Value.GetAttr("base_url").AsString(); got != "http://mini.local:11434/v1" || s.Body.Attrs["base_url"].Range != s.Attrs["node"].Range {
			t.Errorf("base_url is %q, of %v", got, s.Body.Attrs["base_url"].Range)
		}
		return
	}
	t.Error("there is no such stage")
}
