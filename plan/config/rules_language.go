package config

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
)

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`)

// IsLanguage says whether a text is a language as BCP 47 writes it: en, pt-BR.
func IsLanguage(tag string) bool { return languageTag.MatchString(tag) }

// ruleLanguage: a domain's language is a tag. By another word, such as english, a filter would know no rule of it.
func ruleLanguage(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		if d.Language != "" && !IsLanguage(d.Language) {
			diags = append(diags, problem(at(d.Attrs, "language", d.Range), "Unknown language", fmt.Sprintf(
				"%q is no language as filters know them. Write en, es or pt-BR.", d.Language)))
		}
	}
	return diags
}
