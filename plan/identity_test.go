package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEffects: NONE changes nothing, ADVANCE keeps the lineage, RERUN changes both. The seed changes with what makes it.
func TestEffects(t *testing.T) {
	t.Parallel()
	const anchored = "description = \"d\"\n anchor {\n min = 0.31\n max = 0.40\n }"
	base := ids(t, plans(t, configured(t), newMemory()), newMemory())
	for _, tc := range []struct {
		name    string
		edit    []string
		at      string
		action  bool // the ID changes
		lineage bool
		seed    bool
	}{
		{"none", []string{"level            = 1", "level = 1\n threads = 9"}, "trainer.t.student", false, false, false},
		{"advance", []string{"level            = 1", "level = 1\n more = 9"}, "trainer.t.student", true, false, false},
		{"rerun", []string{"level            = 1", "level = 9"}, "trainer.t.student", true, true, false},
		{"a secret", []string{"level            = 1", "level = 1\n key = \"canary\""}, "trainer.t.student", false, false, false},
		{"samples", []string{"samples = 100", "samples = 200"}, "domain.d.template.a", true, false, false},
		{"prices and a budget", []string{"samples = 100", "samples = 100\n prices {\n version = \"v\"\n usd_per_million_input = 1\n usd_per_million_output = 2\n }\n budget {\n tokens = 9\n }"}, "domain.d.template.a", false, false, false},
		{"seed", []string{"samples = 100", "samples = 100\n seed = 7"}, "domain.d.template.a", true, true, true},
		{"prompt", []string{`prompt = "ask"`, `prompt = "tell"`}, "domain.d.template.b", true, true, true},
		{"anchor", []string{`description = "d"`, anchored}, "self_improvement.c.mix", true, true, false},
		{"the anchor's max", []string{`description = "d"`, "description = \"d\"\n anchor {\n max = 0.5\n }"}, "self_improvement.c.mix", false, false, false},
		{"the anchor of other draws", []string{`description = "d"`, anchored}, "trainer.t.base.mix[1]", false, false, false},
		{"the prompt of another template", []string{`prompt = "ask"`, `prompt = "tell"`}, "domain.d.template.a", false, false, false},
		{"max_steps", []string{"max_steps        = 40", "max_steps = 80"}, "trainer.t.student", false, false, false},
		{"save_every_steps", []string{"max_steps        = 40\n  save_every_steps = 5", "max_steps = 40\n save_every_steps = 10"}, "trainer.t.student", true, true, false},
		{"keep_last_n_checkpoints", []string{"benchmark_samples        = 700", "benchmark_samples = 700\n keep_last_n_checkpoints = 1"}, "evaluator.t.p", false, false, false},
		{"benchmark_samples", []string{"benchmark_samples        = 700", "benchmark_samples = 600"}, "domain.d.benchmark", true, true, false},
		{"exporter", []string{`exporter "t" "e" {}`, "exporter \"t\" \"e\" {\n level = 2\n}"}, "trainer.t.student.select", true, true, false},
		{"verifier", []string{`verifier "t" "v" {}`, "verifier \"t\" \"v\" {\n level = 2\n}"}, "self_improvement.c.guard", true, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			now := ids(t, plans(t, configured(t, tc.edit...), m), m)[tc.at]
			was := base[tc.at]
			if was.ID == "" || now.ID == "" {
				t.Fatalf("no action %s", tc.at)
			}
			if (now.ID != was.ID) != tc.action || (now.Lineage != was.Lineage) != tc.lineage {
				t.Errorf("ID changes: %t, want %t; lineage changes: %t, want %t\n%s", now.ID != was.ID, tc.action, now.Lineage != was.Lineage, tc.lineage, cmp.Diff(was.Parts, now.Parts))
			}
			if (now.Seed != was.Seed) != tc.seed {
				t.Errorf("the seed changes: %t, want %t", now.Seed != was.Seed, tc.seed)
			}
		})
	}
}

// TestOperationalChangeIsNoChange: with everything recorded, an attribute without effect leaves the plan empty but for
// the decision.
func TestOperationalChangeIsNoChange(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.run(t, plans(t, configured(t), m), 0)
	p := plans(t, configured(t, "level            = 1", "level = 1\n threads = 9"), m)
	if d := cmp.Diff(map[string]string{"self_improvement.c.promotion": "decide undecided:promotion"}, ops(p)); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
}

// TestDomainOfCalls: what every call of a plugin is told of the domain is a part of the action. A filter goes by the
// language, whether or not the samples come out otherwise.
func TestDomainOfCalls(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.run(t, plans(t, configured(t), m), 0)
	got := ops(plans(t, configured(t, `description = "d"`, "description = \"d\"\n language = \"es\""), m))
	for _, at := range []string{"filter.t.f", "trainer.t.student", "evaluator.t.p", "self_improvement.c.guard", "domain.d.benchmark"} {
		if !strings.Contains(got[at], "config-changed:domain") {
			t.Errorf("%s: %s", at, got[at])
		}
	}
}

const twin = `
verifier: { t: { v: {} } }
domain:
  d:
    description: d
    verifier: ${verifier.t.v}
    mix_ratio: { real: 0.35, synthetic: 0.65 }
    source: { t: { s: { bucket: real } } }
    template:
      a: { bucket: synthetic, weight: 0.75 }
      b: { bucket: synthetic, weight: 0.25, prompt: ask }
    evaluation:
      split:
        dev: { file: dev.jsonl }
        gate: { file: gate.jsonl }
        validation: { file: validation.jsonl }
trainer:
  t:
    base: { dataset: "${domain.d.real}", max_steps: 20, schedule_steps: 10, save_every_steps: 5 }
    student: { level: 1, max_steps: 40, save_every_steps: 5, select: { split: validation } }
generator: { t: { g: { model: "${trainer.t.base}", samples: 100 } } }
filter: { t: { f: {} } }
exporter: { t: { e: {} } }
evaluator: { t: { p: {} } }
self_improvement:
  c:
    domain: ${domain.d}
    generator: ${generator.t.g}
    filters: ["${filter.t.f}"]
    trainer: ${trainer.t.student}
    exporter: ${exporter.t.e}
    evaluator: ${evaluator.t.p}
    eval_every_steps: 10
    min_steps_before_replace: 10
    benchmark_samples: 700
`

// TestSpellings: the same project in YAML, in another directory, and in HCL with other spellings of the same values has
// the same IDs and the same envelope.
func TestSpellings(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	p := plans(t, cfg, m)
	want := ids(t, p, m)
	deep := filepath.Join(t.TempDir(), "somewhere", "else")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"yaml":      write(t, t.TempDir(), "twin.jupiter.yaml", twin),
		"elsewhere": write(t, deep, "main.jupiter.hcl", project),
		"spelling": write(t, t.TempDir(), "main.jupiter.hcl", edit(t, project,
			"level            = 1", "level = 4 / 4.0", "samples = 100", "samples = 50 + 50",
			"mix_ratio   = { real = 0.35, synthetic = 0.65 }", "mix_ratio = { synthetic = 0.65, \"real\" = 0.350 }")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other, m := load(t, dir), newMemory()
			q := plans(t, other, m)
			if d := cmp.Diff(want, ids(t, q, m)); d != "" {
				t.Errorf("identities:\n%s", d)
			}
			if !cmp.Equal(q.Envelope, p.Envelope) {
				t.Errorf("envelope %+v, want %+v", q.Envelope, p.Envelope)
			}
		})
	}
}

// TestDigest: a halt, and an approval, last until something changes that a decision depends on.
func TestDigest(t *testing.T) {
	t.Parallel()
	was := Digest(configured(t))
	for _, tc := range []struct {
		edit []string
		same bool
	}{
		{[]string{"level            = 1", "level = 1\n threads = 9"}, true},
		{[]string{"level            = 1", "level = 2"}, false},
		{[]string{"benchmark_samples        = 700", "benchmark_samples = 700\n patience = 9"}, true},
		{[]string{"benchmark_samples        = 700", "benchmark_samples = 600"}, false},
		{[]string{"benchmark_samples        = 700", "benchmark_samples = 700\n improvement_threshold = 0.1"}, false},
		{[]string{"benchmark_samples        = 700", "benchmark_samples = 700\n guard {\n nll = { halt = 0.2 }\n }"}, false},
		{[]string{"benchmark_samples        = 700", "benchmark_samples = 700\n promotion = \"manual\""}, false},
		{[]string{"mix_ratio   = { real = 0.35, synthetic = 0.65 }", "mix_ratio = { real = 0.36, synthetic = 0.64 }"}, false},
	} {
		if now := Digest(configured(t, tc.edit...)); (now == was) != tc.same {
			t.Errorf("%q: the digest is the same: %t, want %t", tc.edit[1], now == was, tc.same)
		}
	}
}
