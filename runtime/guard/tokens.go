package guard

import (
	"unicode"
	"unicode/utf8"
)

// Tokens splits text for n-gram measures, without a model: a run of letters with their combining marks is one token,
// each digit is one token, each other character is one token, and white space separates and is no token. In scripts
// that are written without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) each letter is one token.
//
// On the default domain this gives exactly the tokens of its own vocabulary: 7ft5in is 7, ft, 5, in.
func Tokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		end := i + size
		switch {
		case unicode.IsSpace(r):
			i = end
			continue
		case unicode.IsLetter(r):
			if !unspaced(r) {
				end = letters(text, end)
			}
			end = marks(text, end)
		}
		out = append(out, text[i:end])
		i = end
	}
	return out
}

// letters returns where the run of letters and marks that reaches i ends.
func letters(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsMark(r) && (!unicode.IsLetter(r) || unspaced(r)) {
			break
		}
		i += size
	}
	return i
}

func marks(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsMark(r) {
			break
		}
		i += size
	}
	return i
}

func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
