package config

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/lang"
)

// ruleTemplateWeights: all templates of a domain have a weight or none, and the weights sum to 1.
func ruleTemplateWeights(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		total, silent := 0.0, false
		for _, t := range d.Templates {
			if math.IsNaN(t.Weight) {
				diags = append(diags, problem(t.Range, "Template without a weight", fmt.Sprintf(
					"Other templates of this domain have a weight, and %q has none. Give it one too, or take all of them out: then each has its bucket's share.", t.Name)))
				silent = true
				continue
			}
			total += t.Weight
		}
		if len(d.Templates) == 0 || silent || isOne(total) {
			continue
		}
		first := d.Templates[0]
		diags = append(diags, problem(at(first.Attrs, "weight", first.Range), "Weights do not sum to 1", fmt.Sprintf(
			"The weights of the templates of domain %q sum to %.6g. Each is a template's part of the samples, so they must sum to 1.", d.Name(), total)))
	}
	return diags
}

// rulePlaceholders: every {placeholder} has values, and every list of values is used.
func rulePlaceholders(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		for _, t := range d.Templates {
			used := map[string]bool{}
			for attr, text := range map[string]string{"prompt": t.Prompt, "system_prompt": t.SystemPrompt} {
				for _, name := range Placeholders(text) {
					used[name] = true
					if _, ok := t.Values[name]; !ok {
						hint := " Add:"
						if near := nearPlaceholder(name, t); near != "" {
							hint = near + " Otherwise add:"
						}
						diags = append(diags, problem(at(t.Attrs, attr, t.Range), "Unfilled placeholder", fmt.Sprintf(
							"The %s of template %q uses {%s}, but nothing gives it values.%s values = { %s = [...] }. To write the braces themselves, double them: {{%s}}.",
							attr, t.Name, name, hint, name, name)))
					}
				}
			}
			for _, name := range slices.Sorted(maps.Keys(t.Values)) {
				attr := valuesAttr(name, t)
				switch {
				case len(t.Values[name]) == 0:
					diags = append(diags, problem(at(t.Attrs, attr, t.Range), "Empty list of values", fmt.Sprintf(
						"{%s} of template %q has no values to go through.", name, t.Name)))
				case !used[name]:
					diags = append(diags, problem(at(t.Attrs, attr, t.Range), "Unused values", fmt.Sprintf(
						"Template %q has values for {%s}, and its prompts do not use it.%s", t.Name, name, lang.DidYouMean(name, slices.Sorted(maps.Keys(used))))))
				}
			}
		}
	}
	return diags
}

// nearPlaceholder offers, for a placeholder without values, one that has some: the one with a name that is near, or the only
// one that the prompts do not use.
func nearPlaceholder(name string, t *Template) string {
	if near := lang.DidYouMean(name, slices.Sorted(maps.Keys(t.Values))); near != "" {
		return near
	}
	used := append(Placeholders(t.Prompt), Placeholders(t.SystemPrompt)...)
	free := slices.DeleteFunc(slices.Sorted(maps.Keys(t.Values)), func(v string) bool { return contains(used, v) })
	if len(free) != 1 {
		return ""
	}
	return fmt.Sprintf(" Did you mean {%s}?", free[0])
}

// valuesAttr is the attribute that gives a placeholder its values.
func valuesAttr(name string, t *Template) string {
	for attr, short := range map[string]string{"topics": "topic", "tasks": "task"} {
		if _, ok := t.Attrs[attr]; ok && name == short {
			return attr
		}
	}
	return "values"
}
