package llama

import (
	"fmt"

	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/sdk"
)

// The cost models of generator and exporter. That of the trainer is train.Estimate.

// bytesPerToken is how much text a token of a small byte-level vocabulary holds; it only shapes the first forecast.
const bytesPerToken = 3

// made is the shape of the model that a trainer of this plugin makes; false where the host names no such trainer.
func made(m *sdk.ModelMaker) (model.Config, bool, error) {
	if m.GetStage() != "llama" {
		return model.Config{}, false, nil
	}
	cfg, err := sdk.Decode[trainerConfig]("llama", m.GetConfig().GetJson())
	if err != nil {
		return model.Config{}, false, fmt.Errorf("the trainer of the model: %w", err)
	}
	s, wrong := cfg.settings()
	if len(wrong) > 0 {
		return model.Config{}, false, fmt.Errorf("the trainer of the model: %s: %s", wrong[0].Summary, wrong[0].Detail)
	}
	return s.model, true, nil
}

// Estimate forecasts texts. How long they become is up to the model: half of max_tokens is expected, all of it at most.
func (c generatorConfig) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	n, most := float64(req.Items), float64(c.MaxTokens)
	prompt := 1 + req.PromptBytes/bytesPerToken // BOS comes first
	out := &sdk.EstimateResponse{PromptTokens: n*prompt + req.ScoredBytes/bytesPerToken, CompletionTokens: n * most / 2, MaxCompletionTokens: n * most}
	out.BytesWritten = out.CompletionTokens * bytesPerToken
	shape, known, err := made(req.Maker)
	if err != nil || !known {
		return out, err
	}
	cost := infer.Estimate(shape, prompt+most/2, int(c.BatchSize))
	out.Flop = (out.PromptTokens + out.CompletionTokens) * cost.FlopPerToken
	out.PeakMemoryBytes = cost.MemoryBytes
	return out, nil
}

// Estimate forecasts one export.
func (c exporterConfig) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	shape, known, err := made(req.Maker)
	if err != nil || !known {
		return &sdk.EstimateResponse{}, err
	}
	t, _ := ggufType(c.DType)
	size := t.Size()
	params := float64(shape.Params())
	return &sdk.EstimateResponse{BytesRead: 4 * params, BytesWritten: size * params, PeakMemoryBytes: (4 + size) * params}, nil
}
