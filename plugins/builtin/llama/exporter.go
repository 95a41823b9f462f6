package llama

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// exporterConfig is the configuration of an exporter.
type exporterConfig struct {
	DType string `jupiter:"dtype" default:"\"f32\"" desc:"Number format of the matrices: f32, which keeps every bit, or f16, which takes half the space."`
}

// dtypes gives the number format of a name in the configuration.
func (c exporterConfig) dtype() (gguf.Type, bool) {
	for _, t := range []gguf.Type{gguf.F32, gguf.F16} {
		if c.DType == t.String() {
			return t, true
		}
	}
	return 0, false
}

// Validate finds what the schema cannot.
func (c exporterConfig) Validate() []*sdk.Diagnostic {
	if _, ok := c.dtype(); !ok {
		return []*sdk.Diagnostic{sdk.Error("Unknown number format", fmt.Sprintf(`dtype is %q: it must be "f32" or "f16".`, c.DType), "dtype")}
	}
	return nil
}

func exporterStage() sdk.Stage {
	return sdk.Exporter("llama", sdk.Options{
		Description:   "Writes a checkpoint as one GGUF file, which llama.cpp, Ollama and the llama generator run.",
		Revision:      1,
		Deterministic: true,
		Concurrent:    true,
		Consumes:      []string{sdk.CheckpointMediaType},
		Produces:      []string{sdk.GGUFMediaType},
	}, export)
}

// modelFile is the name of the exporter's file in the call's work directory.
const modelFile = "model.gguf"

func export(_ context.Context, c *sdk.Call, cfg exporterConfig, checkpoint *sdk.Artifact, emit func(*sdk.Output) error) error {
	if checkpoint == nil {
		return fmt.Errorf("there is no checkpoint to export")
	}
	typ, ok := cfg.dtype()
	if !ok {
		return fmt.Errorf("dtype %q is not known", cfg.DType)
	}
	cp, err := train.ReadModel(checkpoint.GetPath())
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	name := c.Domain.GetName()
	if name == "" {
		name = "llama"
	}
	if err := gguf.WriteFile(filepath.Join(c.WorkDir, modelFile), cp.Weights, cp.Tokenizer, gguf.Options{Name: name, Type: typ}); err != nil {
		return err
	}
	return emit(&sdk.Output{Name: "model", MediaType: sdk.GGUFMediaType, Path: modelFile, Meta: map[string]string{
		"dtype":      cfg.DType,
		"parameters": strconv.Itoa(cp.Weights.Config.Params()),
		"step":       strconv.FormatUint(cp.Info.Step, 10),
	}})
}
