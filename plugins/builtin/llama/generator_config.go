package llama

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

// generatorConfig is the configuration of a generator. model, samples and seed are the core's.
type generatorConfig struct {
	Temperature       float64  `jupiter:"temperature" default:"1" desc:"Divides the logits: below 1 likely tokens become likelier. 0 takes the likeliest token."`
	TopP              float64  `jupiter:"top_p" default:"1" desc:"Draw from the fewest likeliest tokens that have this probability together. 1: from all."`
	TopK              uint32   `jupiter:"top_k" default:"0" desc:"Draw from this many of the likeliest tokens. 0: from all."`
	MinP              float64  `jupiter:"min_p" default:"0" desc:"Draw from tokens with at least this part of the likeliest one's probability. 0: from all."`
	RepetitionPenalty float64  `jupiter:"repetition_penalty" default:"1" desc:"Above 1, makes tokens that are already there less likely. 1: does not."`
	MaxTokens         uint32   `jupiter:"max_tokens" default:"256" desc:"Tokens after which a text is cut. A sample that was cut is marked, and is never trained on."`
	Stop              []string `jupiter:"stop" desc:"A text ends before the first of these strings."`
	Prompts           *string  `jupiter:"prompts" desc:"How a prompt is put that stands alone: text, as the beginning of a text, or chat, as the question of one. With a system message it is a chat always. Default: \"text\"."`
	BatchSize         uint32   `jupiter:"batch_size,effect=none" default:"64" desc:"Texts in work at a time. Changes the speed, not the texts."`
	Threads           *uint32  `jupiter:"threads,effect=none" desc:"Processor threads. By default as many as there are. Changes the speed, not the texts."`
}

// Ways in which a prompt is put, and learned. The trainers mlx and torch have the same words.
const (
	promptsText = "text"
	promptsChat = "chat"
)

// unknownPrompts says that a way is none of these; "": it is one.
func unknownPrompts(way string) string {
	if way == promptsText || way == promptsChat {
		return ""
	}
	return fmt.Sprintf("prompts is %q: it is text or chat.", shortened(way))
}

// Most that the operational attributes may ask for.
const (
	maxBatch   = 1 << 14
	maxThreads = 1 << 10
)

// Fingerprint is asked of a generator block without the attribute model, whose plugin brings a model of its own.
func (generatorConfig) Fingerprint(context.Context) (string, error) {
	return "", errors.New(`there is no model to run: name the trainer that makes it, as in model = trainer.llama.base, or a model from elsewhere, as in model = "models/base.gguf"`)
}

// Validate finds what the schema cannot.
func (c generatorConfig) Validate() []*sdk.Diagnostic {
	var out []*sdk.Diagnostic
	bad := func(attribute, format string, args ...any) {
		out = append(out, sdk.Error("Value out of range", fmt.Sprintf(format, args...), attribute))
	}
	if !(c.Temperature >= 0 && c.Temperature <= 100) {
		bad("temperature", "temperature is %g: it must lie between 0 and 100.", c.Temperature)
	}
	if !(c.TopP > 0 && c.TopP <= 1) {
		bad("top_p", "top_p is %g: it must be above 0 and at most 1. 1 switches it off.", c.TopP)
	}
	if c.TopK > math.MaxInt32 {
		bad("top_k", "top_k is %d: no vocabulary is that large. 0 switches it off.", c.TopK)
	}
	if !(c.MinP >= 0 && c.MinP <= 1) {
		bad("min_p", "min_p is %g: it must lie between 0 and 1. 0 switches it off.", c.MinP)
	}
	if !(c.RepetitionPenalty > 0 && c.RepetitionPenalty <= 100) {
		bad("repetition_penalty", "repetition_penalty is %g: it must be above 0 and at most 100. 1 switches it off.", c.RepetitionPenalty)
	}
	if c.MaxTokens < 1 || c.MaxTokens > math.MaxInt32 {
		bad("max_tokens", "max_tokens is %d: it must be at least 1.", c.MaxTokens)
	}
	if detail := unknownPrompts(or(c.Prompts, promptsText)); detail != "" {
		out = append(out, sdk.Error("Unknown word", detail, "prompts"))
	}
	if i := slices.Index(c.Stop, ""); i >= 0 {
		out = append(out, sdk.Error("Empty stop string", "Every text contains the empty string, so every text would end at once.", "stop", fmt.Sprint(i)))
	}
	if c.BatchSize < 1 || c.BatchSize > maxBatch {
		bad("batch_size", "batch_size is %d: it must lie between 1 and %d.", c.BatchSize, maxBatch)
	}
	if c.Threads != nil && (*c.Threads < 1 || *c.Threads > maxThreads) {
		bad("threads", "threads is %d: it must lie between 1 and %d. Without the attribute all threads of the machine are used.", *c.Threads, maxThreads)
	}
	return out
}

// sampling is what a request asks for, or the configuration where the request says nothing. In a request 0 switches a
// filter or the penalty off, and max_tokens 0 is the configuration's: how long a text may be is no matter of decoding.
func (c generatorConfig) sampling(s *sdk.Sampling) (infer.Sampling, error) {
	out := infer.Sampling{
		RepetitionPenalty: c.RepetitionPenalty, Temperature: c.Temperature, TopK: int(c.TopK), TopP: c.TopP, MinP: c.MinP,
		MaxTokens: int(c.MaxTokens), Stop: c.Stop,
	}
	if s != nil {
		if len(s.GetJsonSchema()) > 0 {
			return out, fmt.Errorf("this generator cannot follow a JSON schema: it does not list the feature json_schema")
		}
		out = infer.Sampling{
			RepetitionPenalty: s.GetRepetitionPenalty(), Temperature: s.GetTemperature(), TopK: int(s.GetTopK()), TopP: s.GetTopP(), MinP: s.GetMinP(),
			MaxTokens: int(s.GetMaxTokens()), Stop: s.GetStop(),
		}
		if out.MaxTokens == 0 {
			out.MaxTokens = int(c.MaxTokens)
		}
	}
	return out, out.Check()
}

func (c generatorConfig) options() infer.Options {
	o := infer.Options{Threads: runtime.GOMAXPROCS(0), Batch: int(c.BatchSize)}
	if c.Threads != nil {
		o.Threads = int(*c.Threads)
	}
	return o
}
