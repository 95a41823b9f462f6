package runtime

import (
	"os"
	"path/filepath"
	"testing"

	"jupiter/plan/config"
	"jupiter/plan/forecast"
)

// The operations of a model from elsewhere follow from the size of its files; what a cost model says is left alone, and so is what
// nobody knows the size of.
func TestImportedModelsHaveASize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, size := range map[string]int{"one.gguf": 1000, "model/a.safetensors": 300, "model/b.safetensors": 400, "model/tokenizer.json": 90} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	work := forecast.Work{PromptTokens: 10, CompletionTokens: 5}
	said := work
	said.Flop = 7
	for _, c := range []struct {
		name string
		work forecast.Work
		path string
		want float64
	}{
		{"a file", work, "one.gguf", 2 * 1000 * 15},
		{"a directory", work, "model", 2 * 790 * 15},
		{"what the cost model says", said, "one.gguf", 7},
		{"nothing there", work, "none", 0},
	} {
		p := newProbe(&Runner{})
		if got := p.imported(c.work, &config.Import{Path: filepath.Join(dir, c.path)}, flopPerByte).Flop; got != c.want {
			t.Errorf("%s: %g operations, want %g", c.name, got, c.want)
		}
		if got := p.imported(c.work, nil, flopPerByte); got != c.work {
			t.Errorf("%s: without an import it is %v", c.name, got)
		}
	}
}
