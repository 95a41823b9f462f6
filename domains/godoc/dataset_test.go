package godoc

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixture is a small GOROOT. It has what data are not made of too.
var fixture = filepath.Join("testdata", "goroot")

// installed is the GOROOT of this machine.
func installed(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestDatasetOfFixture(t *testing.T) {
	t.Parallel()
	d, err := MakeDataset(fixture)
	if err != nil {
		t.Fatal(err)
	}
	var real []string
	for _, r := range d.Real {
		real = append(real, r.Meta["package"]+": "+strings.Split(r.Text, "\n")[0])
	}
	want := []string{
		"brick: type Size struct{ Length, Width, Height int }",
		"brick: func (s Size) Volume() int {",
		"brick: type Wall[B any] struct {",
		"brick: func (w *Wall[B]) Add(b B) {",
		"brick: func (w *Wall[B]) Len() int { return len(w.bricks) }",
		"brick: func Map[A, B any](w *Wall[A], change func(A) B) *Wall[B] { return nil }",
		"brick: func Bake(s Size) kiln.Heat {",
		"brick: func Look(p Pane) bool { return p.Clear }",
		"brick: const (",
		"brick: var Usual = Size{240, 115, 71}",
		"brick: func Parts() {}",
		"brick/inner: type Heat int",
		"brick/inner: func Fire(volume int) Heat { return Heat(volume / 1000) }",
		"brick/inner: type Pane struct{ Clear bool }",
	}
	if diff := cmp.Diff(want, real); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"func (w *Wall[B]) Add": "package brick\n\n// Add lays one more brick on a Wall. Add works with any kind of brick.\n",
		"func Parts":            "package brick\n\n// Parts has a comment of two paragraphs.\n",
		"func Fire":             "package inner // import \"brick/inner\"\n\n// Fire heats the kiln for a brick of a volume.\n",
	} {
		i := slices.IndexFunc(d.Real, func(r Record) bool { return strings.HasPrefix(r.Text, text) })
		if i < 0 || d.Real[i].Prompt != want {
			t.Errorf("%s has the prompt %q, want %q", text, d.Real[i].Prompt, want)
		}
	}
	if len(d.Validation) != 2 || d.Validation[0].Benchmark != Declaration || !strings.Contains(d.Validation[0].Reference, "return") {
		t.Errorf("validation is %+v", d.Validation)
	}
	for _, it := range d.Gate {
		if strings.Contains(it.Prompt, "Same says") && it.Benchmark == Signature {
			t.Errorf("a question with two answers is asked: %+v", it)
		}
	}
}

func TestItemsOfFixture(t *testing.T) {
	t.Parallel()
	d, err := MakeDataset(fixture)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, it := range slices.Concat(d.Dev, d.Gate) {
		count[it.Benchmark]++
		if len(it.Distractors) != wrong {
			t.Errorf("%s has the distractors %q", it.Key, it.Distractors)
		}
		for _, o := range it.Distractors {
			if o == it.Reference {
				t.Errorf("%s: distractor %q is the reference", it.Key, o)
			}
			_, head, _ := strings.Cut(it.Key, "func")
			if it.Benchmark == Signature && !strings.HasPrefix(o, "func"+head) {
				t.Errorf("%s: distractor %q has another name or receiver", it.Key, o)
			}
		}
	}
	if count[Signature] < 8 || count[Cloze] < 8 {
		t.Errorf("%v items", count)
	}
}

// TestDatasetIsReproducible: the same files give the same bytes.
func TestDatasetIsReproducible(t *testing.T) {
	t.Parallel()
	a, err := MakeDataset(fixture)
	if err != nil {
		t.Fatal(err)
	}
	b, err := MakeDataset(fixture)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range a.Files() {
		if len(f.Data) == 0 || !bytes.Equal(f.Data, b.Files()[i].Data) {
			t.Errorf("%s: %d and %d bytes", f.Name, len(f.Data), len(b.Files()[i].Data))
		}
	}
}

func TestNoGoroot(t *testing.T) {
	t.Parallel()
	if _, err := MakeDataset(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no GOROOT") {
		t.Errorf("data of nothing: %v", err)
	}
}

// TestDatasetOfInstallation holds the data of this machine's Go to what the README says of it.
func TestDatasetOfInstallation(t *testing.T) {
	t.Parallel()
	d, err := MakeDataset(installed(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Real) < 8000 || len(d.Validation) != validationSize || len(d.Dev) != devSize || len(d.Gate) < 2000 {
		t.Errorf("%d real records, %d, %d and %d items", len(d.Real), len(d.Validation), len(d.Dev), len(d.Gate))
	}
	splits := map[string]string{} // by group
	see := func(split, path string) {
		g := group(path)
		if was, ok := splits[g]; ok && was != split {
			t.Errorf("%s of group %s is in %s, and the group in %s too", path, g, split, was)
		}
		splits[g] = split
	}
	for _, r := range d.Real {
		see(Real, r.Meta["package"])
		if n := len(r.Prompt) + len(r.Text); n > maxExample {
			t.Errorf("a record of %d bytes: %s", n, r.Prompt)
		}
	}
	keys, clusters := map[string]bool{}, map[string]bool{}
	for split, items := range map[string][]Item{Validation: d.Validation, Dev: d.Dev, Gate: d.Gate} {
		for _, it := range items {
			see(split, it.Cluster)
			if keys[it.Key] {
				t.Errorf("key %q is there twice", it.Key)
			}
			keys[it.Key] = true
			if split == Gate {
				clusters[it.Cluster] = true
			}
			if n := len(it.Prompt) + len(it.Reference); n > maxExample {
				t.Errorf("an item of %d bytes: %s", n, it.Key)
			}
		}
	}
	if len(clusters) < 30 {
		t.Errorf("the gate has %d packages", len(clusters))
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"strings": "bytes", "internal/stringslite": "bytes", "math/rand": "math", "math/rand/v2": "math", "internal/chacha8rand": "math",
		"encoding/json": "encoding", "internal": "internal", "internal/poll": "os", "crypto/internal/fips140/aes": "crypto", "html/template": "text",
	} {
		if got := group(path); got != want {
			t.Errorf("%s is of group %s, want %s", path, got, want)
		}
	}
	for _, alike := range [][2]string{{"math/rand", "math/rand/v2"}, {"text/template", "html/template"}, {"reflect", "internal/reflectlite"}, {"os", "internal/poll"}} {
		if a, b := splitOf(alike[0]), splitOf(alike[1]); a != b {
			t.Errorf("%s is in %s, %s in %s", alike[0], a, alike[1], b)
		}
	}
}
