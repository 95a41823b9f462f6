package hf_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/hf/hftest"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

// tiny is a model with grouped heads of a width of their own, and a tokenizer whose special tokens have names of Llama 3.
func tiny(t testing.TB, tied bool) (*model.Weights, *bpe.Tokenizer) {
	t.Helper()
	v := bpe.Train(slices.Values([]string{"the question and the answer", "the answer and the question"}), bpe.Options{VocabSize: 270}).Vocabulary()
	v.Tokens[v.EOS], v.Pad = "<|end_of_text|>", bpe.None
	tok, err := bpe.New(v)
	if err != nil {
		t.Fatal(err)
	}
	w := model.New(model.Config{Vocab: tok.Size(), Dim: 16, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, FFN: 24, Context: 64, RopeTheta: 500000, NormEps: 1e-6, Tied: tied})
	w.Init(7)
	return w, tok
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dtype string
		tied  bool
		files int
	}{{"F32", true, 1}, {"F16", false, 1}, {"BF16", true, 3}} {
		w, tok := tiny(t, c.tied)
		dir := filepath.Join(t.TempDir(), "model")
		hftest.Write(t, dir, w, tok, c.dtype, c.files)
		m, err := hf.Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(w, m.Weights); d != "" {
			t.Errorf("%+v (-written +read):\n%s", c, d)
		}
		if d := cmp.Diff(tok.Vocabulary(), m.Tokenizer.Vocabulary()); d != "" {
			t.Errorf("%+v, tokenizer (-written +read):\n%s", c, d)
		}
		if len(m.Notes) > 0 {
			t.Errorf("%+v: notes %q", c, m.Notes)
		}
	}
}

// What is written is read back: the same numbers where the format keeps them, the same tokenizer, nothing to remark.
func TestWriteReadsBack(t *testing.T) {
	t.Parallel()
	for _, as := range []safetensors.DType{safetensors.F32, safetensors.F16, safetensors.BF16} {
		for _, tied := range []bool{false, true} {
			w, tok := tiny(t, tied)
			dir := t.TempDir()
			err := hf.Write(dir, w, tok, hf.Options{DType: as, Card: hf.Card{Name: "a | name", Lineage: []hf.Fact{{"Data", "of\n<b>two</b> lines"}}}})
			if err != nil {
				t.Fatal(err)
			}
			m, err := hf.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if m.Weights.Config != w.Config || len(m.Notes) > 0 {
				t.Errorf("%s: read %v and %q, wrote %v", as, m.Weights.Config, m.Notes, w.Config)
			}
			off := 0.0
			for i, v := range w.Flat {
				off = max(off, math.Abs(float64(m.Weights.Flat[i]-v))/math.Max(math.Abs(float64(v)), 0x1p-14))
			}
			if bound := map[safetensors.DType]float64{safetensors.F16: 0x1p-11, safetensors.BF16: 0x1p-8}[as]; off > bound {
				t.Errorf("%s: numbers are off by up to %g of themselves, at most %g", as, off, bound)
			}
			if d := cmp.Diff(tok.Vocabulary(), m.Tokenizer.Vocabulary()); d != "" {
				t.Errorf("%s, tokenizer (-written +read):\n%s", as, d)
			}
			card, err := os.ReadFile(filepath.Join(dir, "README.md"))
			if err != nil || !strings.Contains(string(card), "| Data | of &lt;b>two&lt;/b> lines |\n") || !strings.Contains(string(card), "# a \\| name\n") {
				t.Errorf("the card is %s, %v", card, err)
			}
			if err := hf.Write(dir, w, tok, hf.Options{}); err == nil {
				t.Error("overwrote a model")
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	w, tok := tiny(t, true)
	w.Layers[1].O[2] = float32(math.NaN())
	if err := hf.Write(t.TempDir(), w, tok, hf.Options{}); err == nil || !strings.Contains(err.Error(), `"model.layers.1.self_attn.o_proj.weight" holds NaN`) {
		t.Errorf("a number that is none: %v", err)
	}
	w.Layers[1].O[2] = 1e6
	if err := hf.Write(t.TempDir(), w, tok, hf.Options{DType: safetensors.F16}); err == nil || !strings.Contains(err.Error(), "1e+06 is too large for F16") {
		t.Errorf("a number beyond F16: %v", err)
	}
	if err := hf.Write(t.TempDir(), w, bpe.Train(slices.Values([]string{}), bpe.Options{}), hf.Options{}); err == nil {
		t.Error("a tokenizer of another size was accepted")
	}
}

// change edits the JSON object of a file.
func change(t *testing.T, dir, name string, edit func(map[string]any)) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	edit(v)
	hftest.Put(t, dir, name, v)
}

// scaled is what files of Llama 3.1 8B say of its positions, with more.
func scaled(more ...any) map[string]any {
	m := map[string]any{"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

var llama3 = model.RopeScaling{Type: "llama3", Factor: 8, Low: 1, High: 4, Original: 8192}

// What the files say in another way, or besides, is taken for what it means.
func TestReadVariants(t *testing.T) {
	t.Parallel()
	config := func(pairs ...any) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			change(t, dir, "config.json", func(c map[string]any) {
				for i := 0; i < len(pairs); i += 2 {
					if c[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
						delete(c, pairs[i].(string))
					}
				}
			})
		}
	}
	for _, c := range []struct {
		name string
		edit func(*testing.T, string)
		want func(*hf.Model) bool
	}{
		{"rope parameters of newer versions", config("rope_theta", nil, "rope_parameters", map[string]any{"rope_type": "default", "rope_theta": 1e6}), func(m *hf.Model) bool { return m.Weights.RopeTheta == 1e6 }},
		{"scaled positions", config("rope_scaling", scaled("rope_type", "llama3")), func(m *hf.Model) bool { return m.Weights.RopeScaling == llama3 && m.Weights.RopeTheta == 500000 }},
		{"scaled positions, older", config("rope_scaling", scaled("type", "llama3")), func(m *hf.Model) bool { return m.Weights.RopeScaling == llama3 }},
		{"scaled positions, newer", config("rope_theta", nil, "rope_scaling", nil, "rope_parameters", scaled("rope_type", "llama3", "rope_theta", 1e6)), func(m *hf.Model) bool {
			return m.Weights.RopeScaling == llama3 && m.Weights.RopeTheta == 1e6
		}},
		{"stretched positions", config("rope_scaling", map[string]any{"type": "linear", "factor": 4.0}), func(m *hf.Model) bool {
			return m.Weights.RopeScaling == model.RopeScaling{Type: "linear", Factor: 4}
		}},
		{"defaults", config("rope_theta", nil, "rms_norm_eps", nil, "hidden_act", nil, "tie_word_embeddings", true), func(m *hf.Model) bool { return m.Weights.RopeTheta == 10000 && m.Weights.NormEps == 1e-6 }},
		{"a chat template", func(t *testing.T, dir string) {
			change(t, dir, "tokenizer_config.json", func(c map[string]any) { c["chat_template"] = "{{ one }}\n" })
		}, func(m *hf.Model) bool { return m.Tokenizer.ChatTemplate() == "{{ one }}\n" }},
		{"several chat templates", func(t *testing.T, dir string) {
			change(t, dir, "tokenizer_config.json", func(c map[string]any) {
				c["chat_template"] = []map[string]string{{"name": "tool_use", "template": "{{ two }}"}, {"name": "default", "template": "{{ one }}"}}
			})
		}, func(m *hf.Model) bool { return m.Tokenizer.ChatTemplate() == "{{ one }}" }},
		{"a chat template of newer versions", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "chat_template.jinja"), []byte("{{ three }}\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, func(m *hf.Model) bool { return m.Tokenizer.ChatTemplate() == "{{ three }}\n" }},
		{"several ends", config("eos_token_id", []int{1, 4}), func(m *hf.Model) bool {
			return m.Tokenizer.EOS() == 1 && strings.Contains(m.Notes[0], "2 ends of a text")
		}},
		{"ids alone", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "tokenizer_config.json")); err != nil {
				t.Fatal(err)
			}
		}, func(m *hf.Model) bool { return m.Tokenizer.Names().EOS == "<|end_of_text|>" }},
		{"fewer tokens than rows", func(t *testing.T, dir string) {
			v := func() bpe.Vocabulary { _, tok := tiny(t, true); return tok.Vocabulary() }()
			n := len(v.Tokens) - 1
			v.Tokens, v.Special = v.Tokens[:n], v.Special[:n]
			v.Merges = v.Merges[:len(v.Merges)-1]
			tok, err := bpe.New(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), tok.JSON(), 0o644); err != nil {
				t.Fatal(err)
			}
		}, func(m *hf.Model) bool {
			return m.Tokenizer.Size() == m.Weights.Vocab && m.Tokenizer.Special(int32(m.Weights.Vocab-1)) && strings.Contains(m.Notes[0], "the rest are tokens that no text has")
		}},
		{"tensors that say nothing new", func(t *testing.T, dir string) {
			w, _ := tiny(t, true)
			extra := []model.Tensor{{Name: "lm_head.weight", Shape: []int{w.Vocab, w.Dim}, Data: w.Embed}, {Name: "model.layers.0.self_attn.rotary_emb.inv_freq", Shape: []int{2}, Data: []float32{1, 1}}}
			if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), hftest.Tensors(t, append(w.Tensors(), extra...), "F32"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, func(m *hf.Model) bool { return m.Weights.Output == nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, tok := tiny(t, true)
			dir := t.TempDir()
			hftest.Write(t, dir, w, tok, "F32", 1)
			c.edit(t, dir)
			m, err := hf.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(m) {
				t.Errorf("read %+v, notes %q", m.Weights.Config, m.Notes)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, key string
		value     any
		want      string
	}{
		{"architecture", "model_type", "mistral", `model_type is "mistral"`},
		{"no language model", "architectures", []string{"LlamaForSequenceClassification"}, "which is no language model"},
		{"scaled positions", "rope_scaling", map[string]any{"rope_type": "llama3", "factor": 8}, "low_freq_factor 0"},
		{"scaled positions, newer", "rope_parameters", map[string]any{"rope_type": "yarn", "factor": 2}, `scaled by "yarn"`},
		{"a factor below 1", "rope_scaling", map[string]any{"type": "linear", "factor": 0.5}, "is 0.5: must be"},
		{"biases", "attention_bias", true, "biases"},
		{"activation", "hidden_act", "gelu", `hidden_act is "gelu"`},
		{"quantised", "quantization_config", map[string]any{"bits": 4}, "quantised"},
		{"no heads", "num_attention_heads", 0, "num_attention_heads is 0"},
		{"hostile size", "vocab_size", 1 << 40, "too large"},
		{"hostile layers", "num_hidden_layers", 1 << 20, "no tensor"},
		{"another width", "intermediate_size", 25, "config.json asks for [25 16]"},
		{"more tokens than rows", "vocab_size", 100, "config.json asks for [100 16]"},
		{"text for a number", "hidden_size", "16", "config.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, tok := tiny(t, true)
			dir := t.TempDir()
			hftest.Write(t, dir, w, tok, "F32", 1)
			change(t, dir, "config.json", func(m map[string]any) { m[c.key] = c.value })
			if _, err := hf.Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestReadRefusesFiles(t *testing.T) {
	t.Parallel()
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	both := func(all ...func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, f := range all {
				f(t, dir)
			}
		}
	}
	for _, c := range []struct {
		name string
		edit func(*testing.T, string)
		want string
	}{
		{"no configuration", remove("config.json"), "there is no config.json"},
		{"no tokenizer", remove("tokenizer.json"), "a tokenizer.model of SentencePiece is not supported"},
		{"no parameters", remove("model.safetensors"), "there is neither model.safetensors"},
		{"pickled parameters", both(remove("model.safetensors"), put("pytorch_model.bin", "x")), "pytorch_model.bin, which is no safetensors file"},
		{"out of the directory", both(remove("model.safetensors"), put("model.safetensors.index.json", `{"weight_map": {"a": "../other.safetensors"}}`)), "is no file beside it"},
		{"another tokenizer", func(t *testing.T, dir string) {
			change(t, dir, "tokenizer.json", func(m map[string]any) { m["model"].(map[string]any)["byte_fallback"] = true })
		}, "not plain byte-level BPE"},
		{"more tokens than rows", func(t *testing.T, dir string) {
			_, tok := tiny(t, true)
			v := tok.Vocabulary()
			v.Tokens, v.Special = append(v.Tokens, "<|more|>"), append(v.Special, true)
			tok, err := bpe.New(v)
			if err != nil {
				t.Fatal(err)
			}
			put("tokenizer.json", string(tok.JSON()))(t, dir)
		}, "and the model's vocab_size is"},
		{"no ends", both(remove("tokenizer_config.json"), func(t *testing.T, dir string) {
			change(t, dir, "config.json", func(m map[string]any) { delete(m, "eos_token_id") })
		}), "names its eos_token"},
		{"cut short", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "model.safetensors")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			put("model.safetensors", string(b[:len(b)-100]))(t, dir)
		}, "ends at"},
		{"not a number", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "model.safetensors")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			put("model.safetensors", string(append(bytes.Clone(b[:len(b)-4]), 0, 0, 0xc0, 0x7f)))(t, dir)
		}, "holds NaN"},
		{"a bias", func(t *testing.T, dir string) {
			w, _ := tiny(t, true)
			extra := model.Tensor{Name: "model.layers.0.self_attn.q_proj.bias", Shape: []int{24}, Data: make([]float32, 24)}
			put("model.safetensors", string(hftest.Tensors(t, append(w.Tensors(), extra), "F32")))(t, dir)
		}, `q_proj.bias" is not part of a plain Llama model`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, tok := tiny(t, true)
			dir := t.TempDir()
			hftest.Write(t, dir, w, tok, "F32", 1)
			c.edit(t, dir)
			if _, err := hf.Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
