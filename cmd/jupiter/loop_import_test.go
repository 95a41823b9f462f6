package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jupiter/plan"
	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/hf/hftest"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/runtime/guard"
	"jupiter/state"
)

// loopModels puts two models that no project has made beside a plan: models/base as Hugging Face writes it, and
// models/student.gguf. It gives the first as its files hold it.
func loopModels(t *testing.T, dir string) (*model.Weights, *bpe.Tokenizer) {
	t.Helper()
	tok := bpe.Train(slices.Values(strings.Split(loopRead(t, filepath.Join(dir, "real.jsonl")), "\n")[:100]), bpe.Options{VocabSize: 280})
	c := model.Config{Vocab: tok.Size(), Dim: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, FFN: 40, Context: 128, RopeTheta: 500000, NormEps: 1e-6}
	base := model.New(c)
	base.Init(1)
	hftest.Write(t, filepath.Join(dir, "models", "base"), base, tok, "BF16", 1)
	c.Dim, c.HeadDim, c.KVHeads, c.FFN = 32, 16, 2, 96
	student := model.New(c)
	student.Init(2)
	if err := gguf.Write(filepath.Join(dir, "models", "student.gguf"), student, tok, "student"); err != nil {
		t.Fatal(err)
	}
	return base, tok
}

// A cycle begins with a model of Hugging Face's and trains a student that starts from a GGUF file, and is exported as a
// directory of Hugging Face's. The generator says what the model's own numbers say.
func TestLoopImport(t *testing.T) {
	t.Parallel()
	dir := loopTiny(t, "  model      = trainer.llama.base\n", "  model      = \"models/base\"\n",
		"  learning_rate    = 0.01\n  max_steps        = 400\n", "  start            = \"models/student.gguf\"\n  learning_rate    = 0.01\n  max_steps        = 20\n",
		"  ffn              = 96\n", "  ffn              = 96\n  max_seq_length   = 128\n",
		"  save_every_steps = 100\n\n  select {\n    split = \"validation\"\n  }\n", "  save_every_steps = 20\n",
		"  max_tokens = 64\n", "  max_tokens = 32\n", "exporter \"llama\" \"gguf\" {}", "exporter \"llama\" \"gguf\" {\n  format = \"huggingface\"\n  dtype  = \"bf16\"\n}",
		"eval_every_steps         = 200", "eval_every_steps         = 20", "min_steps_before_replace = 200", "min_steps_before_replace = 20")
	base, tok := loopModels(t, dir)

	if out := loopRun(t, dir, exitDone, "plan"); !strings.Contains(out, "import models/base ") || !strings.Contains(out, "import models/student.gguf ") || strings.Contains(out, "trainer.llama.base[") {
		t.Errorf("plan:\n%s", out)
	}
	loopApply(t, dir)
	loopSound(t, dir, true)
	if out := loopRun(t, dir, exitDone, "generators"); !strings.Contains(out, "generator_v1 was imported from models/base.") {
		t.Errorf("generators:\n%s", out)
	}

	original, err := infer.New(base, tok)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	err = original.Generate(t.Context(), 1, func(int) infer.Request { return infer.Request{Prompt: tok.Sequence("7ft5in en in:")} },
		infer.Sampling{TopP: 1, RepetitionPenalty: 1, MaxTokens: 32}, infer.Options{Threads: 1, Batch: 1}, func(r infer.Result) error { want = r.Text; return nil })
	if err != nil {
		t.Fatal(err)
	}
	out, _ := loopOutput(t, dir, exitDone, "sample", "--version", "1", "--json", "7ft5in en in:")
	var said struct{ Samples []struct{ Text string } }
	if err := json.Unmarshal([]byte(out), &said); err != nil || len(said.Samples) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := said.Samples[0].Text; got != strings.ToValidUTF8(want, "\uFFFD") || got == "" {
		t.Errorf("generator_v1 says %q, the original %q", got, want)
	}
	found, exports := false, 0
	loopView(t, dir, func(tx *state.Tx) error {
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			if a.Kind == string(plan.Export) {
				digits := strings.TrimPrefix(a.Outputs["model"].Digest, "sha256:")
				m, err := hf.Read(filepath.Join(dir, ".jupiter", "artifacts", "sha256", digits[:2], digits))
				if err != nil || m.Weights.FFN != 96 {
					t.Errorf("the export is no model of Hugging Face's: %v", err)
				}
				exports++
			}
			if a.Address == "trainer.llama.student.import" {
				found = true
				if d := loopDecisions(t, dir)[0]; d.StartCheckpoint != a.Outputs["checkpoint"].Digest {
					t.Errorf("the first window started from %s, not from the import", d.StartCheckpoint)
				}
			}
		}
		return nil
	})
	if exports == 0 {
		t.Error("no export is recorded")
	}
	if !found {
		t.Error("no import of the start is recorded")
	}
	if n := loopPlan(t, dir, exitDone); len(n) != 0 {
		t.Errorf("a second plan has %v", n)
	}
}

// Where the base comes from elsewhere, how varied raw samples are is measured against the first student, since a general model writes
// about more than a specialist; and how well held-out text is known, against that base too.
func TestGuardOfAnImportedBase(t *testing.T) {
	t.Parallel()
	first := loopTiny(t, "  max_steps        = 40\n", "  max_steps        = 200\n")
	loopRun(t, first, exitDone, "apply", "--auto-approve", "--target", "self_improvement.tiny.base")
	dir := loopTiny(t, "  model      = trainer.llama.base\n", "  model      = \"base.gguf\"\n",
		"  max_steps        = 400\n  save_every_steps = 100\n\n  select {\n    split = \"validation\"\n  }\n", "  max_steps        = 2\n  save_every_steps = 2\n",
		"eval_every_steps         = 200", "eval_every_steps         = 2", "min_steps_before_replace = 200", "min_steps_before_replace = 2")
	loopRun(t, first, exitDone, "export", filepath.Join(dir, "base.gguf"), "--format", "gguf")
	loopRun(t, dir, exitHalted, "apply", "--auto-approve")
	var evidence struct{ Guard guard.Report }
	if err := json.Unmarshal(loopDecisions(t, dir)[0].Evidence, &evidence); err != nil {
		t.Fatal(err)
	}
	if f, ok := evidence.Guard.Find(guard.Entropy); !ok || f.Change == nil || *f.Change != 0 {
		t.Errorf("the first student's samples are compared with another model's: %s", f.Text)
	}
	if f, ok := evidence.Guard.Find(guard.NLL); !ok || f.Change == nil || *f.Change < 0.1 {
		t.Errorf("a student that knows nothing is not told from its base: %s", f.Text)
	}
}
