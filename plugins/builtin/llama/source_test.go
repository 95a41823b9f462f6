package llama

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/hf/hftest"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// tuned writes a checkpoint of a trainer that fine-tunes downloaded models: trainer.json, and what fill puts beside it.
func tuned(t *testing.T, says map[string]any, fill func(dir string)) *sdk.Artifact {
	t.Helper()
	dir := t.TempDir()
	all := map[string]any{"format": 1, "trainer": "torch", "dtype": "bf16", "its own": []int{1}}
	maps.Copy(all, says)
	hftest.Put(t, dir, trainerFile, all)
	fill(dir)
	return &sdk.Artifact{Path: dir, MediaType: sdk.CheckpointMediaType}
}

// adapt puts an adapter of q_proj and down_proj, rank 2, into dir, and gives the model that it makes of w.
func adapt(t *testing.T, dir string, w *model.Weights) *model.Weights {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	hftest.Put(t, dir, "adapter_config.json", map[string]any{"peft_type": "LORA", "r": 2, "lora_alpha": 6, "use_rslora": false, "target_modules": []string{"q_proj", "down_proj"},
		"base_model_name_or_path": "/somewhere/else", "bias": "none", "task_type": "CAUSAL_LM"})
	merged := w.Clone()
	var ts []safetensors.Tensor
	for _, x := range merged.Tensors() {
		name := strings.TrimSuffix(x.Name, ".weight")
		if !strings.HasSuffix(name, ".q_proj") && !strings.HasSuffix(name, ".down_proj") {
			continue
		}
		out, in := x.Shape[0], x.Shape[1]
		a, b := make([]float32, 2*in), make([]float32, out*2)
		for i := range a {
			a[i] = float32(i%7-3) / 64
		}
		for i := range b {
			b[i] = float32(i%5-2) / 8
		}
		for i := range x.Data {
			x.Data[i] += 3 * (b[i/in*2]*a[i%in] + b[i/in*2+1]*a[in+i%in])
		}
		ts = append(ts, safetensors.Tensor{Name: "base_model.model." + name + ".lora_A.weight", Shape: []int{2, in}, Data: a},
			safetensors.Tensor{Name: "base_model.model." + name + ".lora_B.weight", Shape: []int{out, 2}, Data: b})
	}
	if err := safetensors.WriteFile(filepath.Join(dir, "adapter_model.safetensors"), nil, ts); err != nil {
		t.Fatal(err)
	}
	return merged
}

// exportOf calls the exporter with a base, and gives where the output lies.
func exportOf(t *testing.T, conn *sdktest.Conn, config map[string]any, checkpoint, base *sdk.Artifact) (string, *sdk.Output, error) {
	t.Helper()
	call := conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "llama", config)
	s, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: checkpoint, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All[pluginv1.ExportEvent](s)
	if err != nil {
		return "", nil, err
	}
	out := events[len(events)-1].GetOutput()
	return filepath.Join(call.WorkDir, out.GetPath()), out, nil
}

// chatty is a small model with a chat template, as Hugging Face's tools write it.
func chatty(t *testing.T) (*model.Weights, *bpe.Tokenizer, func(dir string)) {
	t.Helper()
	w, tok := lively(t, 3, kinds["untied, grouped queries"])
	v := tok.Vocabulary()
	v.ChatTemplate = "{{ messages }}"
	tok, err := bpe.New(v)
	if err != nil {
		t.Fatal(err)
	}
	return w, tok, func(dir string) { hftest.Write(t, filepath.Join(dir, modelPart), w, tok, "BF16", 2) }
}

// A checkpoint that is an adapter is exported merged into its base, in every format, with the base's tokenizer and chat template;
// one that is whole, and an import, as they are.
func TestExportsTunedCheckpoints(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	w, tok, whole := chatty(t)
	base := tuned(t, map[string]any{"method": "lora", "step": 0}, whole) // w has the numbers of its files from here on
	var merged *model.Weights
	lora := tuned(t, map[string]any{"method": "lora", "step": 40}, func(dir string) { merged = adapt(t, filepath.Join(dir, adapterPart), w) })
	full := tuned(t, map[string]any{"method": "full", "step": 40}, whole)
	for _, c := range []struct {
		name             string
		checkpoint, base *sdk.Artifact
		want             *model.Weights
		step, card       string
	}{
		{"an adapter", lora, base, merged, "40", "| Fine-tuned | LoRA of rank 2, alpha 6, on down_proj, q_proj, merged |"},
		{"a whole one", full, base, w, "40", "| Fine-tuned | all parameters |"},
		{"an import", base, nil, w, "0", "| Began with | a model from elsewhere |"},
	} {
		for _, format := range []string{formatHF, formatGGUF} {
			at, out, err := exportOf(t, conn, map[string]any{"format": format}, c.checkpoint, c.base)
			if err != nil {
				t.Errorf("%s as %s: %v", c.name, format, err)
				continue
			}
			got, err := readModel(at)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.weights.Flat {
				if d := v - c.want.Flat[i]; d > 1e-6 || d < -1e-6 {
					t.Fatalf("%s as %s: parameter %d is %v, want %v", c.name, format, i, v, c.want.Flat[i])
				}
			}
			if got.tokenizer.ChatTemplate() != tok.ChatTemplate() || got.tokenizer.Size() != tok.Size() || out.Meta["step"] != c.step {
				t.Errorf("%s as %s: chat template %q, %d tokens, %v", c.name, format, got.tokenizer.ChatTemplate(), got.tokenizer.Size(), out.Meta)
			}
			if format == formatGGUF {
				continue
			}
			if card, err := os.ReadFile(filepath.Join(at, "README.md")); err != nil || !strings.Contains(string(card), c.card) || strings.Contains(string(card), "somewhere") {
				t.Errorf("%s: card without %q (%v):\n%s", c.name, c.card, err, card)
			}
		}
	}
	if slices.Equal(merged.Flat, w.Flat) {
		t.Error("the adapter changes nothing")
	}
	for _, typ := range []string{"f16", "bf16", "q8_0"} {
		if _, _, err := exportOf(t, conn, map[string]any{"dtype": typ}, lora, base); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// A checkpoint whose parts do not make a model is refused, with what is wrong with it.
func TestRefusesTunedCheckpoints(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	w, tok, whole := chatty(t)
	base := tuned(t, map[string]any{"method": "lora", "step": 0}, whole)
	adapter := func(dir string) { adapt(t, filepath.Join(dir, adapterPart), w) }
	small, _ := lively(t, 3, kinds["untied"])
	for _, c := range []struct {
		name             string
		checkpoint, base *sdk.Artifact
		want             string
	}{
		{"no base", tuned(t, map[string]any{"method": "lora", "step": 4}, adapter), nil, "the model that it adapts did not come with it"},
		{"a base that is an adapter", tuned(t, map[string]any{"method": "lora", "step": 4}, adapter), tuned(t, map[string]any{"method": "lora", "step": 4}, adapter), "it has no model"},
		{"a base of other sizes", tuned(t, map[string]any{"method": "lora", "step": 4}, adapter), tuned(t, map[string]any{"method": "lora", "step": 0}, func(dir string) {
			hftest.Write(t, filepath.Join(dir, modelPart), small, tok, "F32", 1)
		}), "rank 2 and the base ask for"},
		{"a base without a file", tuned(t, map[string]any{"method": "lora", "step": 4}, adapter), tuned(t, map[string]any{"method": "lora", "step": 0}, func(dir string) {
			whole(dir)
			os.Remove(filepath.Join(dir, modelPart, "model-00002-of-00002.safetensors"))
		}), "model-00002-of-00002.safetensors"},
		{"both parts", tuned(t, map[string]any{"method": "lora", "step": 4}, func(dir string) { whole(dir); adapter(dir) }), base, "it has both model and adapter"},
		{"neither", tuned(t, map[string]any{"method": "full", "step": 4}, func(string) {}), base, `by the method "full", at step 4`},
		{"an adapter of the wrong method", tuned(t, map[string]any{"method": "full", "step": 4}, adapter), base, `by the method "full"`},
		{"another format", tuned(t, map[string]any{"format": 2, "method": "full"}, whole), base, "writes format 2, this program reads 1"},
		{"a name that is none", tuned(t, map[string]any{"trainer": "\x1b[2J", "method": "full"}, whole), base, "is no trainer's name"},
		{"no JSON", tuned(t, nil, func(dir string) { os.WriteFile(filepath.Join(dir, trainerFile), []byte("{"), 0o644) }), base, trainerFile},
		{"a tokenizer with more tokens than the model", tuned(t, map[string]any{"method": "full", "step": 4}, func(dir string) {
			c := small.Config
			c.Vocab--
			hftest.Write(t, filepath.Join(dir, modelPart), model.New(c), tok, "F32", 1)
		}), nil, "and the model's vocab_size is"},
	} {
		if _, _, err := exportOf(t, conn, nil, c.checkpoint, c.base); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}
