package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// project is one cycle with a chain of n filters, spelled in HCL and in YAML. Each file is a whole module, and both stand
// for the same actions, so they share one state.
type project struct {
	dir string
	n   int
}

// spelling is one way to write a configuration.
type spelling struct {
	name, file string
	write      func(n int) string
}

var spellings = []spelling{
	{"HCL", "chain.jupiter.hcl", func(n int) string { return headHCL + chainHCL(n) }},
	{"YAML", "chain.jupiter.yaml", func(n int) string { return headYAML + chainYAML(n) }},
}

func planName(n int, s spelling) string { return fmt.Sprintf("jupiter plan, %d stages, %s", n, s.name) }

const versionName = "jupiter version"

// plan is the command that is measured, with the end of what it must say.
func (p *project) plan(s spelling, program string, env []string) command {
	return command{path: program, args: []string{"plan", filepath.Join(p.dir, s.file)}, env: env,
		want: fmt.Sprintf("1 to decide; %d unchanged.", p.n+others)}
}

// others is the number of actions of the cycle besides the filters and the decision: benchmark, source, real records,
// samples, verification, pool, mix, window, selection, guard and evaluation.
const others = 11

// prepare writes the project, records all of its actions, and makes sure that a plan finds them.
func (p *project) prepare(ctx context.Context, program string, env []string) error {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	files := p.files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(files[name]), 0o644); err != nil {
			return err
		}
	}
	if err := recordProject(ctx, program, filepath.Join(p.dir, spellings[0].file), env); err != nil {
		return err
	}
	for _, s := range spellings {
		if err := p.check(ctx, s, program, env); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// check asks the program for the plan as JSON: every action but the decision is there, and compared.
func (p *project) check(ctx context.Context, s spelling, program string, env []string) error {
	cmd := exec.CommandContext(ctx, program, "plan", "--json", filepath.Join(p.dir, s.file))
	cmd.Env, cmd.Stderr = env, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("plan --json: %w", err)
	}
	var got struct {
		Summary map[string]int `json:"summary"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return fmt.Errorf("plan --json: %w", err)
	}
	want := map[string]int{"no_op": p.n + others, "decide": 1}
	for _, op := range slices.Sorted(maps.Keys(got.Summary)) {
		if got.Summary[op] != want[op] {
			return fmt.Errorf("the plan has %d × %s, want %d: what was recorded is not what the planner asks for", got.Summary[op], op, want[op])
		}
		delete(want, op)
	}
	if len(want) > 0 {
		return fmt.Errorf("the plan's summary has no %v", slices.Sorted(maps.Keys(want)))
	}
	return nil
}

// files are the configuration in its spellings and the questions of its splits.
func (p *project) files() map[string]string {
	files := map[string]string{}
	for _, s := range spellings {
		files[s.file] = s.write(p.n)
	}
	for split, part := range map[string][2]int{"validation": {1000000, 60}, "dev": {2000000, 100}, "gate": {3000000, 500}} {
		var lines strings.Builder
		for i := part[0]; i < part[0]+part[1]; i++ {
			fmt.Fprintf(&lines, `{"prompt":"fake %d:","reference":"%d"}`+"\n", i, i)
		}
		files[split+".jsonl"] = lines.String()
	}
	return files
}

// minChars is an attribute of the i-th filter: neighbours differ, as blocks that somebody wrote do.
func minChars(i int) int { return 1 + i%50 }

func filterName(i int) string { return fmt.Sprintf("step_%05d", i) }

// chainHCL spells the filters and the cycle that runs samples through them in order.
func chainHCL(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "filter \"quality\" %q {\n  min_chars = %d\n  kind      = \"structured\"\n}\n\n", filterName(i), minChars(i))
	}
	b.WriteString("self_improvement \"numbers\" {\n  domain    = domain.numbers\n  generator = generator.fake.base\n  trainer   = trainer.fake.student\n" +
		"  exporter  = exporter.fake.model\n  evaluator = evaluator.fake.panel\n  eval_every_steps         = 20\n  min_steps_before_replace = 20\n  filters = [\n")
	for i := range n {
		fmt.Fprintf(&b, "    filter.quality.%s,\n", filterName(i))
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

// chainYAML spells the same.
func chainYAML(n int) string {
	var b strings.Builder
	b.WriteString("filter:\n  quality:\n")
	for i := range n {
		fmt.Fprintf(&b, "    %s:\n      min_chars: %d\n      kind: structured\n", filterName(i), minChars(i))
	}
	b.WriteString("self_improvement:\n  numbers:\n    domain: ${domain.numbers}\n    generator: ${generator.fake.base}\n    trainer: ${trainer.fake.student}\n" +
		"    exporter: ${exporter.fake.model}\n    evaluator: ${evaluator.fake.panel}\n    eval_every_steps: 20\n    min_steps_before_replace: 20\n    filters:\n")
	for i := range n {
		fmt.Fprintf(&b, "      - ${filter.quality.%s}\n", filterName(i))
	}
	return b.String()
}

// headHCL and headYAML are all of the project but the chain.
const headHCL = `verifier "fake" "exact" {}

domain "numbers" {
  description = "numbers that answer themselves"
  verifier    = verifier.fake.exact
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "fake" "examples" {
    bucket = "real"
    n      = 300
  }

  template "question" {
    bucket = "synthetic"
    prompt = "fake {n}:"
    values = { n = [for i in range(5000000, 5000200) : tostring(i)] }
  }

  evaluation {
    split "validation" { file = "validation.jsonl" }
    split "dev" { file = "dev.jsonl" }
    split "gate" { file = "gate.jsonl" }
  }
}

generator "fake" "base" {
  samples = 200
}

trainer "fake" "student" {
  max_steps        = 40
  save_every_steps = 10
}

exporter "fake" "model" {}

evaluator "fake" "panel" {}

`

const headYAML = `verifier:
  fake:
    exact: {}
domain:
  numbers:
    description: numbers that answer themselves
    verifier: ${verifier.fake.exact}
    mix_ratio: { real: 0.35, synthetic: 0.65 }
    source:
      fake:
        examples:
          bucket: real
          n: 300
    template:
      question:
        bucket: synthetic
        prompt: "fake {n}:"
        values:
          n: "${[for i in range(5000000, 5000200) : tostring(i)]}"
    evaluation:
      split:
        validation: { file: validation.jsonl }
        dev: { file: dev.jsonl }
        gate: { file: gate.jsonl }
generator:
  fake:
    base:
      samples: 200
trainer:
  fake:
    student:
      max_steps: 40
      save_every_steps: 10
exporter:
  fake:
    model: {}
evaluator:
  fake:
    panel: {}
`
