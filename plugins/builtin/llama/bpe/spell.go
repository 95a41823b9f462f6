package bpe

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The byte-level spelling, introduced by GPT-2, writes each byte as one printable character, so that a token of any
// bytes is a readable string without blanks: printable Latin-1 characters stand for themselves, the other 68 bytes
// (controls, the blank, 0x7f–0xa0, 0xad) are, in order, U+0100 and on. The blank is "Ġ", the newline "Ċ".

const firstShifted = 256

func printable(b byte) bool {
	return '!' <= b && b <= '~' || 0xa1 <= b && b <= 0xac || 0xae <= b
}

// spelled gives the character that stands for a byte.
func spelled(b byte) rune {
	switch {
	case printable(b):
		return rune(b)
	case b <= ' ':
		return firstShifted + rune(b)
	case b <= 0xa0: // 0x7f–0xa0 follow the 33 bytes up to the blank
		return firstShifted + 33 + rune(b-0x7f)
	default: // 0xad
		return firstShifted + 33 + 34
	}
}

// Spell writes raw bytes in the byte-level spelling.
func Spell(raw string) string {
	var b strings.Builder
	for i := range len(raw) {
		b.WriteRune(spelled(raw[i]))
	}
	return b.String()
}

// unspell is Spell backwards. It refuses characters that stand for no byte.
func unspell(s string) (string, error) {
	raw := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := unspelled(r)
		if !ok {
			return "", fmt.Errorf("%q is not in the byte-level spelling", clip(s))
		}
		raw = append(raw, b)
	}
	return string(raw), nil
}

func unspelled(r rune) (byte, bool) {
	switch n := r - firstShifted; {
	case r == utf8.RuneError:
		return 0, false
	case 0 <= r && r < 256:
		return byte(r), printable(byte(r))
	case n <= ' ':
		return byte(n), true
	case n < 33+34:
		return byte(n - 33 + 0x7f), true
	case n == 33+34:
		return 0xad, true
	}
	return 0, false
}

// clip shortens what an error quotes.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
