package llama

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/safetensors"
	"jupiter/plugins/sdk"
)

// exporterConfig is the configuration of an exporter.
type exporterConfig struct {
	Format string `jupiter:"format" default:"\"gguf\"" desc:"gguf, one file for llama.cpp and Ollama; or huggingface, a directory for transformers, with a card of the model. The generator llama runs both."`
	DType  string `jupiter:"dtype" default:"\"f32\"" desc:"Number format of the matrices: f32, which keeps every bit; f16 or bf16, which take half the space; or q8_0 (gguf alone), which takes a quarter. With q8_0 a matrix whose rows are no multiple of 32 is kept in f16."`
}

// Formats of an export.
const (
	formatGGUF = "gguf"
	formatHF   = "huggingface"
)

// Number formats by their names in the configuration.
func ggufType(name string) (gguf.Type, bool) {
	for _, t := range gguf.Types() {
		if name == t.String() {
			return t, true
		}
	}
	return 0, false
}

func hfType(name string) (safetensors.DType, bool) {
	for _, t := range []safetensors.DType{safetensors.F32, safetensors.F16, safetensors.BF16} {
		if name == strings.ToLower(string(t)) {
			return t, true
		}
	}
	return "", false
}

// Validate finds what the schema cannot.
func (c exporterConfig) Validate() []*sdk.Diagnostic {
	switch _, known := ggufType(c.DType); {
	case c.Format != formatGGUF && c.Format != formatHF:
		return []*sdk.Diagnostic{sdk.Error("Unknown format", fmt.Sprintf(`format is %q: it must be "gguf" or "huggingface".`, c.Format), "format")}
	case !known:
		return []*sdk.Diagnostic{sdk.Error("Unknown number format", fmt.Sprintf(`dtype is %q: it must be "f32", "f16", "bf16" or "q8_0".`, c.DType), "dtype")}
	}
	if _, ok := hfType(c.DType); c.Format == formatHF && !ok {
		return []*sdk.Diagnostic{sdk.Error("Unknown number format", fmt.Sprintf(`dtype is %q, which is a format of GGUF files: with format = "huggingface" it must be "f32", "f16" or "bf16".`, c.DType), "dtype")}
	}
	return nil
}

func exporterStage() sdk.Stage {
	return sdk.Exporter("llama", sdk.Options{
		Description:   "Writes a checkpoint, of a trainer that fine-tunes downloaded Llamas too, as one GGUF file, which llama.cpp and Ollama run too, or as a directory for Hugging Face's tools.",
		Revision:      2,
		Deterministic: true,
		Concurrent:    true,
		Consumes:      []string{sdk.CheckpointMediaType},
		Produces:      []string{sdk.GGUFMediaType, hfMediaType},
	}, export)
}

// hfMediaType is a directory as Hugging Face's tools write it.
const hfMediaType = "application/vnd.huggingface.model"

// modelFile and modelDir are the names of the exporter's output in the call's work directory.
const (
	modelFile = "model.gguf"
	modelDir  = "model"
)

func export(_ context.Context, c *sdk.Call, cfg exporterConfig, checkpoint *sdk.Artifact, emit func(*sdk.Output) error) error {
	if checkpoint == nil {
		return fmt.Errorf("there is no checkpoint to export")
	}
	if wrong := cfg.Validate(); len(wrong) > 0 {
		return fmt.Errorf("%s: %s", wrong[0].Summary, wrong[0].Detail)
	}
	cp, err := readCheckpoint(checkpoint.GetPath(), c.Base)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	for _, note := range cp.notes {
		c.Warn("Checkpoint", note)
	}
	name := c.Domain.GetName()
	if name == "" {
		name = "llama"
	}
	out := &sdk.Output{Name: "model", MediaType: sdk.GGUFMediaType, Path: modelFile, Meta: map[string]string{
		"dtype":      cfg.DType,
		"format":     cfg.Format,
		"parameters": strconv.Itoa(cp.weights.Config.Params()),
		"step":       strconv.FormatUint(cp.step, 10),
	}}
	if cfg.Format == formatHF {
		out.MediaType, out.Path = hfMediaType, modelDir
		err = exportHF(filepath.Join(c.WorkDir, modelDir), cfg, cp, hf.Card{Name: name, Lineage: append([]hf.Fact{{What: "Domain", Is: c.Domain.GetName()}}, cp.facts...)})
	} else {
		typ, _ := ggufType(cfg.DType)
		err = gguf.WriteFile(filepath.Join(c.WorkDir, modelFile), cp.weights, cp.tokenizer, gguf.Options{Name: name, Type: typ})
	}
	if err != nil {
		return err
	}
	return emit(out)
}

func exportHF(dir string, cfg exporterConfig, cp *source, card hf.Card) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	as, _ := hfType(cfg.DType)
	return hf.Write(dir, cp.weights, cp.tokenizer, hf.Options{DType: as, Card: card})
}
