package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/schema"
)

// fakeSchemas has the stages that the samples use, with the attributes that they set.
type fakeSchemas map[string]*schema.Stage

func (f fakeSchemas) Stage(kind, typ string) (*schema.Stage, error) {
	if s := f[kind+" "+typ]; s != nil {
		return s, nil
	}
	var have []string
	for _, k := range slices.Sorted(maps.Keys(f)) {
		if name, ok := strings.CutPrefix(k, kind+" "); ok {
			have = append(have, name)
		}
	}
	return nil, fmt.Errorf("there is no %s %q; there is %s", kind, typ, strings.Join(have, ", "))
}

const (
	checkpoint = "application/vnd.jupiter.checkpoint"
	gguf       = "application/vnd.gguf"
)

func newSchemas() fakeSchemas {
	f := fakeSchemas{}
	add := func(kind, typ string, attrs ...schema.Attribute) *schema.Stage {
		s := &schema.Stage{Plugin: typ, Kind: kind, Type: typ, Attributes: attrs}
		f[kind+" "+typ] = s
		return s
	}
	num := func(names ...string) (out []schema.Attribute) {
		for _, n := range names {
			out = append(out, schema.Attribute{Name: n, Type: cty.Number})
		}
		return out
	}
	of := func(ty cty.Type, names ...string) (out []schema.Attribute) {
		for _, n := range names {
			out = append(out, schema.Attribute{Name: n, Type: ty})
		}
		return out
	}
	texts := cty.List(cty.String)
	recipe := schema.Attribute{Name: "recipe", Type: cty.ObjectWithOptionalAttrs(map[string]cty.Type{
		"batch_size": cty.Number, "weight_decay": cty.Number, "betas": cty.List(cty.Number), "clip": cty.Number,
		"prompt_loss_weight": cty.Number, "warmup_steps": cty.Number, "min_lr_ratio": cty.Number, "dropout": cty.Number, "spaces_apart": cty.Bool},
		[]string{"spaces_apart", "batch_size", "weight_decay", "betas", "clip", "prompt_loss_weight", "warmup_steps", "min_lr_ratio", "dropout"})}

	add("collector", "files", append(of(texts, "paths"), schema.Attribute{Name: "format", Type: cty.String, Default: cty.StringVal("auto")})...)
	add("collector", "docs", of(texts, "urls")...).NeedsNetwork = true
	add("collector", "git", append(of(texts, "repos", "file_types", "exclude_patterns"), num("max_file_size_kb")...)...).NeedsNetwork = true
	add("collector", "web", append(of(texts, "urls"), num("max_depth")...)...).NeedsNetwork = true
	llama := add("trainer", "llama", append(append(num("layers", "dim", "heads", "ffn", "dropout", "learning_rate", "vocab_size",
		"max_seq_length", "batch_size", "gradient_accumulation_steps", "warmup_steps"), of(cty.String, "preset")...), recipe)...)
	llama.Produces, llama.Features = []string{checkpoint}, []string{"import"}
	runner := add("generator", "llama", append(num("temperature", "max_tokens"), schema.Attribute{Name: "any", Type: cty.DynamicPseudoType})...)
	runner.Consumes, runner.Features = []string{gguf}, []string{"score", "import"}
	openai := add("generator", "openai", append(num("temperature", "top_p", "max_tokens", "batch_size"),
		schema.Attribute{Name: "base_url", Type: cty.String}, schema.Attribute{Name: "model_name", Type: cty.String},
		schema.Attribute{Name: "api_key", Type: cty.String, Sensitive: true})...)
	openai.Consumes, openai.NeedsNetwork = []string{gguf}, true
	openai.Blocks = []schema.Block{{Type: "serve", Nesting: "single", Attributes: append(of(texts, "args"), of(cty.String, "command")...)}}
	add("generator", "far", schema.Attribute{Name: "base_url", Type: cty.String, Required: true})
	add("generator", "mute")
	add("filter", "quality", num("min_chars", "max_chars", "min_score")...)
	add("filter", "neardup", num("similarity_threshold", "num_hashes", "ngram_size")...)
	add("filter", "like", schema.Attribute{Name: "sample", Type: cty.String, Accepts: []string{RecordsMediaType}})
	add("verifier", "quantities")
	add("evaluator", "panel")
	exp := add("exporter", "llama")
	exp.Consumes, exp.Produces = []string{checkpoint}, []string{gguf}
	add("exporter", "odd").Consumes = []string{"application/odd"}
	nested := add("filter", "nested", num("top")...)
	nested.Blocks = []schema.Block{{Type: "rule", Nesting: "list", Attributes: num("at")}}
	return f
}
