package sdk

import (
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"
)

// Letters gives the options of a question in the order in which they are lettered A, B, C …, and the letter of the
// reference. The order is that of the SHA-256 of the prompt's identifier, a newline and the option; so the place of the
// right one tells nothing, and whoever asks and whoever scores agree on it without a word.
func Letters(q *Question) (options []string, reference byte) {
	options = append([]string{q.GetReference()}, q.GetDistractors()...)
	rank := func(o string) string {
		sum := sha256.Sum256([]byte(q.GetPrompt().GetId() + "\n" + o))
		return string(sum[:])
	}
	slices.SortFunc(options, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
	return options, 'A' + byte(slices.Index(options, q.GetReference()))
}

// Chosen reads the letter out of an answer: the first word, if it is one of the letters ("B", "(b).", "B) because …"),
// else the only letter that stands alone in the text. 0: none, or more than one.
func Chosen(text string, options int) byte {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	letter := func(w string) byte {
		if len(w) == 1 && w[0] >= 'A' && w[0] < 'A'+byte(options) {
			return w[0]
		}
		return 0
	}
	if len(words) == 0 {
		return 0
	}
	if l := letter(strings.ToUpper(words[0])); l != 0 && (len(words) == 1 || !followedByWord(text)) {
		return l
	}
	var only byte
	for _, w := range words {
		l := letter(w)
		if l != 0 && only != 0 && l != only {
			return 0
		}
		if l != 0 {
			only = l
		}
	}
	return only
}

// followedByWord reports whether a word follows the first letter of the text after a space alone, as in "A good choice":
// then the letter may be an article.
func followedByWord(text string) bool {
	text = strings.TrimLeftFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	rest := strings.TrimLeft(text[1:], " ")
	return len(rest) < len(text)-1 && rest != "" && unicode.IsLetter([]rune(rest)[0])
}
