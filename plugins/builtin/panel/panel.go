// Package panel is the evaluator "panel": it reads a benchmark from files and scores answers on three components,
// accuracy, coherence and domain knowledge, item by item.
//
// # The benchmark
//
// Each split (validation, dev, gate, audit) is a file of JSON lines, or a directory of such files:
//
//	{"prompt": "…", "reference": "…", "distractors": ["…"], "key": "…", "cluster": "…", "evidence": ["…"]}
//
// Only prompt and reference (or text, its other name) are required. The key is the canonical key of the question, by
// default the prompt in lower case with its white space normalised. Two items with the same key are an error, within a
// split and between splits, because then one side of a comparison would have been trained or tuned on the other. "system"
// and "benchmark" may be given too. A file that is no split of its own (custom_eval_file) becomes dev and gate, 20 to 80,
// by a hash of the key, so that an item stays where it is when others come or go.
//
// Questions are emitted split by split, in the order of their keys' hashes; a cap on the number of samples keeps the
// lowest hashes of the gate split. A prompt's identifier depends on its key alone.
//
// # The scores
//
// Accuracy is the verifier's word on the answer, 0 or 1. Where the domain has no verifier it is exact match with the
// reference, after both are put in lower case and white space and a final full stop are normalised (the exact match of
// Rajpurkar et al. 2016 without the removal of articles, which is made for English).
//
// Coherence has two halves: whether the answer is well formed and consistent, by the verifier, and the geometric mean
// probability of the reference, exp(Σ ln p / n), over its n tokens or bytes. Where one half cannot be measured it is the
// other alone.
//
// Domain knowledge is a multiple choice of the reference against its distractors. A model chooses what it finds most
// likely as a whole: total log-likelihoods are compared, not those per token, and a tie is wrong. (Per token a longer
// option gains from its own predictable end; options of about equal length make either rule fair, and this one is the
// probability of choosing rightly.) Where nothing can be scored it is the letter that the model named; see sdk.Letters. With
// n options the score is corrected for chance: (x − 1/n)/(1 − 1/n), which is 1, or −1/3 with four options.
//
// A component that cannot be measured is absent, and reasons say why. It is never 0, and never left out silently.
package panel

import (
	"context"

	"jupiter/plugins/sdk"
)

// Config is the configuration of the evaluator.
type Config struct {
	LikelihoodPer string `jupiter:"likelihood_per" default:"\"token\"" desc:"Mean of the reference's log-likelihood: per token, or per byte where the contestants' tokenizers differ."`
}

// Units of the mean log-likelihood.
const (
	perToken = "token"
	perByte  = "byte"
)

// Validate finds what the schema cannot.
func (c Config) Validate() []*sdk.Diagnostic {
	if c.LikelihoodPer != perToken && c.LikelihoodPer != perByte {
		return []*sdk.Diagnostic{sdk.Error("Unknown unit", `likelihood_per is "token" or "byte".`, "likelihood_per")}
	}
	return nil
}

// bytesPerAnswer is what an answer and its scores take on disk, for short answers: in a shard, in the file of all answers,
// and in that of the items.
const bytesPerAnswer = 1600

// Estimate says what the scores of so many answers take. Answering is the generator's work, and by far the most of it.
func (Config) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	return &sdk.EstimateResponse{BytesWritten: float64(req.GetItems()) * bytesPerAnswer}, nil
}

// Plugin serves the evaluator.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "panel", Version: version, Stages: []sdk.Stage{Stage()}}
}

// Stage is the evaluator "panel".
func Stage() sdk.Stage {
	return sdk.Evaluator("panel", sdk.Options{
		Description:   "Reads benchmarks from files and scores accuracy, coherence and domain knowledge.",
		Revision:      1,
		Deterministic: true,
		Concurrent:    true,
	}, evaluator{})
}

type evaluator struct{}

func (evaluator) Prepare(ctx context.Context, c *sdk.Call, _ Config, req *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	return Prepare(ctx, c, req, emit)
}

func (evaluator) Score(_ context.Context, _ *sdk.Call, cfg Config, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	return Score(cfg, answers)
}
