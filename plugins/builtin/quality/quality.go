// Package quality is the filter "quality": the heuristics that the field filters text with, under the field's names and
// thresholds.
//
// A rule compares one figure of a text with one threshold, and a text is rejected by the first rule that it breaks; the
// verdict's reason is that rule's name. Rules come in families: gopher_quality and gopher_repetition (Rae et al. 2021,
// Scaling Language Models, table A1), fineweb (Penedo et al. 2024, The FineWeb Datasets) and code (Kocetkov et al.
// 2022, The Stack, as StarCoder used it).
//
// Which rules apply depends on the text, because a rule made for English web pages deletes other good text: short lines
// and repeated lines are normal in code, English stop words are missing in Spanish, words are not separated by spaces in
// Chinese. So each text has a kind (prose, code or structured), given by the configuration or found by Classify, and a
// language, the domain's unless the configuration says otherwise; without either, stop words are not asked for. Prose is judged outside its fenced code blocks.
// Structured text, such as "7*12=84", which is mostly digits and signs, is only judged by what the configuration sets:
// min_chars, max_chars and thresholds.
//
// The score of a text is its mean margin over the rules that apply to it: 1 far inside a threshold, 1/2 on it, 0 at
// twice an upper or at zero of a lower threshold; 1 where no rule applies. So a text that breaks no rule scores at least
// 1/2, and min_score asks for more than that.
//
// Judged is what was written: a record's text, or the contents of a chat's messages that count toward the loss. The
// prompt of a record is not.
package quality

import "unicode/utf8"

// Kind is what sort of text a text is.
type Kind string

// The kinds of text.
const (
	Prose      Kind = "prose"
	Code       Kind = "code"
	Structured Kind = "structured" // mostly digits and signs
)

// Finding is the outcome for one text.
type Finding struct {
	Kind  Kind
	Score float64 // 0 to 1; see the package comment
	Rule  string  // the first rule that the text breaks; "" when it is kept
	Value float64 // the figure that Rule looked at
	Limit float64 // and its threshold
}

// Names of the rules that have no family.
const (
	MinChars = "min_chars"
	MaxChars = "max_chars"
	MinScore = "min_score"
)

// Judge applies the configured rules to a text. Kind and language are the configuration's; the language "" stands for an
// unknown one.
func (c Config) Judge(text, language string) Finding {
	f := Finding{Kind: Kind(c.Kind)}
	if c.Kind == "" || c.Kind == auto {
		f.Kind = Classify(text)
	}
	chars := utf8.RuneCountInString(text)
	prose := text
	if f.Kind == Prose {
		prose = outsideFences(text)
	}
	s := measure(prose)
	spaced := !unspaced(language) && !(language == "" && unspacedScript(prose))
	f.Score = 1
	sum, n := 0.0, 0
	for _, r := range rules() {
		limit, set := c.Thresholds[r.name]
		if !set {
			limit = r.limit
		}
		if !set && !(c.enabled(r) && r.applies(f.Kind, spaced)) {
			continue
		}
		value, ok := r.value(s, language)
		if !ok {
			continue
		}
		sum += r.margin(value, limit)
		n++
		if f.Rule == "" && r.broken(value, limit) {
			f.Rule, f.Value, f.Limit = r.name, value, limit
		}
	}
	if n > 0 {
		f.Score = sum / float64(n)
	}
	switch {
	case c.MinChars != nil && chars < *c.MinChars:
		f.Rule, f.Value, f.Limit = MinChars, float64(chars), float64(*c.MinChars)
	case c.MaxChars != nil && chars > *c.MaxChars:
		f.Rule, f.Value, f.Limit = MaxChars, float64(chars), float64(*c.MaxChars)
	case f.Rule == "" && c.MinScore != nil && f.Score < *c.MinScore:
		f.Rule, f.Value, f.Limit = MinScore, f.Score, *c.MinScore
	}
	return f
}
