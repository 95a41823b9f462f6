package peft

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

// settings is a stored adapter_config.json, with some settings changed.
func settings(t testing.TB, name string, change map[string]any) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, configFile))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, change)
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	return text
}

// What a configuration asks for that is no plain LoRA is refused by its name, and so is what nobody knows yet.
func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"peft_type", "IA3", `peft_type is "IA3"`},
		{"peft_type", nil, `peft_type is ""`},
		{"use_dora", true, "use_dora is true"},
		{"use_something_new", true, "use_something_new is true"},
		{"kasa_config", map[string]any{"beta": 1}, "kasa_config is"},
		{"fan_in_fan_out", true, "fan_in_fan_out is true"},
		{"lora_bias", true, "lora_bias is true"},
		{"bias", "all", `bias is "all"`},
		{"init_lora_weights", "pissa", "training began with a changed base"},
		{"layer_replication", [][]int{{0, 1}}, "layer_replication is"},
		{"target_parameters", []string{"x"}, "target_parameters is"},
		{"trainable_token_indices", []int{1}, "trainable_token_indices is"},
		{"rank_pattern", map[string]any{`layers\.[01].*`: 3}, "names of modules alone"},
		{"alpha_pattern", map[string]any{"^q_proj": 3}, "names of modules alone"},
		{"rank_pattern", map[string]any{"q_proj": 0}, "rank_pattern: the rank is 0"},
		{"alpha_pattern", map[string]any{"q_proj": 1e300}, "lora_alpha is 1e+300"},
		{"r", 0, "the rank is 0"},
		{"r", nil, "r is missing"},
		{"r", 1 << 40, "it must be from 1 to"},
		{"lora_alpha", 1e300, "lora_alpha is 1e+300"},
		{"lora_alpha", "8", "lora_alpha"},
		{"target_modules", []string{""}, "which is no module's name"},
		{"target_modules", []string{"q_proj", "\x1b[2J"}, `has "\x1b[2J", which is no module's name`},
		{"\u009b2J", true, `\u009b2J is true`},
		{"target_modules", 3, "target_modules"},
	} {
		if _, err := parseConfig(settings(t, "attention", map[string]any{c.name: c.value})); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: error %v, want one with %q", c.name, c.value, err, c.want)
		}
	}
	if _, err := parseConfig(settings(t, "attention", map[string]any{"lora_dropout": 0.5, "task_type": nil, "init_lora_weights": "gaussian"})); err != nil {
		t.Errorf("settings that change nothing: %v", err)
	}
}

type tensors map[string]safetensors.Tensor

// put adds a tensor of zeros.
func (m tensors) put(name string, shape ...int) safetensors.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	m[name] = safetensors.Tensor{Name: name, Shape: shape, Data: make([]float32, n)}
	return m[name]
}

// rename gives the tensors whose names begin so another beginning.
func (m tensors) rename(from, to string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if rest, ok := strings.CutPrefix(name, prefix+from); ok {
			x := m[name]
			delete(m, name)
			x.Name = prefix + to + rest
			m[x.Name] = x
		}
	}
}

// An adapter whose tensors are not those of its configuration and of the base is refused, with the tensor's name.
func TestRefusedTensors(t *testing.T) {
	t.Parallel()
	const q, v = "model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.v_proj"
	same := func(tensors) {}
	for _, c := range []struct {
		name   string
		change func(tensors)
		with   map[string]any
		base   model.Config
		want   string
	}{
		{"another size", same, nil, shape(2, false), "rank 2 and the base ask for"},
		{"another rank", same, map[string]any{"r": 3}, shape(1, false), "rank 3 and the base ask for"},
		{"another rank of a module", same, map[string]any{"rank_pattern": map[string]any{"v_proj": 1}}, shape(1, false), "rank 1 and the base ask for"},
		{"two patterns", same, map[string]any{"alpha_pattern": map[string]any{"v_proj": 1, "self_attn.v_proj": 2}}, shape(1, false), "of a pattern are about it"},
		{"one factor", func(m tensors) { delete(m, prefix+q+".lora_B.weight") }, nil, shape(1, false), "has one of its two factors alone"},
		{"a module is missing", func(m tensors) { delete(m, prefix+v+".lora_A.weight"); delete(m, prefix+v+".lora_B.weight") }, nil, shape(1, false), "target_modules has " + v},
		{"no factors", func(m tensors) { clear(m) }, nil, shape(1, false), "no factors"},
		{"a module that is not named", same, map[string]any{"target_modules": []string{"q_proj"}}, shape(1, false), "is none that the adapter's configuration and the base have"},
		{"another architecture", func(m tensors) { m.rename(q, "model.layers.0.self_attn.qkv_proj") }, map[string]any{"target_modules": ".*"}, shape(1, false), "is none that"},
		{"a layer too many", func(m tensors) { m.rename(q, "model.layers.2.self_attn.q_proj") }, nil, shape(1, false), "is none that"},
		{"DoRA", func(m tensors) { m.rename(q+".lora_A", q+".lora_magnitude_vector") }, nil, shape(1, false), "DoRA"},
		{"IA3", func(m tensors) { m.rename(q+".lora_A", q+".ia3_l") }, nil, shape(1, false), "IA3"},
		{"a bias", func(m tensors) { m.put(prefix+q+".bias", 8) }, nil, shape(1, false), "is a bias"},
		{"factors of the embedding", func(m tensors) { m.put(prefix+"model.embed_tokens.lora_embedding_A", 2, 11) }, nil, shape(1, false), "saved whole"},
		{"another beginning", func(m tensors) { m.put("x", 1) }, nil, shape(1, false), `begin with "base_model.model."`},
		{"an unknown tensor", func(m tensors) { m.put(prefix+"score.weight", 1) }, nil, shape(1, false), "is no part of an adapter to this model"},
		{"not a number", func(m tensors) { m[prefix+q+".lora_A.weight"].Data[3] = float32(math.NaN()) }, nil, shape(1, false), "holds NaN"},
		{"an embedding of another size", func(m tensors) { m.put(prefix+"model.embed_tokens.weight", 12, 8) }, nil, shape(1, false), "it is an adapter to another model"},
		{"one of two that are one", func(m tensors) { m.put(prefix+"model.embed_tokens.weight", 11, 8) }, nil, shape(1, true), "merged they would be two"},
		{"two that are one, and differ", func(m tensors) {
			m.put(prefix+"model.embed_tokens.weight", 11, 8)
			m.put(prefix+"lm_head.weight", 11, 8).Data[5] = 1
		}, nil, shape(1, true), "the base has one matrix for both"},
		{"factors of an output matrix that is the embedding", func(m tensors) {
			m.put(prefix+"lm_head.lora_A.weight", 2, 8)
			m.put(prefix+"lm_head.lora_B.weight", 11, 2)
		}, nil, shape(1, true), "merged they would be two"},
	} {
		a, all := opened(t, "testdata/attention"), tensors{}
		for _, x := range a.file.Tensors {
			data, _ := tensor(t, a, x.Name)
			all[x.Name] = safetensors.Tensor{Name: x.Name, Shape: x.Shape, Data: data}
		}
		c.change(all)
		var list []safetensors.Tensor
		for _, k := range slices.Sorted(maps.Keys(all)) {
			list = append(list, all[k])
		}
		var b bytes.Buffer
		if err := safetensors.Write(&b, nil, list); err != nil {
			t.Fatal(err)
		}
		if err := merged(settings(t, "attention", c.with), b.Bytes(), model.New(c.base)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// merged merges an adapter whose files are in memory.
func merged(config, tensors []byte, w *model.Weights) error {
	c, err := parseConfig(config)
	if err != nil {
		return err
	}
	f, err := safetensors.New(bytes.NewReader(tensors), int64(len(tensors)))
	if err != nil {
		return err
	}
	return (&Adapter{c, f}).Merge(w)
}

func TestOpenWithoutFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ add, text, want string }{
		{"", "", "it is no adapter of PEFT's"},
		{configFile, strings.Repeat(" ", maxConfig+1), "has more than"},
		{configFile, string(settings(t, "attention", nil)), "there is no adapter_model.safetensors"},
		{"adapter_model.bin", "", "no safetensors file"},
		{tensorsFile, "short", "too few for a header"},
	} {
		if c.add != "" {
			if err := os.WriteFile(filepath.Join(dir, c.add), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.add, err, c.want)
		}
	}
}

// Whatever an adapter's files hold, it is merged or refused, and the norms, which no factors adapt, are never touched by them.
func FuzzAdapter(f *testing.F) {
	for _, name := range []string{"attention", "patterns", "whole", "head"} {
		numbers, err := os.ReadFile(filepath.Join("testdata", name, tensorsFile))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(settings(f, name, nil), numbers)
	}
	f.Fuzz(func(t *testing.T, config, numbers []byte) {
		w := model.New(shape(1, false))
		if err := merged(config, numbers, w); err != nil {
			return
		}
		if bytes.Contains(numbers, []byte("norm")) {
			return // saved whole
		}
		for _, v := range w.Norm {
			if v != 0 {
				t.Errorf("a norm's gain is %v", v)
			}
		}
	})
}
