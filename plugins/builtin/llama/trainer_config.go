package llama

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// trainerConfig is what a user writes in a trainer "llama" block, beside the core's own attributes.
type trainerConfig struct {
	training
	Recipe  *training `jupiter:"recipe" desc:"Any of the attributes above, for sharing between trainers. An attribute of the trainer itself wins over its recipe."`
	Threads *int      `jupiter:"threads,effect=none" desc:"Processor threads; all that the process may use, at most 16, by default. Results do not depend on it."`
}

// training are the attributes that shape a run. All are pointers: nil where nothing is said.
type training struct {
	Preset  *string `jupiter:"preset" desc:"A size that fills in layers, dim, heads, kv_heads and ffn: 1m, 15m, 42m, 125m or 350m."`
	Layers  *int    `jupiter:"layers" desc:"Decoder blocks. Required without a preset."`
	Dim     *int    `jupiter:"dim" desc:"Width of the residual stream. Required without a preset."`
	Heads   *int    `jupiter:"heads" desc:"Attention heads; dim must be a multiple of twice their number. Required without a preset."`
	KVHeads *int    `jupiter:"kv_heads" desc:"Key and value heads, a divisor of heads. Default: heads."`
	FFN     *int    `jupiter:"ffn" desc:"Width of the SwiGLU layer. Default: 8/3 of dim, rounded up to a multiple of 16."`

	VocabSize    *int     `jupiter:"vocab_size" desc:"Most tokens of a tokenizer that is trained; fewer where the data has no more pairs to merge. Default: 512."`
	SpacesApart  *bool    `jupiter:"spaces_apart" desc:"Whether the space before a word is a token of its own, so that a word is one token wherever it stands. For few and structured texts. Default: false."`
	Tokenizer    *string  `jupiter:"tokenizer" desc:"A tokenizer.json to use instead of training one, as text: tokenizer = file(\"tokenizer.json\"). At most 1 MiB."`
	Vocabulary   []string `jupiter:"vocabulary" desc:"Words that are tokens, instead of training a tokenizer: all else is spelled in bytes. For a small domain whose words are known; \"in\" and \" in\" are two."`
	MaxSeqLength *int     `jupiter:"max_seq_length" desc:"Longest sequence in tokens; longer records are cut. Default: 256."`

	BatchSize         *int      `jupiter:"batch_size" desc:"Records of a batch. Default: 32."`
	AccumulationSteps *int      `jupiter:"gradient_accumulation_steps" desc:"Batches of one optimizer step. Default: 1."`
	LearningRate      *float64  `jupiter:"learning_rate" desc:"Peak learning rate. Default: 0.001."`
	WarmupSteps       *int      `jupiter:"warmup_steps" desc:"Steps of linear warm-up at the start of each window. Default: 30."`
	MinLRRatio        *float64  `jupiter:"min_lr_ratio" desc:"Learning rate at the end of the cosine, as a share of the peak. Default: 0.05."`
	WeightDecay       *float64  `jupiter:"weight_decay" desc:"Decoupled weight decay of all matrices. Default: 0.1."`
	Betas             []float64 `jupiter:"betas" desc:"AdamW's two averaging factors. Default: [0.9, 0.95]."`
	Clip              *float64  `jupiter:"clip" desc:"Largest norm of the gradient; 0 for no limit. Default: 1."`
	Dropout           *float64  `jupiter:"dropout" desc:"Dropout of each block's two branches. Default: 0."`
	PromptLossWeight  *float64  `jupiter:"prompt_loss_weight" desc:"Weight of a prompt's tokens in the loss, where an answer's weigh 1; of chats what their messages say of themselves counts. Default: 1."`
	Prompts           *string   `jupiter:"prompts" desc:"How a record with a prompt is learned: text, as the beginning of a text, or chat, as the question of one. Say chat where the generator is asked so. Default: \"text\"."`
}

// preset is the shape of a named size.
type preset struct{ layers, dim, heads, kvHeads, ffn int }

// presets are sizes with a known use; parameters without the embedding in brackets.
var presets = map[string]preset{
	"1m":   {4, 128, 4, 4, 352},    // [0.8 M] a few minutes on a laptop
	"15m":  {6, 288, 6, 6, 768},    // [6.0 M] stories15M of llama2.c
	"42m":  {8, 512, 8, 8, 1376},   // [25 M] stories42M of llama2.c
	"125m": {30, 576, 9, 3, 1536},  // [106 M] MobileLLM-125M (Liu et al. 2024, table 10)
	"350m": {32, 960, 15, 5, 2560}, // [315 M] MobileLLM-350M
}

// settings are a configuration with every default filled in.
type settings struct {
	model            model.Config // Vocab is the tokenizer's size, once that is known
	vocabSize        int
	spacesApart      bool
	tokenizer        *bpe.Tokenizer // nil: one is trained
	batch            int            // records of an optimizer step
	schedule         train.Schedule
	options          train.Options
	promptLossWeight float64
	chats            bool // a record with a prompt is one
}

// resolved is a configuration with its recipe merged in.
type resolved struct {
	training
	inRecipe map[string]bool
}

// path leads to where the user wrote an attribute, or would.
func (r resolved) path(name string) []string {
	if r.inRecipe[name] {
		return []string{"recipe", name}
	}
	return []string{name}
}

// merge lays the trainer's own attributes over its recipe's.
func (c trainerConfig) merge() resolved {
	r := resolved{training: c.training, inRecipe: map[string]bool{}}
	if c.Recipe == nil {
		return r
	}
	own, recipe := reflect.ValueOf(&r.training).Elem(), reflect.ValueOf(c.Recipe).Elem()
	for i := range own.NumField() {
		if own.Field(i).IsNil() && !recipe.Field(i).IsNil() {
			own.Field(i).Set(recipe.Field(i))
			name, _, _ := strings.Cut(own.Type().Field(i).Tag.Get("jupiter"), ",")
			r.inRecipe[name] = true
		}
	}
	return r
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// Validate says what is wrong with a configuration.
func (c trainerConfig) Validate() []*sdk.Diagnostic {
	_, ds := c.settings()
	return ds
}

// settings fills in defaults and checks what comes out.
func (c trainerConfig) settings() (settings, []*sdk.Diagnostic) {
	r := c.merge()
	var ds []*sdk.Diagnostic
	wrong := func(name, summary, format string, args ...any) {
		ds = append(ds, sdk.Error(summary, fmt.Sprintf(format, args...), r.path(name)...))
	}
	s := settings{
		vocabSize:        or(r.VocabSize, 512),
		spacesApart:      or(r.SpacesApart, false),
		promptLossWeight: or(r.PromptLossWeight, 1),
		chats:            or(r.Prompts, promptsText) == promptsChat,
		schedule: train.Schedule{
			Peak: or(r.LearningRate, 0.001), Floor: or(r.MinLRRatio, 0.05), Warmup: uint64(max(0, or(r.WarmupSteps, 30))),
		},
		options: train.Options{
			Threads: or(c.Threads, min(16, runtime.GOMAXPROCS(0))), Dropout: or(r.Dropout, 0), WeightDecay: or(r.WeightDecay, 0.1),
			Beta1: 0.9, Beta2: 0.95, Clip: or(r.Clip, 1),
		},
	}
	r.numbers(wrong)
	if detail := unknownPrompts(or(r.Prompts, promptsText)); detail != "" {
		wrong("prompts", "Unknown word", "%s", detail)
	}
	if c.Threads != nil && (*c.Threads < 1 || *c.Threads > 1024) {
		ds = append(ds, sdk.Error("Number out of range", fmt.Sprintf("threads is %d; it must be from 1 to 1024.", *c.Threads), "threads"))
	}
	if len(r.Betas) == 2 {
		s.options.Beta1, s.options.Beta2 = r.Betas[0], r.Betas[1]
	}
	s.batch = or(r.BatchSize, 32) * or(r.AccumulationSteps, 1)
	s.model = r.shape(wrong)
	s.model.Context = or(r.MaxSeqLength, 256)
	s.tokenizer = r.fixed(wrong)
	if len(ds) > 0 {
		return settings{}, ds
	}
	s.model.Vocab = s.vocabSize
	if s.tokenizer != nil {
		s.model.Vocab = s.tokenizer.Size()
	}
	if err := s.model.Validate(); err != nil {
		return settings{}, []*sdk.Diagnostic{sdk.Error("Impossible model", fmt.Sprintf("The model cannot be built: %v.", err), r.path("dim")...)}
	}
	return s, nil
}

// numbers checks the ranges of single attributes.
func (r resolved) numbers(wrong func(name, summary, format string, args ...any)) {
	integer := func(name string, p *int, lo, hi int) {
		if p != nil && (*p < lo || *p > hi) {
			wrong(name, "Number out of range", "%s is %d; it must be from %d to %d.", name, *p, lo, hi)
		}
	}
	// Written so that NaN is out of range too.
	real := func(name string, p *float64, hi float64, open bool) {
		if p != nil && !(*p >= 0 && (*p < hi || !open && *p == hi)) {
			bound := "at most"
			if open {
				bound = "below"
			}
			wrong(name, "Number out of range", "%s is %g; it must be at least 0 and %s %g.", name, *p, bound, hi)
		}
	}
	integer("layers", r.Layers, 1, 1024)
	integer("dim", r.Dim, 2, 1<<16)
	integer("heads", r.Heads, 1, 1024)
	integer("kv_heads", r.KVHeads, 1, 1024)
	integer("ffn", r.FFN, 1, 1<<18)
	integer("vocab_size", r.VocabSize, bpe.MinVocab(bpe.Options{}), 1<<20)
	integer("max_seq_length", r.MaxSeqLength, 2, 1<<20)
	integer("batch_size", r.BatchSize, 1, 1<<20)
	integer("gradient_accumulation_steps", r.AccumulationSteps, 1, 1<<20)
	integer("warmup_steps", r.WarmupSteps, 0, 1<<30)
	real("learning_rate", r.LearningRate, 10, false)
	real("min_lr_ratio", r.MinLRRatio, 1, false)
	real("weight_decay", r.WeightDecay, 10, false)
	real("clip", r.Clip, 1e9, false)
	real("dropout", r.Dropout, 1, true)
	real("prompt_loss_weight", r.PromptLossWeight, 1000, false)
	if r.Betas == nil {
		return
	}
	if len(r.Betas) != 2 {
		wrong("betas", "Two numbers wanted", "betas has %d numbers; AdamW has two averaging factors, such as [0.9, 0.95].", len(r.Betas))
		return
	}
	for _, b := range r.Betas {
		real("betas", &b, 1, true)
	}
}

// maxFixed bounds a tokenizer in a plan file, in bytes: it becomes part of the records of what was made with it.
const maxFixed = 1 << 20

// fixed is the tokenizer that the configuration gives, or nil.
func (r resolved) fixed(wrong func(name, summary, format string, args ...any)) *bpe.Tokenizer {
	name := "tokenizer"
	if r.Vocabulary != nil {
		name = "vocabulary"
	}
	size := len(or(r.Tokenizer, ""))
	for _, w := range r.Vocabulary {
		size += len(w)
	}
	switch {
	case r.Tokenizer == nil && r.Vocabulary == nil:
		return nil
	case r.Tokenizer != nil && r.Vocabulary != nil:
		wrong(name, "Two tokenizers", "tokenizer and vocabulary both give one: take one of the lines out.")
		return nil
	case size > maxFixed:
		wrong(name, "Tokenizer too large", "%s has %d bytes; at most %d. A student with a larger tokenizer starts from a model that has it: start = PATH.", name, size, maxFixed)
		return nil
	}
	for _, a := range []struct {
		name string
		set  bool
	}{{"vocab_size", r.VocabSize != nil}, {"spaces_apart", r.SpacesApart != nil}} {
		if a.set {
			wrong(a.name, "Nothing to train", "%s is about a tokenizer that is trained, and %s gives one: take the line out.", a.name, name)
		}
	}
	t, err := r.given()
	if err != nil {
		wrong(name, "Unusable tokenizer", "%s cannot be used: %v.", name, err)
	}
	return t
}

func (r resolved) given() (*bpe.Tokenizer, error) {
	if r.Vocabulary != nil {
		return bpe.Fixed(r.Vocabulary)
	}
	if !json.Valid([]byte(*r.Tokenizer)) {
		return nil, fmt.Errorf("it is no JSON: write tokenizer = file(%q) where the file has that name", shortened(*r.Tokenizer))
	}
	names, err := bpe.NamesIn([]byte(*r.Tokenizer))
	if err != nil {
		return nil, err
	}
	return bpe.FromJSONAs([]byte(*r.Tokenizer), names)
}

func shortened(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// shape gives the model's shape from the preset and the attributes over it.
func (r resolved) shape(wrong func(name, summary, format string, args ...any)) model.Config {
	var p preset
	if r.Preset != nil {
		var known bool
		if p, known = presets[*r.Preset]; !known {
			wrong("preset", "Unknown preset", "There is no preset %q. Known sizes: %s.", *r.Preset, strings.Join(presetNames(), ", "))
			return model.Config{}
		}
	} else {
		for _, a := range []struct {
			name string
			p    *int
		}{{"layers", r.Layers}, {"dim", r.Dim}, {"heads", r.Heads}} {
			if a.p == nil {
				wrong(a.name, "Missing size", "%s is not set. A model needs layers, dim and heads, or a preset.", a.name)
			}
		}
	}
	c := model.Config{
		Layers: or(r.Layers, p.layers), Dim: or(r.Dim, p.dim), Heads: or(r.Heads, p.heads),
		RopeTheta: 10000, NormEps: 1e-5, Tied: true,
	}
	c.KVHeads, c.FFN = p.kvHeads, p.ffn
	if r.Heads != nil || p.kvHeads == 0 {
		c.KVHeads = c.Heads
	}
	if r.Dim != nil || p.ffn == 0 {
		c.FFN = (8*c.Dim/3 + 15) / 16 * 16
	}
	c.KVHeads, c.FFN = or(r.KVHeads, c.KVHeads), or(r.FFN, c.FFN)
	if c.Heads < 1 || c.Dim < 1 || c.KVHeads < 1 {
		return c // reported already
	}
	if c.Dim%(2*c.Heads) != 0 {
		wrong("heads", "Heads do not fit", "dim is %d and heads is %d: dim must be a multiple of twice the number of heads, since rotary positions turn pairs.", c.Dim, c.Heads)
	}
	if c.Heads%c.KVHeads != 0 {
		wrong("kv_heads", "Heads do not fit", "kv_heads is %d, which does not divide the %d heads.", c.KVHeads, c.Heads)
	}
	c.HeadDim = c.Dim / c.Heads
	return c
}

// presetNames lists the presets from small to large.
func presetNames() []string {
	return slices.SortedFunc(maps.Keys(presets), func(a, b string) int {
		return presets[a].layers*presets[a].dim*presets[a].dim - presets[b].layers*presets[b].dim*presets[b].dim
	})
}
