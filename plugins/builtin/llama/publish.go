package llama

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/model"
)

// PublishOptions say how a model is written for others.
type PublishOptions struct {
	Format string // "gguf" or "huggingface"
	DType  string // "f32", "f16", "bf16", or "q8_0" of gguf
	Card   hf.Card
	Force  bool // a model that is at the path already is replaced
}

// ErrExists says what to do where something is at the path of a model that is to be written.
var ErrExists = errors.New("name a path that is not")

// Check says what is wrong with the options.
func (o PublishOptions) Check() error {
	if wrong := (exporterConfig{o.Format, o.DType}).Validate(); len(wrong) > 0 {
		return errors.New(wrong[0].Detail)
	}
	return nil
}

// Publish writes the model at from, which is one that the generator runs, to a new file or directory. Where something goes wrong
// what was at to is there as before.
func Publish(from, to string, o PublishOptions) (model.Config, error) {
	if err := o.free(to); err != nil { // before anything is read
		return model.Config{}, err
	}
	m, err := readModel(from)
	if err != nil {
		return model.Config{}, err
	}
	return m.weights.Config, o.write(to, m.weights, m.tokenizer)
}

// free says whether a model may be written to a path: nothing is there, or a model that may be replaced. A directory that holds
// something else is never.
func (o PublishOptions) free(to string) error {
	if err := o.Check(); err != nil {
		return err
	}
	st, err := os.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !o.Force:
		return fmt.Errorf("%s is there already: %w", to, ErrExists)
	case st.Mode().IsRegular():
		return nil
	case !st.IsDir():
		return fmt.Errorf("%s is neither a file nor a directory, and is not replaced", to)
	}
	if _, err := os.Stat(filepath.Join(to, "config.json")); err != nil {
		return fmt.Errorf("%s is a directory that holds no model, and is not replaced", to)
	}
	return nil
}

// write writes a model beside its place, and moves it there.
func (o PublishOptions) write(to string, w *model.Weights, t *bpe.Tokenizer) error {
	work, err := os.MkdirTemp(filepath.Dir(to), ".jupiter-export-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "model")
	if o.Format == formatHF {
		as, _ := hfType(o.DType)
		if err = os.Mkdir(made, 0o755); err == nil {
			err = hf.Write(made, w, t, hf.Options{DType: as, Card: o.Card})
		}
	} else {
		typ, _ := ggufType(o.DType)
		err = gguf.WriteFile(made, w, t, gguf.Options{Name: o.Card.Name, Type: typ})
	}
	if err != nil {
		return err
	}
	if err := o.free(to); err != nil { // once more: writing takes a while
		return err
	}
	aside := filepath.Join(work, "before")
	switch err := os.Rename(to, aside); {
	case errors.Is(err, fs.ErrNotExist):
		return os.Rename(made, to)
	case err != nil:
		return err
	}
	if err := os.Rename(made, to); err != nil {
		return errors.Join(err, os.Rename(aside, to))
	}
	return nil
}
