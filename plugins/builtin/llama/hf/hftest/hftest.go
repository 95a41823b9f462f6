// Package hftest writes models as Hugging Face's tools do, for tests of what reads them.
package hftest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/half"
	"jupiter/plugins/builtin/llama/model"
)

// Write writes a model into a new directory, its parameters as F32, F16 or BF16 in so many files. It sets w to the numbers
// that the files hold.
func Write(t testing.TB, dir string, w *model.Weights, tok *bpe.Tokenizer, dtype string, files int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ids := tok.Vocabulary()
	c := w.Config
	config := map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "torch_dtype": "bfloat16", "transformers_version": "4.57.1",
		"vocab_size": c.Vocab, "hidden_size": c.Dim, "num_hidden_layers": c.Layers, "num_attention_heads": c.Heads, "num_key_value_heads": c.KVHeads,
		"head_dim": c.HeadDim, "intermediate_size": c.FFN, "max_position_embeddings": c.Context, "rope_theta": c.RopeTheta, "rope_scaling": nil,
		"rms_norm_eps": c.NormEps, "tie_word_embeddings": c.Tied, "hidden_act": "silu", "attention_bias": false, "mlp_bias": false, "pretraining_tp": 1,
		"initializer_range": 0.02, "use_cache": true, "bos_token_id": ids.BOS, "eos_token_id": ids.EOS,
	}
	if s := c.RopeScaling; s.Type != "" {
		config["rope_scaling"] = s
	}
	Put(t, dir, "config.json", config)
	names := tok.Names()
	special := map[string]any{"bos_token": names.BOS, "eos_token": map[string]any{"content": names.EOS, "lstrip": false}, "tokenizer_class": "PreTrainedTokenizerFast"}
	if names.ChatTemplate != "" {
		special["chat_template"] = names.ChatTemplate
	}
	Put(t, dir, "tokenizer_config.json", special)
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), tok.JSON(), 0o644); err != nil {
		t.Fatal(err)
	}
	ts := w.Tensors()
	index := map[string]string{}
	for i := range files {
		name := "model.safetensors"
		if files > 1 {
			name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, files)
		}
		part := ts[i*len(ts)/files : (i+1)*len(ts)/files]
		for _, x := range part {
			index[x.Name] = name
		}
		if err := os.WriteFile(filepath.Join(dir, name), Tensors(t, part, dtype), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if files > 1 {
		Put(t, dir, "model.safetensors.index.json", map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": index})
	}
}

// Put writes a JSON file.
func Put(t testing.TB, dir, name string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Tensors gives a safetensors file, and sets the tensors to the numbers that it holds.
func Tensors(t testing.TB, ts []model.Tensor, dtype string) []byte {
	t.Helper()
	head := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var data []byte
	for _, x := range ts {
		from := len(data)
		for i, v := range x.Data {
			switch dtype {
			case "F32":
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			case "F16":
				h := half.Round(v)
				data, x.Data[i] = binary.LittleEndian.AppendUint16(data, h), half.Float(h)
			case "BF16":
				b := uint16(math.Float32bits(v) >> 16)
				data, x.Data[i] = binary.LittleEndian.AppendUint16(data, b), half.Brain(b)
			default:
				t.Fatalf("no dtype %q", dtype)
			}
		}
		head[x.Name] = map[string]any{"dtype": dtype, "shape": x.Shape, "data_offsets": []int{from, len(data)}}
	}
	b, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(b))), b...), data...)
}
