package peft

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// config is adapter_config.json, as far as it says what an adapter computes.
type config struct {
	Rank    int
	Alpha   float64
	RSLoRA  bool
	Targets []string // sorted; nil: a pattern, which this package does not match

	ranks  map[string]int     // by name of a module or the end of one
	alphas map[string]float64 // likewise
	some   bool               // some layers alone are adapted
	tie    bool               // the output matrix follows an embedding that is saved whole
}

// harmless are settings that change nothing of what the numbers of a finished adapter mean.
var harmless = []string{"auto_mapping", "base_model_name_or_path", "eva_config", "inference_mode", "lora_dropout", "megatron_core", "modules_to_save", "peft_version",
	"qalora_group_size", "revision", "runtime_config", "task_type"}

// inits are the beginnings of training that leave the base as it is. Others change it, so that the adapter is one to a model
// that nobody has.
var inits = []string{"true", "false", `"gaussian"`, `"eva"`, `"orthogonal"`}

// parseConfig reads adapter_config.json, and refuses what cannot be merged.
func parseConfig(text []byte) (config, error) {
	var c config
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return c, err
	}
	kind, rank := "", -1
	var targets json.RawMessage
	bias := "none"
	fields := map[string]any{"peft_type": &kind, "r": &rank, "lora_alpha": &c.Alpha, "use_rslora": &c.RSLoRA, "target_modules": &targets, "rank_pattern": &c.ranks,
		"alpha_pattern": &c.alphas, "bias": &bias, "ensure_weight_tying": &c.tie}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		raw := all[name]
		switch to, known := fields[name]; {
		case !isSet(raw):
		case known:
			if err := json.Unmarshal(raw, to); err != nil {
				return c, fmt.Errorf("%s: %w", name, err)
			}
		case name == "exclude_modules" || name == "layers_to_transform" || name == "layers_pattern":
			c.some = true
		case name == "init_lora_weights":
			if !slices.Contains(inits, string(raw)) {
				return c, fmt.Errorf("init_lora_weights is %s: training began with a changed base, which the adapter does not fit without", shown(raw))
			}
		case !slices.Contains(harmless, name):
			return c, fmt.Errorf("%s is %s, which is not supported: plain LoRA is", shown([]byte(name)), shown(raw))
		}
	}
	switch {
	case kind != "LORA":
		return c, fmt.Errorf("peft_type is %.40q: \"LORA\" alone is supported", kind)
	case bias != "none":
		return c, fmt.Errorf("bias is %.40q: a plain Llama has no biases", bias)
	case rank < 0:
		return c, errors.New("r is missing: the rank")
	}
	c.Rank = rank
	if err := c.sound(); err != nil {
		return c, err
	}
	return c, c.target(targets)
}

// shown is a part of a hostile file that an error may quote.
func shown(text []byte) string {
	quoted := strconv.QuoteToASCII(string(text[:min(len(text), 60)]))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// isSet says whether a setting is there: null, false, and what is empty is not.
func isSet(raw json.RawMessage) bool {
	return !slices.Contains([]string{"", "null", "false", "{}", "[]", `""`}, string(raw))
}

// plain is a module's name or the end of one. PEFT takes patterns for regular expressions; of such a name both make the same.
var plain = regexp.MustCompile(`^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$`)

// sound checks ranks and scales.
func (c *config) sound() error {
	const most = 1 << 20
	check := func(what string, rank int, alpha float64) error {
		if rank < 1 || rank > most {
			return fmt.Errorf("%s: the rank is %d: it must be from 1 to %d", what, rank, most)
		}
		if v := float32(alpha); v-v != 0 {
			return fmt.Errorf("%s: lora_alpha is %g", what, alpha)
		}
		return nil
	}
	if err := check("r", c.Rank, c.Alpha); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.ranks)) {
		if err := check("rank_pattern", c.ranks[name], 1); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.alphas)) {
		if err := check("alpha_pattern", 1, c.alphas[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(c.ranks)), slices.Sorted(maps.Keys(c.alphas))) {
		if !plain.MatchString(name) {
			return fmt.Errorf("rank_pattern or alpha_pattern has the pattern %.60q: names of modules alone are supported", name)
		}
	}
	return nil
}

func (c *config) target(raw json.RawMessage) error {
	var pattern string
	if raw == nil || json.Unmarshal(raw, &pattern) == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &c.Targets); err != nil {
		return fmt.Errorf("target_modules: %w", err)
	}
	for _, name := range c.Targets {
		if !plain.MatchString(name) {
			return fmt.Errorf("target_modules has %.60q, which is no module's name", name)
		}
	}
	slices.Sort(c.Targets)
	return nil
}

// ends says whether a module has a name, or its end.
func ends(module, name string) bool { return module == name || strings.HasSuffix(module, "."+name) }

// targets says whether a module is adapted; true where the configuration has a pattern.
func (c *config) targets(module string) bool {
	return c.Targets == nil || slices.ContainsFunc(c.Targets, func(name string) bool { return ends(module, name) })
}

// of is what a map of patterns has for a module. Where two have something, PEFT takes the one that is written first, which a
// JSON object does not tell.
func of[T comparable](patterns map[string]T, module string, otherwise T) (T, error) {
	found, by := otherwise, ""
	for _, name := range slices.Sorted(maps.Keys(patterns)) {
		if !ends(module, name) {
			continue
		}
		if by != "" && patterns[name] != found {
			return found, fmt.Errorf("%s: both %q and %q of a pattern are about it", module, by, name)
		}
		found, by = patterns[name], name
	}
	return found, nil
}

// scale is what a module's product is multiplied by, and its rank.
func (c *config) scale(module string) (scale float64, rank int, err error) {
	if rank, err = of(c.ranks, module, c.Rank); err != nil {
		return 0, 0, err
	}
	alpha, err := of(c.alphas, module, c.Alpha)
	if c.RSLoRA {
		return alpha / math.Sqrt(float64(rank)), rank, err
	}
	return alpha / float64(rank), rank, err
}

// on lists the last parts of the names of what is adapted: "q_proj".
func (c *config) on() []string {
	var all []string
	for _, t := range c.Targets {
		all = append(all, t[strings.LastIndexByte(t, '.')+1:])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
