package llama

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

// Scorer gives the likelihoods of models in GGUF files, for a generator whose models another program runs.
type Scorer struct{ g *generator }

// NewScorer makes a Scorer, which keeps the files that it has read last.
func NewScorer() *Scorer { return &Scorer{&generator{now: time.Now}} }

// scoredBatch is how many texts are in work at a time. It changes the speed, not the likelihoods.
const scoredBatch = 64

// Score gives log-likelihoods as the generator llama does.
func (s *Scorer) Score(ctx context.Context, c *sdk.Call, model *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	return s.g.Score(ctx, c, generatorConfig{BatchSize: scoredBatch}, model, items, emit)
}

// ScoreRendered is Score for prompts that a chat template has made: what they spell as special tokens are these tokens.
func (s *Scorer) ScoreRendered(ctx context.Context, c *sdk.Call, model *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	return s.g.score(ctx, c, generatorConfig{BatchSize: scoredBatch}, model, items, func(t *bpe.Tokenizer, it *sdk.LikelihoodItem) (infer.Item, error) {
		return infer.Item{Prompt: t.Rendered(it.GetPrompt())}, nil
	}, emit)
}

// Import makes a model from elsewhere one GGUF file, as the generator llama does.
func (s *Scorer) Import(ctx context.Context, c *sdk.Call, path string, emit func(*sdk.Output) error) error {
	return s.g.Import(ctx, c, generatorConfig{}, path, emit)
}

// File is where the GGUF file of an artifact lies, which is that file or the directory that holds it alone.
func File(a *sdk.Artifact) (string, error) {
	st, err := os.Stat(a.GetPath())
	if err != nil {
		return "", fmt.Errorf("find the model: %w", err)
	}
	if st.IsDir() {
		return onlyGGUF(a.GetPath())
	}
	return filepath.Abs(a.GetPath())
}
