package neardup

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hasher makes signatures. Its hash functions are fixed: the same text has the same signature everywhere.
type hasher struct {
	multiply, add []uint64
	ngram         int
}

func newHasher(hashes, ngram int) *hasher {
	h := &hasher{multiply: make([]uint64, hashes), add: make([]uint64, hashes), ngram: ngram}
	state := uint64(0x6a7570697465723a) // any constant; part of what signatures are
	for i := range hashes {
		state += golden
		h.multiply[i] = mix(state) | 1
		state += golden
		h.add[i] = mix(state)
	}
	return h
}

const golden = 0x9e3779b97f4a7c15

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014), a bijection.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// signature is the least value of each hash function over the text's shingles.
func (h *hasher) signature(text string) []uint64 {
	sig := make([]uint64, len(h.multiply))
	for i := range sig {
		sig[i] = math.MaxUint64
	}
	for _, s := range h.shingles(text) {
		for i, m := range h.multiply {
			if v := s*m + h.add[i]; v < sig[i] {
				sig[i] = v
			}
		}
	}
	return sig
}

// shingles hashes the runs of ngram words of a text or, where it has fewer than 4·ngram words, its runs of ngram
// characters. Text with nothing to hash has one shingle, itself.
func (h *hasher) shingles(text string) []uint64 {
	words := words(text)
	if len(words) >= 4*h.ngram {
		units := make([]uint64, len(words))
		for i, w := range words {
			units[i] = hashString(w)
		}
		return runs(units, h.ngram, 'w')
	}
	joined := strings.Join(words, " ")
	units := make([]uint64, 0, utf8.RuneCountInString(joined))
	for _, r := range joined {
		units = append(units, uint64(r))
	}
	switch {
	case len(units) == 0:
		return []uint64{mix(hashString(text))}
	case len(units) < h.ngram:
		return runs(units, len(units), 'c')
	}
	return runs(units, h.ngram, 'c')
}

// runs hashes each run of n units. The salt keeps shingles of words and of characters apart.
func runs(units []uint64, n int, salt uint64) []uint64 {
	out := make([]uint64, len(units)-n+1)
	for i := range out {
		v := salt
		for _, u := range units[i : i+n] {
			v = mix(v*golden ^ u)
		}
		out[i] = v
	}
	return out
}

// words are the runs of letters, marks and digits of a text, in lower case. In scripts that are written without spaces
// each character is a word of its own.
func words(text string) []string {
	text = strings.ToLower(text)
	var out []string
	start := -1 // of the word being read
	for i, r := range text {
		unspaced := r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		inWord := !unspaced && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
		if start >= 0 && !inWord {
			out = append(out, text[start:i])
			start = -1
		}
		if unspaced {
			out = append(out, text[i:i+utf8.RuneLen(r)])
		}
		if inWord && start < 0 {
			start = i
		}
	}
	if start >= 0 {
		out = append(out, text[start:])
	}
	return out
}

// hashString is the 64-bit FNV-1a hash.
func hashString(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}
