package bpe

import (
	"iter"
	"unicode"
	"unicode/utf8"
)

// Pattern is Llama 3's split pattern, in the dialect of Hugging Face's tokenizers. llama.cpp knows it as "llama-bpe".
// The exported files carry it; Pieces is the same rule by hand, since Go's regexp has no look-ahead and an engine
// that has is some thirty times slower.
const Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// Pieces cuts text as Pattern does; joined, the pieces are the text. A byte that is not valid UTF-8 counts as a symbol,
// like the replacement character.
func Pieces(text string) iter.Seq[string] { return cut(text, pieceLen) }

// class is what the pattern distinguishes. Letters, numbers and white space exclude each other.
type class uint8

const (
	symbol  class = iota // [^\s\p{L}\p{N}]
	letter               // \p{L}
	number               // \p{N}
	blank                // white space except \r and \n
	newline              // \r, \n
)

// next classifies the first character of s, which is not empty, and gives its length in bytes.
func next(s string) (class, int) {
	if c := s[0]; c < utf8.RuneSelf {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			return letter, 1
		case '0' <= c && c <= '9':
			return number, 1
		case c == '\n', c == '\r':
			return newline, 1
		case c == ' ', c == '\t', c == '\v', c == '\f':
			return blank, 1
		}
		return symbol, 1
	}
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsLetter(r):
		return letter, n
	case unicode.IsNumber(r):
		return number, n
	case unicode.IsSpace(r):
		return blank, n
	case unicode.Is(newLetters, r):
		return letter, n
	case unicode.Is(newNumbers, r):
		return number, n
	}
	return symbol, n
}

// run gives the length of the longest prefix of s whose characters are all of class c.
func run(s string, c class) int {
	n := 0
	for n < len(s) {
		k, w := next(s[n:])
		if k != c {
			break
		}
		n += w
	}
	return n
}

// pieceLen gives the length of the first piece of s, which is not empty: the pattern's alternatives in their order.
func pieceLen(s string) int {
	if n := contraction(s); n > 0 {
		return n
	}
	c, w := next(s)
	switch c {
	case letter:
		return w + run(s[w:], letter)
	case number:
		return numbers(s)
	}
	if c != newline { // one character that is neither a line end nor a number may lead the letters
		if n := run(s[w:], letter); n > 0 {
			return w + n
		}
	}
	lead := 0
	if s[0] == ' ' {
		lead = 1
	}
	if n := run(s[lead:], symbol); n > 0 {
		n += lead
		return n + run(s[n:], newline)
	}
	return space(s)
}

// contraction matches (?i:'s|'t|'re|'ve|'m|'ll|'d). The long s (U+017F) folds to s.
func contraction(s string) int {
	if len(s) < 2 || s[0] != '\'' {
		return 0
	}
	switch s[1] | 0x20 {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if len(s) > 2 && s[2]|0x20 == 'e' {
			return 3
		}
	case 'l':
		if len(s) > 2 && s[2]|0x20 == 'l' {
			return 3
		}
	}
	if len(s) > 2 && s[1:3] == "ſ" {
		return 3
	}
	return 0
}

// numbers matches \p{N}{1,3}.
func numbers(s string) int {
	n := 0
	for k := 0; k < 3 && n < len(s); k++ {
		c, w := next(s[n:])
		if c != number {
			break
		}
		n += w
	}
	return n
}

// space matches \s*[\r\n]+|\s+(?!\S)|\s+ at white space: up to the last line end; else all of it where the text ends;
// else all but the last character, which leads the piece that follows; else the single character.
func space(s string) int {
	end, last, lastLine := 0, 0, 0
	for end < len(s) {
		c, w := next(s[end:])
		if c != blank && c != newline {
			break
		}
		last = end
		end += w
		if c == newline {
			lastLine = end
		}
	}
	switch {
	case lastLine > 0:
		return lastLine
	case end == len(s), last == 0:
		return end
	}
	return last
}
