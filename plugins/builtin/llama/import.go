package llama

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// Models from elsewhere: a GGUF file, a directory with one, or a directory as Hugging Face's tools write it.

// foreign is a model from elsewhere, read.
type foreign struct {
	weights   *model.Weights
	tokenizer *bpe.Tokenizer
	format    string
	file      string   // of a GGUF model; "": it is a directory of Hugging Face's
	dtypes    []string // of Hugging Face's: number formats of its parameters, that of most bytes first
	notes     []string // what a user should know: sentences
}

func (f foreign) meta() map[string]string {
	return map[string]string{"format": f.format, "parameters": strconv.Itoa(f.weights.Config.Params())}
}

// readForeign reads a model from elsewhere, and passes on what a user should know of it.
func readForeign(c *sdk.Call, path string) (foreign, error) {
	f, err := readModel(path)
	if err == nil && f.tokenizer.Missing() > 0 {
		f.notes = append(f.notes, fmt.Sprintf("Its tokenizer has no token for %d of the 256 bytes, and leaves them out of a text.", f.tokenizer.Missing()))
	}
	for _, note := range f.notes {
		c.Warn("Imported model", note)
	}
	return f, err
}

// readModel reads a GGUF file, a directory with one, or a directory of Hugging Face's.
func readModel(path string) (foreign, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return foreign{}, err
	case st.IsDir():
		if _, err := os.Stat(filepath.Join(path, "config.json")); err == nil {
			m, err := hf.Read(path)
			if err != nil {
				return foreign{}, err
			}
			return foreign{m.Weights, m.Tokenizer, "Hugging Face", "", m.DTypes, m.Notes}, nil
		}
		if path, err = onlyGGUF(path); err != nil {
			return foreign{}, fmt.Errorf("it has no config.json, and so is no model of Hugging Face's; %w", err)
		}
	case !st.Mode().IsRegular():
		return foreign{}, errors.New("it is neither a file nor a directory")
	case strings.HasSuffix(path, ".safetensors"):
		return foreign{}, errors.New("these are parameters alone: name the directory, with config.json and tokenizer.json beside them")
	}
	w, t, err := gguf.Read(path)
	if err != nil {
		return foreign{}, err
	}
	return foreign{w, t, "GGUF", path, nil, nil}, nil
}

// Import makes a model from elsewhere one that this generator runs: one GGUF file. A GGUF file stays as it is.
func (*generator) Import(ctx context.Context, c *sdk.Call, _ generatorConfig, path string, emit func(*sdk.Output) error) error {
	f, err := readForeign(c, path)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := infer.New(f.weights, f.tokenizer); err != nil {
		return err
	}
	to := filepath.Join(c.WorkDir, modelFile)
	if f.file != "" {
		err = copyFile(f.file, to)
	} else {
		err = gguf.Write(to, f.weights, f.tokenizer, filepath.Base(path))
	}
	if err != nil {
		return err
	}
	return emit(&sdk.Output{Name: "model", MediaType: sdk.GGUFMediaType, Path: modelFile, Meta: f.meta()})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// startFile is the name of an imported checkpoint in the call's work directory.
const startFile = "start"

// Import makes a checkpoint of a model from elsewhere: its parameters and its tokenizer, and an optimizer that has seen
// nothing yet.
func (trainer) Import(ctx context.Context, c *sdk.Call, cfg trainerConfig, path string, emit func(*sdk.Output) error) error {
	s, wrong := cfg.settings()
	if len(wrong) > 0 {
		return fmt.Errorf("%s: %s", wrong[0].Summary, wrong[0].Detail)
	}
	f, err := readForeign(c, path)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := cfg.fits(s, f.weights.Config); err != nil {
		return err
	}
	if have := f.weights.Context; have < s.model.Context {
		c.Warn("Imported model", fmt.Sprintf("It was made for sequences of at most %d tokens, and max_seq_length is %d.", have, s.model.Context), cfg.merge().path("max_seq_length")...)
	}
	n := len(f.weights.Flat)
	err = train.WriteCheckpoint(filepath.Join(c.WorkDir, startFile), train.Checkpoint{
		Info:      train.Info{Kernel: kernel.Implementation(), Imported: true},
		Weights:   f.weights,
		Moments:   train.Moments{M: make([]float32, n), V: make([]float32, n)},
		Tokenizer: f.tokenizer,
	})
	if err != nil {
		return err
	}
	return emit(&sdk.Output{Name: "checkpoint", MediaType: sdk.CheckpointMediaType, Path: startFile, Meta: f.meta()})
}

// fits says what a trainer's block must say for a student that starts from a model of this shape.
func (c trainerConfig) fits(s settings, have model.Config) error {
	r := c.merge()
	sizes := func(m model.Config) string {
		return fmt.Sprintf("layers = %d, dim = %d, heads = %d, kv_heads = %d, ffn = %d", m.Layers, m.Dim, m.Heads, m.KVHeads, m.FFN)
	}
	switch {
	case sizes(have) != sizes(s.model):
		return fmt.Errorf("the model has %s, and the trainer %s: write the model's sizes into the trainer's block", sizes(have), sizes(s.model))
	case r.VocabSize != nil && *r.VocabSize != have.Vocab:
		return fmt.Errorf("the model's tokenizer has %d tokens, and the trainer's block says vocab_size = %d: take that line out, since a student keeps the tokenizer of the model that it starts from", have.Vocab, *r.VocabSize)
	case r.SpacesApart != nil && *r.SpacesApart:
		return errors.New("the trainer's block says spaces_apart = true: take that line out, since a student keeps the tokenizer of the model that it starts from")
	}
	for name, set := range map[string]bool{"tokenizer": r.Tokenizer != nil, "vocabulary": r.Vocabulary != nil} {
		if set {
			return fmt.Errorf("the trainer's block gives a %s: take that line out, since a student keeps the tokenizer of the model that it starts from", name)
		}
	}
	return nil
}
