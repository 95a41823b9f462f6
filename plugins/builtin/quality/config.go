package quality

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"jupiter/plugins/sdk"
)

// Config is the configuration of the filter.
type Config struct {
	MinChars   *int               `jupiter:"min_chars" desc:"Least number of characters."`
	MaxChars   *int               `jupiter:"max_chars" desc:"Greatest number of characters."`
	MinScore   *float64           `jupiter:"min_score" desc:"Least score, from 0 to 1: the mean margin over the rules that apply; a text that breaks no rule has at least 0.5."`
	Language   string             `jupiter:"language" desc:"Language of the texts, such as \"en\"; by default the domain's. Rules that need another language do not apply."`
	Kind       string             `jupiter:"kind" default:"\"auto\"" desc:"Kind of the texts: prose, code, structured, or auto to find it for each text."`
	Rules      []string           `jupiter:"rules" default:"[\"gopher_quality\",\"gopher_repetition\",\"fineweb\",\"code\"]" desc:"Rules that apply where a text's kind and language allow, by name or by family."`
	Thresholds map[string]float64 `jupiter:"thresholds" desc:"Thresholds by name of rule, in place of the field's. A rule that is named here applies to every kind of text and to every language that it can measure."`
}

const auto = "auto"

// enabled reports whether the configuration names the rule or its family.
func (c Config) enabled(r rule) bool {
	return slices.Contains(c.Rules, r.name) || slices.Contains(c.Rules, r.family)
}

// Validate finds what the schema cannot: names that do not exist and bounds that contradict each other.
func (c Config) Validate() []*sdk.Diagnostic {
	var out []*sdk.Diagnostic
	add := func(summary, detail string, path ...string) { out = append(out, sdk.Error(summary, detail, path...)) }
	if c.MinChars != nil && *c.MinChars < 0 {
		add("Negative length", "min_chars counts characters and cannot be negative.", "min_chars")
	}
	if c.MaxChars != nil && *c.MaxChars < 0 {
		add("Negative length", "max_chars counts characters and cannot be negative.", "max_chars")
	}
	if c.MinChars != nil && c.MaxChars != nil && *c.MinChars > *c.MaxChars {
		add("Nothing can pass", fmt.Sprintf("min_chars is %d and max_chars is %d, so no text has a length between them.", *c.MinChars, *c.MaxChars), "max_chars")
	}
	if c.MinScore != nil && !(0 <= *c.MinScore && *c.MinScore <= 1) {
		add("Score out of range", "Scores lie between 0 and 1.", "min_score")
	}
	if k := []string{auto, string(Prose), string(Code), string(Structured)}; !slices.Contains(k, c.Kind) {
		add("Unknown kind of text", fmt.Sprintf("%q is none of %s.", c.Kind, strings.Join(k, ", ")), "kind")
	}
	names := ruleNames()
	for i, name := range c.Rules {
		if !slices.Contains(names, name) && !slices.Contains(families(), name) {
			add("Unknown rule", fmt.Sprintf("%q is neither a family (%s) nor a rule (%s).", name, strings.Join(families(), ", "), strings.Join(names, ", ")), "rules", fmt.Sprint(i))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Thresholds)) {
		switch {
		case !slices.Contains(names, name):
			add("Unknown rule", fmt.Sprintf("%q is no rule with a threshold. There are %s.", name, strings.Join(names, ", ")), "thresholds", name)
		case !(c.Thresholds[name] >= 0):
			add("Negative threshold", fmt.Sprintf("The figure of %s is never negative.", name), "thresholds", name)
		}
	}
	return out
}
