package seal

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a text, as its hash.
type word struct {
	hash   uint64
	letter bool // it has a letter
}

// words splits text into lower-cased runs of letters, digits and combining marks. In Han, Hiragana, Katakana, Thai, Lao,
// Khmer and Myanmar, which do not put spaces between words, every letter is a word.
func words(text string) []word {
	var out []word
	w := word{hash: fnvOffset}
	open := false
	flush := func() {
		if open {
			out = append(out, w)
		}
		w, open = word{hash: fnvOffset}, false
	}
	for _, r := range text {
		letter := unicode.IsLetter(r)
		if !letter && !unicode.IsDigit(r) && !(open && unicode.IsMark(r)) {
			flush()
			continue
		}
		alone := letter && r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		if alone {
			flush()
		}
		w.hash, open = fnvRune(w.hash, unicode.ToLower(r)), true
		w.letter = w.letter || letter
		if alone {
			flush()
		}
	}
	flush()
	return out
}

// FNV-1a, 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func fnvRune(h uint64, r rune) uint64 {
	var buf [utf8.UTFMax]byte
	for _, b := range buf[:utf8.EncodeRune(buf[:], r)] {
		h = (h ^ uint64(b)) * fnvPrime
	}
	return h
}

// grams calls f with the hash of every run of n words that holds a letter, in order. The hash is a polynomial in the
// words' hashes, rolled along the text and then mixed.
func grams(ws []word, n int, f func(h uint64)) {
	const base = 0x9E3779B97F4A7C15 // odd, so that no word is multiplied away
	top := uint64(1)
	for range n - 1 {
		top *= base
	}
	var h uint64
	letters := 0
	for i, w := range ws {
		if i >= n {
			h -= ws[i-n].hash * top
			if ws[i-n].letter {
				letters--
			}
		}
		h = h*base + w.hash
		if w.letter {
			letters++
		}
		if i >= n-1 && letters > 0 {
			f(mix(h ^ uint64(n)))
		}
	}
}

// mix is the finalizer of SplitMix64.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
	h = (h ^ h>>27) * 0x94D049BB133111EB
	return h ^ h>>31
}

// Shingles gives the different runs of n words of a text that hold a letter, as hashes in ascending order. A text of fewer
// words is one run.
func Shingles(text string, n int) []uint64 {
	ws := words(text)
	var all []uint64
	grams(ws, max(1, min(n, len(ws))), func(h uint64) { all = append(all, h) })
	slices.Sort(all)
	return slices.Compact(all)
}

// plain returns text for comparison as a whole: lower case, runs of white space as one space, and no white space or
// punctuation at its ends. Symbols such as + stay, for 7+5 is not 7−5; only . , ; : ! ? and quotes go.
func plain(text string) string {
	s := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(".,;:!?¡¿\"'`´“”‘’«»", r)
	})
}
