package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/hf"
)

// convert works where there is no project, says what it read and wrote, and writes over nothing unasked.
func TestConvertCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	loopSplits(t, dir, 60)
	loopModels(t, dir)
	run := func(status int, args ...string) string {
		t.Helper()
		cmd := exec.Command("jupiter", append([]string{"convert"}, args...)...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("convert %v: exit status %d, want %d\n%s", args, got, status, out)
		}
		return string(out)
	}
	said := func(out string, parts ...string) {
		t.Helper()
		for _, want := range parts {
			if !strings.Contains(out, want) {
				t.Errorf("want %q in\n%s", want, out)
			}
		}
	}
	said(run(exitDone, "models/student.gguf", "plain", "--dtype", "bf16"), "Read models/student.gguf: GGUF of f32, ", "llama, ", "1 layers, dim 32", "280 tokens, with a chat template",
		"Wrote plain: Hugging Face of bf16, ")
	if m, err := hf.Read(filepath.Join(dir, "plain")); err != nil || m.Weights.FFN != 96 || !slices.Equal(m.DTypes, []string{"bf16"}) {
		t.Errorf("what is written: %v", err)
	}
	said(run(exitError, "models/base", "plain"), "plain is there already: name a path that is not, or have it replaced: --force")
	said(run(exitDone, "models/base", "plain", "--force"), "Read models/base: Hugging Face of bf16, ", "Wrote plain: Hugging Face of f32, ")

	var got map[string]any
	if err := json.Unmarshal([]byte(run(exitDone, "plain", "small.gguf", "--dtype", "q8_0", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"adapter", "architecture", "chat_template", "model", "notes", "parameters", "schema", "shape", "source", "tokens"}, slices.Sorted(maps.Keys(got))); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	if model := got["model"].(map[string]any); got["schema"] != "jupiter.convert/v1" || model["format"] != "gguf" || model["bytes"].(float64) < 1000 || got["adapter"] != nil {
		t.Errorf("JSON %v", got)
	}

	adapter := filepath.Join(dir, "adapter")
	if err := os.Mkdir(adapter, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(adapter, "adapter_config.json"), []byte(`{"peft_type": "LORA", "r": 8, "lora_alpha": 8, "use_dora": true}`), 0o644); err != nil {
		t.Fatal(err)
	}
	said(run(exitError, "--adapter", "adapter", "plain", "merged"), "adapter: adapter_config.json: use_dora is true, which is not supported: plain LoRA is")
	said(run(exitError, "plain", "plain", "--force"), "plain and plain are one")
	said(run(exitError, "plain", "other.gguf", "--format", "huggingface"), "other.gguf is the name of a GGUF file")
	said(run(exitError, "plain", "other", "--dtype", "q8_0"), "a format of GGUF files")
	said(run(exitError, "plain", "other", "--format", "onnx"), `it must be "gguf" or "huggingface"`)
	said(run(exitError, "nothing", "other"), "read nothing: stat nothing: no such file")
	said(run(exitError, "plain"), "an argument is missing: jupiter convert SRC DST")
	said(run(exitError, "plain", "a", "b"), "accepts 2 arg")
	if left, err := filepath.Glob(filepath.Join(dir, ".jupiter-*")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
