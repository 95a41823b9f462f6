package quality

import (
	"slices"
	"sync"
)

// rule compares a figure of a text with a threshold.
type rule struct {
	name   string
	family string
	kind   Kind    // the kind of text that it is made for
	atMost bool    // the threshold is an upper bound; otherwise a lower one
	limit  float64 // the threshold of the field
	ideal  float64 // lower bounds: where the margin reaches 1
	spaced bool    // counts words: only for languages that separate them by spaces
	value  func(s *stats, language string) (float64, bool)
}

// Families of rules.
const (
	gopherQuality    = "gopher_quality"
	gopherRepetition = "gopher_repetition"
	fineWeb          = "fineweb"
	codeFamily       = "code"
)

// rules gives all rules in the order in which they are tried: cheap and telling ones first. The list is made once, and
// nobody changes it.
var rules = sync.OnceValue(makeRules)

func makeRules() []rule {
	of := func(f func(*stats) float64) func(*stats, string) (float64, bool) {
		return func(s *stats, _ string) (float64, bool) { return f(s), true }
	}
	prose := func(family, name string, atMost bool, limit, ideal float64, f func(*stats) float64) rule {
		return rule{name: name, family: family, kind: Prose, atMost: atMost, limit: limit, ideal: ideal, spaced: true, value: of(f)}
	}
	const atMost, atLeast = true, false
	list := []rule{
		prose(gopherQuality, "gopher_min_words", atLeast, 50, 100, func(s *stats) float64 { return float64(len(s.words)) }),
		prose(gopherQuality, "gopher_max_words", atMost, 100_000, 0, func(s *stats) float64 { return float64(len(s.words)) }),
		prose(gopherQuality, "gopher_min_mean_word_length", atLeast, 3, 5, (*stats).meanWordLength),
		prose(gopherQuality, "gopher_max_mean_word_length", atMost, 10, 0, (*stats).meanWordLength),
		prose(gopherQuality, "gopher_symbol_word_ratio", atMost, 0.1, 0, (*stats).symbolWordRatio),
		prose(gopherQuality, "gopher_bullet_lines", atMost, 0.9, 0, func(s *stats) float64 { return s.lineShare(startsWithBullet) }),
		prose(gopherQuality, "gopher_ellipsis_lines", atMost, 0.3, 0, func(s *stats) float64 { return s.lineShare(endsWithEllipsis) }),
		prose(gopherQuality, "gopher_alpha_words", atLeast, 0.8, 1, (*stats).alphaWords),
		{name: "gopher_stop_words", family: gopherQuality, kind: Prose, limit: 2, ideal: 4, spaced: true, value: (*stats).stopWords},
		prose(gopherRepetition, "gopher_duplicate_lines", atMost, 0.30, 0, func(s *stats) float64 { return s.dupLines.share() }),
		prose(gopherRepetition, "gopher_duplicate_paragraphs", atMost, 0.30, 0, func(s *stats) float64 { return s.dupParagraphs.share() }),
		prose(gopherRepetition, "gopher_duplicate_line_chars", atMost, 0.20, 0, func(s *stats) float64 { return s.charShare(s.dupLines.chars) }),
		prose(gopherRepetition, "gopher_duplicate_paragraph_chars", atMost, 0.20, 0, func(s *stats) float64 { return s.charShare(s.dupParagraphs.chars) }),
	}
	for i, limit := range []float64{0.20, 0.18, 0.16} {
		n := i + 2
		list = append(list, prose(gopherRepetition, ngramRule("top", n), atMost, limit, 0, func(s *stats) float64 { return s.topNGram(n) }))
	}
	for i, limit := range []float64{0.15, 0.14, 0.13, 0.12, 0.11, 0.10} {
		n := i + 5
		list = append(list, prose(gopherRepetition, ngramRule("duplicate", n), atMost, limit, 0, func(s *stats) float64 { return s.duplicateNGrams(n) }))
	}
	list = append(list,
		prose(fineWeb, "fineweb_line_punctuation", atLeast, 0.12, 0.24, func(s *stats) float64 { return s.lineShare(endsInPunctuation) }),
		prose(fineWeb, "fineweb_short_lines", atMost, 0.67, 0, func(s *stats) float64 { return s.lineShare(isShort) }),
		prose(fineWeb, "fineweb_duplicate_line_chars", atMost, 0.01, 0, func(s *stats) float64 { return s.charShare(s.dupLines.chars) }),
		prose(fineWeb, "fineweb_newlines_per_word", atMost, 0.3, 0, (*stats).newlinesPerWord),
		rule{name: "code_mean_line_length", family: codeFamily, kind: Code, atMost: true, limit: 100, value: of((*stats).meanLineLength)},
		rule{name: "code_max_line_length", family: codeFamily, kind: Code, atMost: true, limit: 1000, value: of((*stats).maxLineLength)},
		rule{name: "code_alphanumeric", family: codeFamily, kind: Code, limit: 0.25, ideal: 0.5, value: of((*stats).alphanumeric)},
	)
	return list
}

func ngramRule(what string, n int) string {
	return "gopher_" + what + "_" + []string{2: "2", 3: "3", 4: "4", 5: "5", 6: "6", 7: "7", 8: "8", 9: "9", 10: "10"}[n] + "gram_chars"
}

// applies reports whether the rule is made for this kind of text, in a language that separates words by spaces or not.
func (r rule) applies(k Kind, spaced bool) bool { return r.kind == k && (spaced || !r.spaced) }

// broken reports whether a figure breaks the rule.
func (r rule) broken(value, limit float64) bool {
	if r.atMost {
		return value > limit
	}
	return value < limit
}

// margin is how well a figure keeps the rule, from 0 to 1, and 1/2 at the threshold.
func (r rule) margin(value, limit float64) float64 {
	switch {
	case r.atMost && value <= 0, !r.atMost && limit <= 0:
		return 1
	case r.atMost && limit <= 0:
		return 0
	case r.atMost:
		return max(0, 1-value/(2*limit))
	case value < limit:
		return max(0, value/(2*limit))
	case r.ideal <= limit: // the configuration asks for more than the ideal
		return 1
	}
	return min(1, 0.5+0.5*(value-limit)/(r.ideal-limit))
}

// ruleNames gives the names of all rules, and families those of their families.
var ruleNames = sync.OnceValue(func() (out []string) {
	for _, r := range rules() {
		out = append(out, r.name)
	}
	return out
})

var families = sync.OnceValue(func() (out []string) {
	for _, r := range rules() {
		if !slices.Contains(out, r.family) {
			out = append(out, r.family)
		}
	}
	return out
})
