package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPricesAndBudgets: HCL and YAML say the same prices and budgets.
func TestPricesAndBudgets(t *testing.T) {
	t.Parallel()
	base, err := filepath.Abs("testdata/base/base.jupiter.hcl")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	src = bytes.Replace(src, []byte(`output "secret" { value = var.secret }`), nil, 1)
	read := func(name, text string) *Config {
		dir := t.TempDir()
		for file, b := range map[string][]byte{"base.jupiter.hcl": src, name: []byte(text), "gate.jsonl": nil} {
			if file == "gate.jsonl" {
				if b, err = os.ReadFile("testdata/base/gate.jsonl"); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c := mustLoad(t, dir, Options{Version: "0.1.0"})
		c.Dir, c.StateDir = "", ""
		return c
	}
	hcl := read("more.jupiter.hcl", `
generator "llama" "priced" {
  model   = trainer.llama.base
  samples = 100
  prices {
    version                = "2026-10"
    usd_per_million_input  = 0.25
    usd_per_million_output = 1.5
  }
  budget {
    tokens  = 1000000
    hours   = 0.5
    usd     = 3
    disk_gb = 2
  }
}
`)
	yaml := read("more.jupiter.yaml", `
generator:
  llama:
    priced:
      model: ${trainer.llama.base}
      samples: 100
      prices: { version: 2026-10, usd_per_million_input: 0.25, usd_per_million_output: 1.5 }
      budget: { tokens: 1000000, hours: 0.5, usd: 3, disk_gb: 2 }
`)
	var got []*Stage
	for _, c := range []*Config{hcl, yaml} {
		for _, s := range c.Stages {
			if s.Name == "priced" {
				got = append(got, s)
			}
		}
	}
	if len(got) != 2 {
		t.Fatalf("%d generators", len(got))
	}
	if d := cmp.Diff(got[0], got[1], alike()); d != "" {
		t.Errorf("HCL and YAML differ (-HCL +YAML):\n%s", d)
	}
	if want := (&Prices{"2026-10", 0.25, 1.5}); !cmp.Equal(got[0].Prices, want) {
		t.Errorf("prices %+v, want %+v", got[0].Prices, want)
	}
	if want := (Budget{Tokens: 1000000, Hours: 0.5, USD: 3, DiskGB: 2}); got[0].Budget != want {
		t.Errorf("budget %+v, want %+v", got[0].Budget, want)
	}
	if usd := got[0].Prices.Of(2e6, 1e6); usd != 2 {
		t.Errorf("two million tokens in and one out cost %g", usd)
	}
}
