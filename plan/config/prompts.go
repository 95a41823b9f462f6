package config

import (
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Prompt is what a generator is asked with. An empty Text asks it to write from the beginning-of-text token.
type Prompt struct{ System, Text string }

// placeholder matches {name}, and {{name}}, which stands for the text {name}.
var placeholder = regexp.MustCompile(`\{\{[A-Za-z_]\w*\}\}|\{[A-Za-z_]\w*\}`)

// Placeholders are the names in braces in a text, sorted, each once.
func Placeholders(text string) []string {
	seen := map[string]bool{}
	for _, m := range placeholder.FindAllString(text, -1) {
		if m[1] != '{' {
			seen[m[1:len(m)-1]] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// ExpandPrompts gives the prompts of a template for so many samples: sample i is asked with prompt i modulo their
// number, which is the number of combinations of values or samples, whichever is less. So asking for more samples
// leaves the prompts of the earlier ones as they are.
//
// Every placeholder goes through its values from the first prompt on, rather than one after the other: with digits
// d₀ d₁ … of i in the mixed radix of the numbers of values, placeholder j takes value (d₀ + … + dⱼ) mod nⱼ. Each
// combination comes up once before any comes up again.
//
// Examples stand before the prompt, each followed by an empty line.
func ExpandPrompts(t *Template, samples uint64) []Prompt {
	var names []string
	for _, name := range Placeholders(t.SystemPrompt + "\x00" + t.Prompt) {
		if len(t.Values[name]) > 0 {
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool { // the longest list is the fastest digit, so that it is used up first
		a, b := len(t.Values[names[i]]), len(t.Values[names[j]])
		return a > b || a == b && names[i] < names[j]
	})
	total := uint64(1)
	for _, name := range names {
		if total *= uint64(len(t.Values[name])); total >= samples {
			total = max(samples, 1)
			break
		}
	}
	shots := ""
	for _, e := range t.Examples {
		shots += e + "\n\n"
	}
	out := make([]Prompt, total)
	for i := range out {
		values := map[string]string{}
		rest, sum := uint64(i), uint64(0)
		for _, name := range names {
			list := t.Values[name]
			n := uint64(len(list))
			sum += rest % n
			rest /= n
			values[name] = list[sum%n]
		}
		out[i] = Prompt{System: fill(t.SystemPrompt, values), Text: shots + fill(t.Prompt, values)}
	}
	return out
}

// fill puts values in the place of placeholders. A value is not looked through for placeholders again.
func fill(text string, values map[string]string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		if m[1] == '{' {
			return m[1 : len(m)-1]
		}
		if v, ok := values[m[1:len(m)-1]]; ok {
			return v
		}
		return m
	})
}
