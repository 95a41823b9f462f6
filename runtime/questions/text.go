package questions

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxDocument bounds one document, in bytes: 16 MiB.
const MaxDocument = 16 << 20

// Clean gives a document's text with line ends as \n, without a byte order mark and control
// characters. What is no UTF-8 text is an error that says what it is: text that was decoded on a guess would be quoted wrongly
// in every question about it.
func Clean(data []byte) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > MaxDocument:
		return "", errors.New("is larger than 16 MiB; cut it, best by chapters")
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return "", errors.New("is UTF-16; save it as UTF-8")
	case bytes.IndexByte(data, 0) >= 0:
		return "", errors.New("has NUL bytes, so it is no text")
	case !utf8.Valid(data):
		return "", errors.New("is not UTF-8; save it as UTF-8 (iconv -f latin1 -t utf-8 converts Latin-1)")
	case isHTML(data):
		return "", errors.New("is HTML; convert it to text or Markdown")
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(data))
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text), nil
}

func isHTML(data []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 1024)]))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// Normal is a text for comparison: lower case, single spaces, and nothing but letters, digits and symbols at its ends.
func Normal(s string) string {
	s = strings.Join(strings.Fields(strings.ToLower(s)), " ")
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) })
}

// Holds says whether a text holds a phrase as whole words, both normalised. "Go 1.2" does not hold "Go 1", and "network" not
// "net"; scripts without spaces have no such ends of words.
func Holds(text, phrase string) bool {
	text, phrase = strings.Join(strings.Fields(strings.ToLower(text)), " "), Normal(phrase)
	if phrase == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(phrase)
	last, _ := utf8.DecodeLastRuneInString(phrase)
	for from := 0; ; {
		i := strings.Index(text[from:], phrase)
		if i < 0 {
			return false
		}
		begin, end := from+i, from+i+len(phrase)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		if !joins(before, first) && !joins(last, nextLetter(text[end:])) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[begin:])
		from = begin + size
	}
}

// nextLetter is the character that goes on with a word or a number: the first one, or that behind a point within one.
func nextLetter(rest string) rune {
	r, size := utf8.DecodeRuneInString(rest)
	if after, _ := utf8.DecodeRuneInString(rest[min(size, len(rest)):]); (r == '.' || r == ',') && unicode.IsDigit(after) {
		return after
	}
	return r
}

// joins says whether two neighbours belong to one word.
func joins(a, b rune) bool {
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_' }
	return word(a) && word(b) && !unspaced(a) && !unspaced(b)
}

func unspaced(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// scripts are those that are told apart. Japanese is written in three of them, which count as one.
var scripts = []struct {
	name   string
	tables []*unicode.RangeTable
}{
	{"Latin", []*unicode.RangeTable{unicode.Latin}},
	{"Cyrillic", []*unicode.RangeTable{unicode.Cyrillic}},
	{"Greek", []*unicode.RangeTable{unicode.Greek}},
	{"Han", []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana}},
	{"Hangul", []*unicode.RangeTable{unicode.Hangul}},
	{"Arabic", []*unicode.RangeTable{unicode.Arabic}},
	{"Hebrew", []*unicode.RangeTable{unicode.Hebrew}},
	{"Devanagari", []*unicode.RangeTable{unicode.Devanagari}},
	{"Thai", []*unicode.RangeTable{unicode.Thai}},
}

// Script is the script of most letters of a text; "": it has none, or most are of one that is not told apart.
func Script(text string) string {
	var counts [16]int
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		at := len(scripts)
		for i, s := range scripts {
			if unicode.In(r, s.tables...) {
				at = i
				break
			}
		}
		counts[at]++
	}
	best := len(scripts)
	for i := range scripts {
		if counts[i] > counts[best] {
			best = i
		}
	}
	if best == len(scripts) {
		return ""
	}
	return scripts[best].name
}

// runes is a text's length in characters.
func runes(s string) int { return utf8.RuneCountInString(s) }
