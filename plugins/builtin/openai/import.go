package openai

import (
	"context"

	"jupiter/plugins/sdk"
)

// Import takes a model from elsewhere, a GGUF file or a directory of Hugging Face's, which becomes one. It is for the server
// that serve starts on a file, and the embedded engine has to read it: what is compared with a student needs likelihoods.
func (g *generator) Import(ctx context.Context, c *sdk.Call, cfg config, path string, emit func(*sdk.Output) error) error {
	if err := cfg.runsModels(); err != nil {
		return err
	}
	return g.scorer.Import(ctx, c, path, emit)
}
