package bpe

import (
	"iter"
	"unicode"
)

// Split is a way to cut a text into pieces, and what becomes of a piece that is a token as a whole. A model has the one that
// it was trained with.
type Split uint8

const (
	// Llama3 cuts by Pattern, and a piece that is a token is that token: merges are not looked at ("ignore_merges").
	Llama3 Split = iota
	// SmolLM cuts each number character off by itself, and what is between them by GPT-2's pattern. A token comes from merges
	// alone.
	SmolLM
)

func (s Split) String() string {
	if s == SmolLM {
		return "SmolLM"
	}
	return "Llama 3"
}

// gpt2Pattern is what SmolLM cuts by between numbers: Hugging Face's byte-level step has it built in, so no file carries it.
// smollmLen is the same rule by hand. The alternative of numbers never applies.
const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// Pieces cuts text; joined, the pieces are the text. A byte that is not valid UTF-8 counts as a symbol, like the replacement
// character.
func (s Split) Pieces(text string) iter.Seq[string] {
	if s == SmolLM {
		return cut(text, smollmLen)
	}
	return Pieces(text)
}

// cut cuts text by the length of its first piece.
func cut(text string, length func(string) int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			n := length(text)
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// smollmLen gives the length of the first piece of s, which is not empty. To the pattern a number is the end of the text.
func smollmLen(s string) int {
	c, w := nextDigit(s)
	if c == number {
		return w
	}
	if n := contraction(s); n > 0 && lower(s[1:n]) { // unlike Llama 3's, the pattern tells capitals apart
		return n
	}
	lead := 0
	if s[0] == ' ' {
		lead = 1
	}
	if n := run(s[lead:], letter); n > 0 {
		return lead + n
	}
	end := lead
	for end < len(s) {
		c, w := nextDigit(s[end:])
		if c != symbol {
			break
		}
		end += w
	}
	if end > lead {
		return end
	}
	return blanks(s)
}

// blanks matches \s+(?!\S)|\s+ at white space: all of it where the text ends or a number follows, else all but the last character,
// which leads the piece that follows; else the single character.
func blanks(s string) int {
	end, last := 0, 0
	for end < len(s) {
		c, w := nextDigit(s[end:])
		if c == number {
			return end
		}
		if c != blank && c != newline {
			break
		}
		last = end
		end += w
	}
	if end == len(s) || last == 0 {
		return end
	}
	return last
}

// nextDigit is next, but for numbers of Unicode 17: the step that cuts numbers off knows them, and the patterns do not.
func nextDigit(s string) (class, int) {
	c, w := next(s)
	if c == symbol && w == 4 {
		for _, r := range s[:w] {
			if unicode.Is(newestNumbers, r) {
				return number, w
			}
		}
	}
	return c, w
}

var newestNumbers = &unicode.RangeTable{
	R32: []unicode.Range32{
		{0x11de0, 0x11de9, 1}, // Tolong Siki
		{0x16ff4, 0x16ff6, 1}, // ideographic symbols
	},
}

func lower(s string) bool {
	for _, r := range s {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return true
}
