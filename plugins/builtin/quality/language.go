package quality

import (
	"strings"
	"unicode"
)

// base is the primary subtag of a language tag: "es" of "es-MX".
func base(language string) string {
	tag, _, _ := strings.Cut(strings.ReplaceAll(language, "_", "-"), "-")
	return strings.ToLower(tag)
}

// unspaced reports whether a language is written without spaces between its words, so that rules that count words do
// not apply to it.
func unspaced(language string) bool {
	switch base(language) {
	case "zh", "ja", "th", "lo", "km", "my", "bo", "dz":
		return true
	}
	return false
}

// unspacedScript reports whether at least half of the letters of a text are of a script without spaces. It stands in for
// the language where that is unknown.
func unspacedScript(text string) bool {
	letters, unspaced := 0, 0
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		if r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) {
			unspaced++
		}
	}
	return unspaced > 0 && 2*unspaced >= letters
}

// stopWords gives eight of the most frequent function words of a language, or nil for a language without a list, to
// which the rule does not apply. The English ones are Gopher's.
func stopWords(language string) []string {
	switch base(language) {
	case "en":
		return []string{"the", "be", "to", "of", "and", "that", "have", "with"}
	case "es":
		return []string{"de", "la", "que", "el", "en", "y", "los", "con"}
	case "fr":
		return []string{"de", "la", "le", "et", "les", "des", "que", "dans"}
	case "de":
		return []string{"der", "die", "und", "das", "den", "von", "zu", "mit"}
	case "it":
		return []string{"di", "che", "la", "il", "e", "per", "un", "con"}
	case "pt":
		return []string{"de", "que", "o", "a", "e", "do", "da", "com"}
	}
	return nil
}
