package llama

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/model"
)

// PublishOptions say how a model is written for others.
type PublishOptions struct {
	Format string // "gguf" or "huggingface"
	DType  string // "f32", "f16", "bf16", or "q8_0" of gguf
	Card   hf.Card
}

// Check says what is wrong with the options.
func (o PublishOptions) Check() error {
	if wrong := (exporterConfig{o.Format, o.DType}).Validate(); len(wrong) > 0 {
		return errors.New(wrong[0].Detail)
	}
	return nil
}

// Publish writes the model at from, which is one that the generator runs, to a new file or directory. What is at to already is
// an error, and where something goes wrong nothing is left there.
func Publish(from, to string, o PublishOptions) (model.Config, error) {
	if err := o.Check(); err != nil {
		return model.Config{}, err
	}
	if _, err := os.Lstat(to); err == nil {
		return model.Config{}, fmt.Errorf("%s is there already: name a path that is not", to)
	}
	m, err := readModel(from)
	if err != nil {
		return model.Config{}, err
	}
	work, err := os.MkdirTemp(filepath.Dir(to), ".jupiter-export-")
	if err != nil {
		return model.Config{}, err
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "model")
	if o.Format == formatHF {
		as, _ := hfType(o.DType)
		if err = os.Mkdir(made, 0o755); err == nil {
			err = hf.Write(made, m.weights, m.tokenizer, hf.Options{DType: as, Card: o.Card})
		}
	} else {
		typ, _ := ggufType(o.DType)
		err = gguf.WriteFile(made, m.weights, m.tokenizer, gguf.Options{Name: o.Card.Name, Type: typ})
	}
	if err != nil {
		return model.Config{}, err
	}
	return m.weights.Config, os.Rename(made, to)
}
