package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"jupiter/plan/config/older"
)

const gardening = "testdata/older/gardening"

// gardeningFiles are the project in the older form, with the data that it names.
func gardeningFiles(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{"eval.jsonl": strings.Repeat("{}\n", 650), "notes.jsonl": "{}\n"}
	for _, name := range []string{"config/cluster.yaml", "config/domains/gardening.yaml", "stages.jupiter.hcl"} {
		src, err := os.ReadFile(filepath.Join(gardening, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(src)
	}
	return files
}

// TestOlderProject: config/cluster.yaml and config/domains load beside a file with the stages, and mean what they meant.
func TestOlderProject(t *testing.T) {
	t.Parallel()
	dir := write(t, gardeningFiles(t))
	c, files, diags := load(t, dir, Options{})
	if msg := text(t, files, diags); diags.HasErrors() || len(diags) != 2 || !strings.Contains(msg, "Not carried over") || !strings.Contains(msg, "Small gate pool") {
		t.Fatal(msg)
	}
	d, k := c.Domains[0], c.Cycles[0]
	if k.Name != "gardening" || k.Domain != d || k.Trainer.Name != "student" || k.EvalEverySteps != 100 || k.Alpha != 0.02 || k.Weights.Accuracy != 0.5 || k.Patience != 5 || k.Cluster != c.Clusters[0] {
		t.Errorf("the cycle is %+v", k)
	}
	var sources []string
	for _, s := range d.Sources {
		sources = append(sources, s.Type+"."+s.Name+" → "+s.Bucket)
	}
	if diff := cmp.Diff([]string{"docs.documentation → real_docs", "files.documentation → real_docs", "git.github → real_code", "web.websites → real_docs"}, sources); diff != "" {
		t.Error(diff)
	}
	if got := d.Sources[2].Body.Value.GetAttr("repos").AsValueSlice()[0].AsString(); got != "https://github.com/example/beds" {
		t.Errorf("repository = %q", got)
	}
	type tpl struct {
		name, bucket, prompt string
		weight               float64
	}
	var templates []tpl
	for _, x := range d.Templates {
		templates = append(templates, tpl{x.Name, x.Bucket, x.Prompt, x.Weight})
	}
	want := []tpl{
		{"qa", "synthetic_qa", "When is {topic} sown?\nSay the month, and why: 100 %{ sure }.\n", 0.25},
		{"qa_2", "synthetic_qa", "Where does {topic} grow, in $5 soil or \"better\"?", 0.25},
		{"step_by_step", "synthetic_steps", "Show how to {task}.", 0.5},
	}
	if diff := cmp.Diff(want, templates, cmp.AllowUnexported(tpl{})); diff != "" {
		t.Error(diff)
	}
	if d.Keywords[1] != "pruning ${shears}" || d.Templates[0].SystemPrompt != d.Description || d.Evaluation.CustomEvalFile != filepath.Join(dir, "eval.jsonl") {
		t.Errorf("the domain is %+v", d)
	}
	if n := c.Clusters[0].Nodes[0]; n.Name != "the_greenhouse" || n.MemoryGB != 16 || !n.CanTrain || c.Clusters[0].SyncEveryNSteps != 2 {
		t.Errorf("the node is %+v", n)
	}
	if r := d.Templates[2].Attrs["prompt"].Range; r.Filename != filepath.Join(dir, "config", "domains", "gardening.yaml") || r.Start.Line != 29 {
		t.Errorf("the prompt is at %s", r)
	}
}

// TestOlderTwins: what is written as HCL decodes to what the older files decode to.
func TestOlderTwins(t *testing.T) {
	t.Parallel()
	files := gardeningFiles(t)
	dir := write(t, files)
	was := mustLoad(t, dir, Options{})
	for _, name := range OlderFiles(dir) {
		f, _, diags := Older([]byte(files[filepath.ToSlash(name)]), name, ".")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		src := f.HCL()
		if out, _, diags := Format(src, "x.jupiter.hcl"); diags.HasErrors() || string(out) != string(src) {
			t.Errorf("%s is not laid out in the usual way: %v\n%s", name, diags, src)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)+".jupiter.hcl"), src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "config")); err != nil {
		t.Fatal(err)
	}
	is := mustLoad(t, dir, Options{})
	if d := cmp.Diff(was, is, alike(), cmpopts.IgnoreFields(Domain{}, "Attrs")); d != "" {
		t.Errorf("HCL and the older form differ:\n%s", d)
	}
	// An attribute is written at one place in both forms.
	for name := range was.Domains[0].Attrs {
		if _, ok := is.Domains[0].Attrs[name]; !ok {
			t.Errorf("the written domain has no %s", name)
		}
	}
}

// TestOlderInvalid loads each case as a project of its own. Expectations are those of TestInvalid.
func TestOlderInvalid(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/older/invalid/*.yaml")
	if err != nil || len(cases) < 30 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := "config/domains/case.yaml"
			if strings.HasPrefix(filepath.Base(path), "c") && !strings.HasPrefix(filepath.Base(path), "collector") {
				name = "config/cluster.yaml"
			}
			dir := write(t, map[string]string{name: string(src), "x": "x"})
			_, files, diags := load(t, dir, Options{})
			meet(t, expectations(string(src)), filepath.Join(dir, filepath.FromSlash(name)), files, diags)
		})
	}
}

// TestOlderElsewhere: a config/cluster.yaml of something else is no matter of a project that has files of the present form.
func TestOlderElsewhere(t *testing.T) {
	t.Parallel()
	var dir string
	for _, foreign := range []string{"kind: Deployment\n", "kind: A\n---\nkind: B\n", "x: !secret y\n"} {
		dir = write(t, map[string]string{"a.jupiter.hcl": "output \"a\" { value = 1 }\n", "config/cluster.yaml": foreign, "config/domains/.swap.yaml": "x"})
		if c := mustLoad(t, dir, Options{}); len(c.Outputs) != 1 || len(c.Clusters) != 0 {
			t.Errorf("%s: %+v", foreign, c)
		}
	}
	if _, _, err := FindModule(filepath.Join(dir, "config", "cluster.yaml")); err == nil || !strings.Contains(err.Error(), "jupiter domain import") {
		t.Errorf("an older file alone: %v", err)
	}
}

// FuzzOlder looks for a panic, for a rejection without a place, and for HCL that does not say what the body says.
func FuzzOlder(f *testing.F) {
	for _, pattern := range []string{"testdata/older/invalid/*.yaml", "testdata/older/gardening/config/*.yaml", "testdata/older/gardening/config/domains/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatal(pattern, err)
		}
		for _, p := range paths {
			src, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add([]byte("self_improvement:\n  gate: {0}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		o, _, _, diags := older.Read(src, older.Options{Name: "f.yaml", Cycle: cycleForm.body(), Base: "."})
		for _, d := range diags {
			if d.Subject == nil || d.Subject.End.Byte > len(src) || d.Subject.Start.Byte > d.Subject.End.Byte {
				t.Fatalf("no place in the source: %v", d)
			}
		}
		if o == nil || diags.HasErrors() {
			return
		}
		out := o.HCL()
		written, diags := hclsyntax.ParseConfig(out, "f.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, out)
		}
		nameUnlabelled(written.Body.(*hclsyntax.Body))
		same(t, o.Body(yamlOptions()), written.Body, fileForm().body(), string(out))
	})
}

// same compares two bodies by a grammar: the blocks, and the values of all other attributes that stand alone.
func same(t *testing.T, a, b hcl.Body, schema *hcl.BodySchema, src string) {
	t.Helper()
	inner := map[string]*hcl.BodySchema{"domain": domainForm.body(), "self_improvement": cycleForm.body(),
		"cluster": {Blocks: []hcl.BlockHeaderSchema{{Type: "node", LabelNames: []string{"name"}}}}}
	x, restX, _ := a.PartialContent(schema)
	y, restY, _ := b.PartialContent(schema)
	if len(x.Blocks) != len(y.Blocks) {
		t.Fatalf("%d blocks and %d\n%s", len(x.Blocks), len(y.Blocks), src)
	}
	for _, bx := range x.Blocks {
		found := false
		for _, by := range y.Blocks {
			if bx.Type == by.Type && cmp.Equal(bx.Labels, by.Labels) {
				s := inner[bx.Type]
				if s == nil {
					s = &hcl.BodySchema{}
				}
				found = true
				same(t, bx.Body, by.Body, s, src)
				break
			}
		}
		if !found {
			t.Fatalf("no block %s %v\n%s", bx.Type, bx.Labels, src)
		}
	}
	moreX, _ := restX.JustAttributes()
	moreY, _ := restY.JustAttributes()
	for name, attr := range moreX {
		x.Attributes[name] = attr
	}
	for name, attr := range moreY {
		y.Attributes[name] = attr
	}
	if len(x.Attributes) != len(y.Attributes) {
		t.Fatalf("%d attributes and %d\n%s", len(x.Attributes), len(y.Attributes), src)
	}
	for name, ax := range x.Attributes {
		ay := y.Attributes[name]
		if ay == nil {
			t.Fatalf("no attribute %s\n%s", name, src)
		}
		vx, dx := ax.Expr.Value(nil)
		vy, dy := ay.Expr.Value(nil)
		if !dx.HasErrors() && (dy.HasErrors() || !vx.RawEquals(vy)) {
			t.Fatalf("%s is %#v and %#v\n%s", name, vx, vy, src)
		}
	}
}
