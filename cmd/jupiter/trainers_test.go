package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jupiter/plan"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/state"
)

// TestLoopTrainers: the trainers mlx and torch fine-tune a model of Hugging Face's with adapters, in two windows; the exporter
// llama merges them into that model, and the embedded engine answers with what came of it.
func TestLoopTrainers(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	t.Parallel()
	for _, trainer := range []string{"mlx", "torch"} {
		t.Run(trainer, func(t *testing.T) {
			t.Parallel()
			env, err := environmentOf("plugins/trainers/environment.py", trainer)
			if err != nil {
				t.Skipf("NOT TESTED, THE TRAINER %s IN A CYCLE: its environment cannot be made: %v", trainer, err)
			}
			loopTrainer(t, trainer, env)
		})
	}
}

// loopTrainer applies a plan with a trainer, whose plugin is in a virtual environment.
func loopTrainer(t *testing.T, trainer, env string) {
	t.Helper()
	dir := loopTiny(t, "  model      = trainer.llama.base\n", "  model      = \"models/base\"\n",
		"trainer \"llama\" \"student\" {\n  layers           = 1\n  dim              = 32\n  heads            = 2\n  ffn              = 96\n  learning_rate    = 0.01\n  max_steps        = 400\n  save_every_steps = 100\n",
		"jupiter {\n  required_plugins {\n    "+trainer+" = { source = \"./jupiter-"+trainer+"\" }\n  }\n}\n\ntrainer \""+trainer+"\" \"student\" {\n  start            = \"models/start\"\n  lora             = { rank = 4 }\n"+
			"  learning_rate    = 0.02\n  batch_size       = 8\n  max_seq_length   = 128\n  max_steps        = 20\n  schedule_steps   = 10\n  save_every_steps = 5\n",
		"trainer   = trainer.llama.student", "trainer   = trainer."+trainer+".student", "  samples    = 200\n", "  samples    = 60\n", "  max_tokens = 64\n", "  max_tokens = 16\n",
		"eval_every_steps         = 200", "eval_every_steps         = 10", "min_steps_before_replace = 200", "min_steps_before_replace = 10\n  guard_samples            = 200")
	loopModels(t, dir)
	start, _, err := gguf.Read(filepath.Join(dir, "models", "student.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	inDir(t, dir, "jupiter", "convert", "models/student.gguf", "models/start", "--dtype", "f32")
	program := fmt.Sprintf("#!%s/bin/python\nfrom jupiter_%s.plugin import main\n\nmain()\n", env, trainer)
	if err := os.WriteFile(filepath.Join(dir, "jupiter-"+trainer), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if said := loopRun(t, dir, exitDone, "init"); !strings.Contains(said, trainer) {
		t.Errorf("init:\n%s", said)
	}
	said := loopRun(t, dir, exitDone, "apply", "--auto-approve")
	for _, want := range []string{"trainer." + trainer + ".student.import: models/start, Hugging Face, ", "trainer." + trainer + ".student: steps 10 → 20"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if n := len(loopDecisions(t, dir)); n != 2 {
		t.Errorf("%d cycles were decided, want 2", n)
	}
	exports, read := map[string]bool{}, 0
	loopView(t, dir, func(tx *state.Tx) error {
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			if a.Kind != string(plan.Export) {
				continue
			}
			digits := strings.TrimPrefix(a.Outputs["model"].Digest, "sha256:")
			exports[digits] = true
			w, _, err := gguf.Read(filepath.Join(dir, ".jupiter", "artifacts", "sha256", digits[:2], digits, "model.gguf"))
			switch {
			case errors.Is(err, fs.ErrNotExist): // of a checkpoint that was not the best
				continue
			case err != nil:
				t.Errorf("an export cannot be read: %v", err)
			case len(w.Flat) != len(start.Flat) || slices.Equal(w.Flat, start.Flat):
				t.Error("an export has not learned, or is another model")
			}
			read++
		}
		return nil
	})
	if len(exports) != 4 || read < 2 {
		t.Errorf("%d different exports, want one for each of 4 checkpoints; %d are kept", len(exports), read)
	}
	if n := loopPlan(t, dir, exitDone); len(n) != 0 {
		t.Errorf("a second plan has %v", n)
	}
}
