package config

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A generator's model and a trainer's start are a trainer or a path, in both spellings.
func TestImport(t *testing.T) {
	t.Parallel()
	hcl := `
generator "llama" "a" { model = trainer.llama.t }
generator "llama" "b" { model = "models/base.gguf" }
trainer "llama" "t" {
  start     = "${path.module}/models/base"
  max_steps = 10
}
`
	yaml := `
generator:
  llama:
    a: { model: "${trainer.llama.t}" }
    b: { model: models/base.gguf }
trainer:
  llama:
    t: { start: "${path.module}/models/base", max_steps: 10 }
`
	for name, src := range map[string]string{"main.jupiter.hcl": hcl, "main.jupiter.yaml": yaml} {
		dir := write(t, map[string]string{name: src})
		cfg, files, diags := load(t, dir, Options{Version: "0.1.0"})
		if diags.HasErrors() {
			t.Fatal(text(t, files, diags))
		}
		type from struct{ Model, Attr, Path, Written string }
		got := map[string]from{}
		for _, s := range cfg.Stages {
			f := from{Model: string(s.Model)}
			if s.Import != nil {
				rel, err := filepath.Rel(cfg.Dir, s.Import.Path)
				if err != nil {
					t.Fatal(err)
				}
				f.Attr, f.Path, f.Written = s.Import.Attr, filepath.ToSlash(rel), s.Import.Written
			}
			got[string(s.Addr)] = f
		}
		want := map[string]from{
			"generator.llama.a": {Model: "trainer.llama.t"},
			"generator.llama.b": {Attr: "model", Path: "models/base.gguf", Written: "models/base.gguf"},
			"trainer.llama.t":   {Attr: "start", Path: "models/base", Written: "./models/base"},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
