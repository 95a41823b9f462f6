package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/schema"
)

// alike compares Configs but for where things were written.
func alike() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreTypes(hcl.Range{}),
		cmpopts.IgnoreInterfaces(struct{ hcl.Body }{}),
		cmp.Comparer(func(a, b cty.Value) bool {
			if a == cty.NilVal || b == cty.NilVal {
				return a == cty.NilVal && b == cty.NilVal
			}
			return a.RawEquals(b)
		}),
		cmp.Comparer(func(a, b *schema.Stage) bool { return a.Kind == b.Kind && a.Type == b.Type }),
		cmpopts.EquateNaNs(),
	}
}

func load(t *testing.T, path string, o Options) (*Config, Files, hcl.Diagnostics) {
	t.Helper()
	if o.Schemas == nil {
		o.Schemas = newSchemas()
	}
	return Load(path, o)
}

func text(t *testing.T, files Files, diags hcl.Diagnostics) string {
	t.Helper()
	var b bytes.Buffer
	if err := hcl.NewDiagnosticTextWriter(&b, files, 0, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustLoad(t *testing.T, path string, o Options) *Config {
	t.Helper()
	c, files, diags := load(t, path, o)
	if diags.HasErrors() {
		t.Fatalf("%s:\n%s", path, text(t, files, diags))
	}
	return c
}

const examples = "../../examples"

func TestQuickstart(t *testing.T) {
	t.Parallel()
	c, files, diags := load(t, examples+"/quickstart", Options{})
	if len(diags) > 0 {
		t.Fatalf("the quickstart has diagnostics:\n%s", text(t, files, diags))
	}
	if len(c.Cycles) != 1 || len(c.Domains) != 1 || len(c.Stages) != 7 {
		t.Fatalf("%d cycles, %d domains, %d stages; want 1, 1, 7", len(c.Cycles), len(c.Domains), len(c.Stages))
	}
	k, d := c.Cycles[0], c.Domains[0]
	if k.Domain != d || k.Base == nil || k.Base.Name != "base" || k.Successor != k.Generator || k.Trainer.Name != "student" || len(k.Filters) != 1 {
		t.Errorf("the cycle is not linked: %+v", k)
	}
	if d.Verifier == nil || d.Verifier.Addr != "module.quantities.verifier.quantities.exact" {
		t.Errorf("verifier = %+v", d.Verifier)
	}
	want := DatasetRef{Domain: "module.quantities.domain.quantities", Side: "real"}
	if k.Base.Dataset != want {
		t.Errorf("dataset = %+v, want %+v", k.Base.Dataset, want)
	}
	if k.Trainer.MaxSteps != 6400 || k.EvalEverySteps != 1600 || k.Generator.Samples != 32768 || k.Patience != 5 {
		t.Errorf("numbers are wrong: %+v %+v", k.Trainer, k)
	}
	paths := d.Sources[0].Body.Value.GetAttr("paths").AsValueSlice()
	if got := paths[0].AsString(); got != "../../domains/quantities/real.jsonl" {
		t.Errorf("path in a body = %q: it must not depend on where the tree lies", got)
	}
	if got := d.Evaluation.Splits["gate"][0]; !filepath.IsAbs(got) || filepath.Base(got) != "gate.jsonl" {
		t.Errorf("gate split = %q", got)
	}
	if got := d.Evaluation.Written["gate"]; !cmp.Equal(got, []string{"../../domains/quantities/gate.jsonl"}) {
		t.Errorf("gate split as written = %q", got)
	}
	if w := d.Templates[0].Weight; w != 1 {
		t.Errorf("the only template's weight = %v, want 1", w)
	}
}

func TestSpellingsAgree(t *testing.T) {
	t.Parallel()
	a, b := mustLoad(t, examples+"/quickstart", Options{}), mustLoad(t, examples+"/quickstart-yaml", Options{})
	b.Dir, b.StateDir = a.Dir, a.StateDir
	if d := cmp.Diff(a, b, alike()); d != "" {
		t.Errorf("HCL and YAML differ:\n%s", d)
	}
}

// TestUnreal loads the sample of the whole language, with schemas of the stages that it names. Nothing can serve its
// cluster, and what no version acts on yet is refused; everything else is decoded, and the two spellings agree, in what is
// refused too.
func TestUnreal(t *testing.T) {
	t.Parallel()
	a, _, da := load(t, "testdata/samples/examples/unreal", Options{})
	b, _, db := load(t, "testdata/samples/examples/unreal-yaml", Options{})
	b.Dir, b.StateDir = a.Dir, a.StateDir
	if d := cmp.Diff(a, b, alike()); d != "" {
		t.Errorf("HCL and YAML differ:\n%s", d)
	}
	summaries := func(diags hcl.Diagnostics) map[string]int {
		m := map[string]int{}
		for _, d := range diags {
			m[d.Summary]++
		}
		return m
	}
	for spelling, diags := range map[string]hcl.Diagnostics{"HCL": da, "YAML": db} {
		got := summaries(diags)
		if d := cmp.Diff(map[string]int{"Cluster cannot be served": 4}, got); d != "" {
			t.Errorf("diagnostics of %s:\n%s", spelling, d)
		}
	}
	if n := len(a.Clusters[0].Nodes); n != 3 {
		t.Errorf("%d nodes, want 3: for_each makes two", n)
	}
	var sources []string
	for _, s := range a.Domains[0].Sources {
		sources = append(sources, string(s.Addr))
	}
	const d = "module.unreal_engine.domain.unreal_engine.source."
	if diff := cmp.Diff([]string{d + "docs.epic", d + "git.engine", d + `web.site["blog"]`, d + `web.site["forum"]`}, sources); diff != "" {
		t.Error(diff)
	}
	if o := a.Outputs[0]; o.Ref != "self_improvement.ue5.current" || o.Value.IsKnown() || o.Value.Type() != cty.String {
		t.Errorf("output = %+v", o)
	}
}

func TestExamplesLoad(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(examples + "/*")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("%d examples, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		switch filepath.Base(dir) {
		case "plugins": // holds plugins; each plan there needs its own, and is applied by a test with it
			continue
		case "godoc": // its data are made first; a test makes them and applies it
			continue
		case "specialist": // its model, its documents and its plugin are made first; make test-specialist makes them and applies it
			continue
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		c := mustLoad(t, dir, Options{})
		if len(c.Cycles) == 0 {
			t.Errorf("%s has no cycle", dir)
		}
	}
	if c := mustLoad(t, examples+"/control", Options{}); !cmp.Equal(c.Cycles[0].MixRatio, map[string]float64{"real": 1}) {
		t.Errorf("control: mix_ratio = %v", c.Cycles[0].MixRatio)
	}
	c := mustLoad(t, examples+"/ablation-no-anchor", Options{})
	if k := c.Cycles[0]; k.Verify || k.Pool != "replace" || c.Domains[0].MixRatio["real"] != 0 || c.Domains[0].Anchor.Min != 0 {
		t.Errorf("ablation-no-anchor: %+v", k)
	}
}

// TestMovedTree proves that nothing but the fields that say so depends on where the tree lies.
func TestMovedTree(t *testing.T) {
	t.Parallel()
	var got [2]*Config
	for i := range got {
		root := filepath.Join(t.TempDir(), strings.Repeat("x/", i+1))
		for _, dir := range []string{"examples/quickstart", "domains/quantities"} {
			if err := os.CopyFS(filepath.Join(root, dir), os.DirFS("../../"+dir)); err != nil {
				t.Fatal(err)
			}
		}
		got[i] = mustLoad(t, filepath.Join(root, "examples/quickstart"), Options{})
	}
	got[1].Dir, got[1].StateDir = got[0].Dir, got[0].StateDir
	ignore := cmpopts.IgnoreFields(Evaluation{}, "Splits", "CustomEvalFile")
	if d := cmp.Diff(got[0], got[1], alike(), ignore); d != "" {
		t.Errorf("the configuration depends on its place:\n%s", d)
	}
}
