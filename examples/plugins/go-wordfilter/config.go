package main

import (
	"fmt"
	"regexp"
	"strings"

	"jupiter/plugins/sdk"
)

// config is the filter's configuration: its tags are the schema.
type config struct {
	Rules      []rule `jupiter:"rules,required" desc:"What to drop, and for which reason. The first rule that a record meets decides."`
	IgnoreCase bool   `jupiter:"ignore_case" default:"true" desc:"Capital and small letters are the same."`
	WholeWords bool   `jupiter:"whole_words" default:"true" desc:"A word counts where it stands by itself: letters beside letters, or digits beside digits, are more of the same word."`
	Prompts    bool   `jupiter:"prompts" default:"false" desc:"Look into the prompt too, and not into the text alone."`
}

// rule is one reason to drop a record.
type rule struct {
	Reason   string   `jupiter:"reason,required" desc:"A short stable word, by which dropped records are counted."`
	Words    []string `jupiter:"words" desc:"Words, or texts of several."`
	Patterns []string `jupiter:"patterns" desc:"Regular expressions in the syntax of RE2."`
	AtLeast  int      `jupiter:"at_least" desc:"How many hits it takes; 1 where nothing is said."`
}

var reasonForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Validate finds what the schema cannot. A path leads to the place within the attribute.
func (c config) Validate() (out []*sdk.Diagnostic) {
	fail := func(i int, field, summary, detail string, args ...any) {
		out = append(out, sdk.Error(summary, fmt.Sprintf(detail, args...), "rules", fmt.Sprint(i), field))
	}
	seen := map[string]bool{}
	for i, r := range c.Rules {
		switch {
		case !reasonForm.MatchString(r.Reason):
			fail(i, "reason", "No reason", "%q is no word of a-z, 0-9 and _.", r.Reason)
		case seen[r.Reason]:
			fail(i, "reason", "Reason used twice", "Another rule has the reason %q: records are counted by it.", r.Reason)
		case len(r.Words)+len(r.Patterns) == 0:
			fail(i, "words", "Empty rule", "The rule %q has neither words nor patterns, and would drop nothing.", r.Reason)
		case r.AtLeast < 0:
			fail(i, "at_least", "Negative count", "at_least is the number of hits that it takes to drop a record.")
		}
		seen[r.Reason] = true
		for _, w := range r.Words {
			if strings.TrimSpace(w) == "" {
				fail(i, "words", "Empty word", "An empty word is in every text.")
			}
		}
		for _, p := range r.Patterns {
			if re, err := regexp.Compile(p); err != nil {
				fail(i, "patterns", "No regular expression", "%v.", err)
			} else if re.MatchString("") {
				fail(i, "patterns", "Pattern that matches nothing", "%q matches the empty text, and so every record.", p)
			}
		}
	}
	return out
}
