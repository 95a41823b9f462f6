package llama

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/model"
)

// ConvertOptions say what a model is turned into.
type ConvertOptions struct {
	PublishOptions
	Adapter string // directory of an adapter in PEFT's form, to be merged; "": none
}

// Converted is what was read and written.
type Converted struct {
	Format  string   // of the source: "GGUF" or "Hugging Face"
	DTypes  []string // of the source: number formats, that of most bytes first
	Model   model.Config
	Tokens  int
	Chat    bool     // there is a chat template
	Adapter string   // what was merged; "": nothing
	Notes   []string // what a user should know: sentences
}

// Convert reads a model from elsewhere, as an import does, and writes it in another form. It holds all parameters in float32.
func Convert(from, to string, o ConvertOptions) (Converted, error) {
	var c Converted
	for _, source := range []string{from, o.Adapter} {
		if err := apart(source, to); source != "" && err != nil {
			return c, err
		}
	}
	if err := o.free(to); err != nil {
		return c, err
	}
	m, err := readModel(from)
	if err != nil {
		return c, fmt.Errorf("read %s: %w", from, err)
	}
	c = Converted{Format: m.format, DTypes: m.dtypes, Model: m.weights.Config, Tokens: m.tokenizer.Size(), Chat: m.tokenizer.ChatTemplate() != "", Notes: m.notes}
	if m.file != "" {
		if c.DTypes, err = gguf.DTypes(m.file); err != nil {
			return c, err
		}
	}
	name := filepath.Base(from)
	o.Card = hf.Card{Name: strings.TrimSuffix(name, ".gguf"), Lineage: []hf.Fact{{What: "Converted from", Is: fmt.Sprintf("%s, %s of %s", name, c.Format, strings.Join(c.DTypes, ", "))}}}
	if o.Adapter != "" {
		if c.Adapter, err = mergeAdapter(o.Adapter, m.weights); err != nil {
			return c, fmt.Errorf("%s: %w", o.Adapter, err)
		}
		o.Card.Lineage = append(o.Card.Lineage, hf.Fact{What: "Fine-tuned", Is: c.Adapter + ", merged"})
	}
	return c, o.write(to, m.weights, m.tokenizer)
}

// apart refuses a target that is its source or holds it, or that is there and a part of it: to replace it would be to lose what
// was read.
func apart(source, target string) error {
	var full [2]string
	for i, path := range []string{source, target} {
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		} else if parent, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
			abs = filepath.Join(parent, filepath.Base(abs))
		}
		full[i] = abs + string(os.PathSeparator)
	}
	_, missing := os.Lstat(target)
	if strings.HasPrefix(full[0], full[1]) || missing == nil && strings.HasPrefix(full[1], full[0]) {
		return fmt.Errorf("%s and %s are one, or one is a part of the other: name another place to write to", source, target)
	}
	return nil
}
