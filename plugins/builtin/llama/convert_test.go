package llama

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
)

func convertTo(format, dtype string) ConvertOptions {
	return ConvertOptions{PublishOptions: PublishOptions{Format: format, DType: dtype}}
}

// A model goes through both forms and comes back as it was, with its tokenizer and its chat template; an adapter is merged on
// the way.
func TestConvert(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, tok, whole := chatty(t)
	whole(dir)
	merged := adapt(t, filepath.Join(dir, "lora"), w)
	source, plain, one := filepath.Join(dir, modelPart), filepath.Join(dir, "plain"), filepath.Join(dir, "one.gguf")
	original, err := readModel(source)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Convert(source, one, convertTo(formatGGUF, "f32"))
	if err != nil || c.Format != "Hugging Face" || !slices.Equal(c.DTypes, []string{"bf16"}) || !c.Chat || c.Tokens != tok.Size() || c.Model != w.Config {
		t.Fatalf("%+v, %v", c, err)
	}
	if c, err = Convert(one, plain, convertTo(formatHF, "bf16")); err != nil || c.Format != "GGUF" || !slices.Equal(c.DTypes, []string{"f32"}) || !c.Chat {
		t.Fatalf("%+v, %v", c, err)
	}
	o := convertTo(formatGGUF, "f32")
	o.Adapter = filepath.Join(dir, "lora")
	if c, err = Convert(plain, filepath.Join(dir, "merged.gguf"), o); err != nil || c.Adapter != "LoRA of rank 2, alpha 6, on down_proj, q_proj" {
		t.Fatalf("%+v, %v", c, err)
	}
	for path, want := range map[string][]float32{one: w.Flat, plain: w.Flat, filepath.Join(dir, "merged.gguf"): merged.Flat} {
		m, err := readModel(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(original.tokenizer.Vocabulary(), m.tokenizer.Vocabulary()); d != "" || m.tokenizer.ChatTemplate() != tok.ChatTemplate() {
			t.Errorf("%s has another tokenizer (-want +got):\n%s", path, d)
		}
		for i, v := range m.weights.Flat {
			if math.Abs(float64(v-want[i])) > 1e-6 {
				t.Fatalf("%s: parameter %d is %v, want %v", path, i, v, want[i])
			}
		}
	}
	card, err := os.ReadFile(filepath.Join(plain, "README.md"))
	if err != nil || !strings.Contains(string(card), "| Converted from | one.gguf, GGUF of f32 |") {
		t.Errorf("card %s, %v", card, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".jupiter-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// What is there is replaced where that is asked for, and where it is a model, and is as it was where something goes wrong.
func TestConvertReplaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, tok, whole := chatty(t)
	whole(dir)
	source := filepath.Join(dir, modelPart)
	at := func(name string) string { return filepath.Join(dir, name) }
	large := w.Clone()
	large.Embed[0] = 1e6 // more than f16 has
	if err := gguf.Write(at("large.gguf"), large, tok, "large"); err != nil {
		t.Fatal(err)
	}
	force := func(o ConvertOptions) ConvertOptions { o.Force = true; return o }
	for _, name := range []string{"file.gguf", "notes/text"} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Convert(source, at("plain"), convertTo(formatHF, "f16")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		o        ConvertOptions
		want     string
	}{
		{source, at("file.gguf"), convertTo(formatGGUF, "f32"), "is there already"},
		{source, at("plain"), convertTo(formatHF, "f32"), "is there already"},
		{source, at("notes"), force(convertTo(formatHF, "f32")), "holds no model, and is not replaced"},
		{source, source, force(convertTo(formatHF, "f32")), "are one, or one is a part of the other"},
		{source, dir, force(convertTo(formatHF, "f32")), "are one, or one is a part of the other"},
		{source, filepath.Join(source, "config.json"), force(convertTo(formatGGUF, "f32")), "are one, or one is a part of the other"},
		{at("large.gguf"), at("file.gguf"), force(convertTo(formatGGUF, "f16")), "too large for f16"},
		{at("large.gguf"), at("plain"), force(convertTo(formatHF, "f16")), "too large for F16"},
		{at("nothing"), at("new"), convertTo(formatHF, "f32"), "no such file"},
		{at("notes"), at("new"), convertTo(formatHF, "f32"), "it has no config.json"},
		{source, at("nowhere/new"), convertTo(formatHF, "f32"), "no such file"},
		{source, at("new"), convertTo(formatHF, "q8_0"), "a format of GGUF files"},
		{source, at("new"), ConvertOptions{PublishOptions{Format: formatHF, DType: "f32"}, at("notes")}, "it is no adapter of PEFT's"},
	} {
		if _, err := Convert(c.from, c.to, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s to %s: error %v, want one with %q", c.from, c.to, err, c.want)
		} else if errors.Is(err, ErrExists) != strings.Contains(c.want, "there already") {
			t.Errorf("%s to %s: %v", c.from, c.to, err)
		}
	}
	if text, err := os.ReadFile(at("file.gguf")); err != nil || string(text) != "mine" {
		t.Errorf("a file that is not replaced holds %q, %v", text, err)
	}
	if m, err := readModel(at("plain")); err != nil || !slices.Equal(m.dtypes, []string{"f16"}) {
		t.Errorf("a directory that is not replaced: %v, %v", m.dtypes, err)
	}
	for to, o := range map[string]ConvertOptions{at("file.gguf"): convertTo(formatGGUF, "f32"), at("plain"): convertTo(formatHF, "f32")} {
		if _, err := Convert(source, to, force(o)); err != nil {
			t.Fatal(err)
		}
		if m, err := readModel(to); err != nil || !slices.Equal(m.weights.Flat, w.Flat) {
			t.Errorf("%s: what replaces it is another model, %v", to, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") || e.Name() == "new" }) {
		t.Errorf("left %v, %v", entries, err)
	}
}

// A downloaded model that is quantised becomes a directory that transformers loads: the same tokens of texts and of a chat by the
// model's own template, and the same likeliest tokens.
func TestDownloadedModelInTransformers(t *testing.T) {
	t.Parallel()
	file, python := os.Getenv("LLAMA_MODEL"), os.Getenv("TRANSFORMERS_PYTHON")
	if file == "" || python == "" {
		t.Skip("NOT TESTED: set LLAMA_MODEL to a GGUF file of a downloaded model and TRANSFORMERS_PYTHON to a Python that has transformers and torch")
	}
	dir := filepath.Join(t.TempDir(), "converted")
	c, err := Convert(file, dir, convertTo(formatHF, "bf16"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := readModel(dir)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"The capital of France is", "1, 2, 3, 4, 5, 6,"}
	chat := []bpe.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "the question?"}}
	var asked []map[string]string
	for _, x := range chat {
		asked = append(asked, map[string]string{"role": x.Role, "content": x.Content})
	}
	const tokens = 8
	question, err := json.Marshal(map[string]any{"dir": dir, "texts": texts, "chat": asked, "new": tokens, "save": dir + ".saved"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/read_with_transformers.py")
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1")
	cmd.Stdin = bytes.NewReader(append(question, '\n'))
	var said bytes.Buffer
	cmd.Stderr = &said
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var got struct {
		Tokens   [][]int32
		IDs      [][]int32
		Logprobs [][]float64
		Chat     []int32
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if want, _ := m.tokenizer.Chat(chat, true); !slices.Equal(want, got.Chat) {
		t.Errorf("a chat is %d here, and %d in transformers", want, got.Chat)
	}
	var prompts [][]int32
	for i, text := range texts {
		if want := m.tokenizer.Encode(text); !slices.Equal(want, got.IDs[i]) {
			t.Errorf("%q is %d here, and %d in transformers", text, want, got.IDs[i])
		}
		prompts = append(prompts, m.tokenizer.Sequence(text))
	}
	var worst float64
	for i, r := range continued(t, m.weights, m.tokenizer, prompts) {
		for k, id := range r.Tokens[:tokens] {
			if id != got.Tokens[i][k] {
				t.Errorf("%q: token %d is %d here, and %d in transformers", texts[i], k, id, got.Tokens[i][k])
				break
			}
			worst = max(worst, math.Abs(float64(r.Logprobs[k])-got.Logprobs[i][k]))
		}
	}
	if !(worst < 1e-3) {
		t.Errorf("log-probabilities differ by up to %g", worst)
	}
	t.Logf("%s of %v; log-probabilities differ by at most %.2g", c.Format, c.DTypes, worst)
}
