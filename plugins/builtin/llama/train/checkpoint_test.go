package train

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
)

func writeExample(t *testing.T, dir string) Checkpoint {
	t.Helper()
	w, m := run(t, tiny(true), nil, nil, plain, 0, 2)
	c := Checkpoint{Info: Info{Step: 2, WindowEnd: 10, Seed: 1<<63 + 5, Kernel: "x"}, Weights: w, Moments: m, Tokenizer: bpe.Train(slices.Values([]string{}), bpe.Options{})}
	if err := WriteCheckpoint(dir, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckpointReadsBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "step-2")
	want := writeExample(t, dir)
	got, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameState(t, "read back", want.Weights, got.Weights, want.Moments, got.Moments)
	info := want.Info
	info.Format, info.Updates, info.Tokenizer, info.Model = infoFormat, 2, tokenizerFile, tiny(true)
	if d := cmp.Diff(info, got.Info); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want.Tokenizer.Vocabulary(), got.Tokenizer.Vocabulary()); d != "" {
		t.Errorf("tokenizer (-written +read):\n%s", d)
	}
	only, err := ReadModel(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(only.Weights.Flat, want.Weights.Flat) {
		t.Error("model alone: parameters differ")
	}
}

// A tokenizer from elsewhere has special tokens of other names; one of them may stand for both ends of a text.
func TestCheckpointKeepsTheNamesOfSpecialTokens(t *testing.T) {
	t.Parallel()
	v := bpe.Train(slices.Values([]string{}), bpe.Options{}).Vocabulary()
	v.Tokens[v.BOS], v.EOS, v.Pad = "<|both|>", v.BOS, bpe.None
	tok, err := bpe.New(v)
	if err != nil {
		t.Fatal(err)
	}
	w, m := run(t, tiny(true), nil, nil, plain, 0, 1)
	dir := filepath.Join(t.TempDir(), "start")
	if err := WriteCheckpoint(dir, Checkpoint{Info: Info{Imported: true}, Weights: w, Moments: m, Tokenizer: tok}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tok.Vocabulary(), got.Tokenizer.Vocabulary()); d != "" || !got.Info.Imported {
		t.Errorf("imported %v, tokenizer (-written +read):\n%s", got.Info.Imported, d)
	}
}

func TestCheckpointBytesRepeat(t *testing.T) {
	t.Parallel()
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	writeExample(t, a)
	writeExample(t, b)
	for _, name := range []string{modelFile, optimizerFile, infoFile, tokenizerFile} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between two equal runs", name)
		}
	}
}

func TestReadCheckpointRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file, old, new, want string
	}{
		{"newer format", infoFile, `"format": 1`, `"format": 2`, "format 2"},
		{"unknown field", infoFile, `"step": 2`, `"stepp": 2`, "stepp"},
		{"model that is too large for its file", infoFile, `"vocab_size": 19`, `"vocab_size": 190000`, "bytes for"},
		{"model of another shape", infoFile, `"vocab_size": 19`, `"vocab_size": 18`, "has shape"},
		{"impossible model", infoFile, `"head_dim": 6`, `"head_dim": 7`, "odd"},
		{"tokenizer elsewhere", infoFile, `"tokenizer": "tokenizer.json"`, `"tokenizer": "/etc/passwd"`, "passwd"},
		{"tensor missing", optimizerFile, `"v.model.norm.weight"`, `"v.model.form.weight"`, "no tensor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "c")
			writeExample(t, dir)
			path := filepath.Join(dir, c.file)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := bytes.Replace(data, []byte(c.old), []byte(c.new), 1)
			if bytes.Equal(changed, data) {
				t.Fatalf("%s has no %s", c.file, c.old)
			}
			if err := os.WriteFile(path, changed, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadCheckpoint(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestCheckpointNeedsANewDirectoryAndATokenizer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "c")
	c := writeExample(t, dir)
	if err := WriteCheckpoint(dir, c); err == nil {
		t.Error("overwrote a checkpoint")
	}
	c.Tokenizer = nil
	if err := WriteCheckpoint(filepath.Join(t.TempDir(), "c"), c); err == nil {
		t.Error("wrote a checkpoint without tokenizer")
	}
}
