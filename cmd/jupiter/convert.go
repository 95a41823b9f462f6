package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/builtin/llama/model"
)

type convertOptions struct {
	format  string
	dtype   string
	adapter string
	force   bool
	json    bool
}

func newConvertCommand(w *world) *cobra.Command {
	var o convertOptions
	cmd := &cobra.Command{
		Use:   "convert SRC DST",
		Short: "Turn a model file into another form, without a project",
		Long: `Turn a model that was made elsewhere into another form. SRC is a GGUF file or a directory as Hugging Face's
tools write it; what can be read is what an import can read, and the rest is refused by its name. DST becomes a
directory for Hugging Face's tools, or one GGUF file where it ends in .gguf. The tokenizer and the chat template
go along. With --adapter an adapter in PEFT's form (LoRA) is merged into the model on the way.

What DST is already is replaced only with --force, and only where it is a file or a directory with a model. It is
written under another name and moved to its place when it is whole.

All parameters are in memory as float32 numbers, whatever SRC has: 4 bytes each, 0.6 GB for a model of 135
million parameters and 32 GB for one of 8 billion. What a quantised file has lost does not come back.

Exit status: 0 done, 1 error, for example when the model is of another architecture.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("an argument is missing: %s", form(cmd))}
			}
			return usage(cobra.ExactArgs(2)(cmd, args))
		},
		RunE: func(_ *cobra.Command, args []string) error { return convertModel(w, &o, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "huggingface or gguf; gguf where DST ends in .gguf, else huggingface, unless given")
	f.StringVar(&o.dtype, "dtype", "f32", "number format of the matrices: f32, f16, bf16, or q8_0 with gguf")
	f.StringVar(&o.adapter, "adapter", "", "merge the adapter in this `DIR`, of PEFT's form, into the model")
	f.BoolVar(&o.force, "force", false, "replace the model that is at DST")
	addJSON(cmd, &o.json, "convert")
	return cmd
}

// conversion is what convert --json writes.
type conversion struct {
	Schema       string       `json:"schema"`
	Source       modelFiles   `json:"source"`
	Model        modelFiles   `json:"model"` // what was written
	Architecture string       `json:"architecture"`
	Shape        model.Config `json:"shape"` // as config.json names it
	Parameters   int          `json:"parameters"`
	Tokens       int          `json:"tokens"`        // of the tokenizer
	ChatTemplate bool         `json:"chat_template"` // whether there is one
	Adapter      *string      `json:"adapter"`       // what was merged; null: nothing
	Notes        []string     `json:"notes"`
}

// modelFiles is one form of a model.
type modelFiles struct {
	Path   string   `json:"path"`
	Format string   `json:"format"` // huggingface or gguf
	DTypes []string `json:"dtypes"` // of its matrices; of a source of all its tensors, that of most bytes first
	Bytes  int64    `json:"bytes"`
}

// formOf is the form that a model is to be written in.
func formOf(format, to string) (string, error) {
	named := strings.EqualFold(filepath.Ext(to), ".gguf")
	switch {
	case format == "huggingface" && named:
		return "", fmt.Errorf("%s is the name of a GGUF file, and --format huggingface writes a directory", to)
	case format == "" && named:
		return "gguf", nil
	case format == "":
		return "huggingface", nil
	}
	return format, nil
}

func convertModel(w *world, o *convertOptions, from, to string) error {
	format, err := formOf(o.format, to)
	if err != nil {
		return usageError{err}
	}
	opts := llama.ConvertOptions{PublishOptions: llama.PublishOptions{Format: format, DType: o.dtype, Force: o.force}, Adapter: o.adapter}
	if err := opts.Check(); err != nil {
		return usageError{err}
	}
	did, err := llama.Convert(from, filepath.Clean(to), opts)
	if errors.Is(err, llama.ErrExists) {
		return fmt.Errorf("%w, or have it replaced: --force", err)
	}
	if err != nil {
		return err
	}
	out := conversion{Schema: "jupiter.convert/v1", Architecture: "llama", Shape: did.Model, Parameters: did.Model.Params(), Tokens: did.Tokens, ChatTemplate: did.Chat,
		Source: modelFiles{Path: from, Format: "huggingface", DTypes: did.DTypes}, Model: modelFiles{Path: to, Format: format, DTypes: []string{o.dtype}}, Notes: append([]string{}, did.Notes...)}
	if did.Format == "GGUF" {
		out.Source.Format = "gguf"
	}
	if did.Adapter != "" {
		out.Adapter = &did.Adapter
	}
	for _, f := range []*modelFiles{&out.Source, &out.Model} {
		if f.Bytes, err = bytesBelow(f.Path); err != nil {
			return err
		}
	}
	if o.json {
		return w.json(out)
	}
	viewConversion(w, out)
	return nil
}

// bytesBelow is the size of a file, or of the files in a directory.
func bytesBelow(path string) (sum int64, err error) {
	err = filepath.Walk(path, func(_ string, st os.FileInfo, err error) error {
		if err == nil && st.Mode().IsRegular() {
			sum += st.Size()
		}
		return err
	})
	if err != nil {
		return 0, errors.Join(errors.New("the model is written, and cannot be looked at"), err)
	}
	return sum, nil
}
