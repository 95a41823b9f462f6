package fake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"jupiter/plugins/sdk"
)

// generatorConfig configures the generator.
type generatorConfig struct {
	Quality float64 `jupiter:"quality" default:"0.5" desc:"Share of right answers of the base generator, which is given no model."`
	Range   uint64  `jupiter:"range" default:"100000" desc:"Samples without a prompt are about a number below this."`
	RawCost float64 `jupiter:"raw_cost" default:"0" desc:"How much worse drawn samples become for each point by which answers are better than the base generator's."`
	Batch   uint64  `jupiter:"batch,effect=none" default:"10" desc:"Samples in a batch."`
	Tokens  *uint64 `jupiter:"tokens" desc:"Tokens that a sample or an answer is said to have; 1 where nothing is said."`
	Letters bool    `jupiter:"letters" default:"false" desc:"Has no likelihoods, and names the letter of its answer where it is given options."`
	Served  string  `jupiter:"served" desc:"File that stands for a served model: it holds the quality, and its bytes are the model's fingerprint."`
	Key
	Faults
}

// Fingerprint is the digest of the file that stands for the served model.
func (c generatorConfig) Fingerprint(context.Context) (string, error) {
	if c.Served == "" {
		return "fake", nil
	}
	b, err := os.ReadFile(c.Served)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(b)), nil
}

// Validate finds what the schema cannot.
func (c generatorConfig) Validate() []*sdk.Diagnostic {
	out := c.Faults.Validate()
	if c.Range == 0 {
		out = append(out, sdk.Error("Empty range", "No number is below 0.", "range"))
	}
	return out
}

// tokens is what a sample or an answer is said to have.
func (c generatorConfig) tokens() uint64 {
	if c.Tokens == nil {
		return 1
	}
	return *c.Tokens
}

// Estimate is exact: a prompt is one token, and so is each byte of what is scored.
func (c generatorConfig) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	n := float64(req.GetItems())
	written := n * float64(c.tokens())
	return &sdk.EstimateResponse{PromptTokens: n + req.GetScoredBytes(), CompletionTokens: written, MaxCompletionTokens: written, BytesWritten: 64 * n, PeakMemoryBytes: 1 << 20}, nil
}

func generatorStage() sdk.Stage {
	o := options("Answers as rightly as its model's quality says.")
	o.Resumable = true
	o.Features = []string{"score"}
	o.Consumes = []string{ModelMediaType}
	return sdk.Generator("fake", o, generator{})
}

type generator struct{}

// quality is that of the model, or of the base generator.
func (c generatorConfig) quality(a *sdk.Artifact) (float64, error) {
	if a == nil && c.Served != "" {
		b, err := os.ReadFile(c.Served)
		if err != nil {
			return 0, err
		}
		return strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	}
	if a == nil {
		return c.Quality, nil
	}
	m, err := readModel(a)
	return m.Quality, err
}

// Generate draws samples. A set without prompts gives whole samples, question and answer in the text; sample i of a set
// with prompts answers prompt i mod their number.
func (generator) Generate(ctx context.Context, c *sdk.Call, cfg generatorConfig, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	if err := cfg.unlock(); err != nil {
		return err
	}
	quality, err := cfg.quality(req.GetModel())
	if err != nil {
		return err
	}
	quality = max(0, min(1, quality-cfg.RawCost*(quality-cfg.Quality)))
	b := &batcher{size: cfg.Batch, emit: emit}
	done := uint64(0)
	for _, set := range req.GetSets() {
		for i := set.GetStartIndex(); i < set.GetStartIndex()+set.GetSamples() && !c.IsStopped(); i++ {
			done++
			if err := cfg.before(ctx, i+1); err != nil {
				return err
			}
			c.Spend(1, cfg.tokens())
			if err := b.add(sample(cfg, set, c.Seed, i, quality), done); err != nil {
				return err
			}
		}
	}
	return b.flush()
}

func sample(cfg generatorConfig, set *sdk.PromptSet, seed, i uint64, quality float64) *sdk.Record {
	salt := hash(fmt.Sprintf("%s/%d", set.GetTemplate(), i), seed) | 1 // never that of a greedy answer
	r := &sdk.Record{SampleSeed: salt, PromptTokens: 1, CompletionTokens: cfg.tokens(), Meta: map[string]string{"template": set.GetTemplate()}}
	if n := uint64(len(set.GetPrompts())); n > 0 {
		p := set.GetPrompts()[i%n]
		r.Prompt, r.Bucket = p.GetText(), p.GetBucket()
	}
	if r.Prompt == "" { // from nothing: the sample asks its own question
		p := Prompt(hash("number", salt) % cfg.Range)
		r.Text = p + answer(p, quality, salt)
		return r
	}
	r.Text = answer(r.Prompt, quality, salt)
	return r
}

// Import takes a model from elsewhere.
func (generator) Import(ctx context.Context, c *sdk.Call, cfg generatorConfig, path string, emit func(*sdk.Output) error) error {
	if err := cfg.before(ctx, 1); err != nil {
		return err
	}
	return importModel(c, "model", ModelMediaType, path, emit)
}

// Complete answers greedily, whatever the temperature. An answer ends before the first stop sequence.
func (generator) Complete(ctx context.Context, c *sdk.Call, cfg generatorConfig, a *sdk.Artifact, sampling *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	quality, err := cfg.quality(a)
	if err != nil {
		return err
	}
	for i, p := range prompts {
		if err := cfg.before(ctx, uint64(i)+1); err != nil {
			return err
		}
		done := &sdk.Completion{PromptId: p.GetId(), Text: before(cfg.said(p.GetText(), quality), sampling.GetStop()), FinishReason: "stop", PromptTokens: 1, CompletionTokens: cfg.tokens()}
		c.Spend(1, cfg.tokens())
		if err := emit(done); err != nil {
			return err
		}
	}
	return nil
}

// said is the greedy answer. Where there are options it is the letter of the one that would be the answer without them.
func (c generatorConfig) said(prompt string, quality float64) string {
	question, options, choice := strings.Cut(prompt, "\n\nA. ")
	if !c.Letters || !choice {
		return answer(prompt, quality, 0)
	}
	for line := range strings.Lines("A. " + options) {
		if letter, option, ok := strings.Cut(strings.TrimSpace(line), ". "); ok && option == answer(question, quality, 0) {
			return letter
		}
	}
	return "?"
}

// before is a text up to the first of some sequences.
func before(text string, stop []string) string {
	for _, s := range stop {
		if s != "" {
			text, _, _ = strings.Cut(text, s)
		}
	}
	return text
}

// Score finds what the model would say likely, e^(−0.1) a byte, and the rest less so, e^(−1) and less; the better the
// model, the likelier both.
func (generator) Score(ctx context.Context, _ *sdk.Call, cfg generatorConfig, a *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	if cfg.Letters {
		return sdk.Unsupported(errors.New("it has no likelihoods"))
	}
	quality, err := cfg.quality(a)
	if err != nil {
		return err
	}
	for i, it := range items {
		if err := cfg.before(ctx, uint64(i)+1); err != nil {
			return err
		}
		e := &sdk.LikelihoodEvent{PromptId: it.GetPromptId()}
		said := answer(it.GetPrompt(), quality, 0)
		for _, text := range it.GetContinuations() {
			nats := 2 - quality
			if text == said {
				nats = 0.1
			}
			n := uint64(len(text))
			if it.GetEnd() {
				n++
			}
			e.Likelihoods = append(e.Likelihoods, &sdk.Likelihood{SumLogprob: -nats * math.Max(1, float64(n)), Tokens: n, Bytes: n})
		}
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}
