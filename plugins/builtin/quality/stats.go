package quality

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stats is a text taken apart once for all rules. Lengths are in characters (code points); lines are those with
// something on them.
type stats struct {
	text          string
	chars         int
	newlines      int
	lines         []string
	words         []string // separated by white space, lower case
	hashes        []uint64 // of words
	ends          []int    // ends[i] is the number of characters in the first i words
	dupLines      repeats
	dupParagraphs repeats
}

// repeats counts the pieces of a text that occurred before in it.
type repeats struct{ total, count, chars int }

func (r repeats) share() float64 { return ratio(r.count, r.total) }

func measure(text string) *stats {
	s := &stats{text: text, chars: utf8.RuneCountInString(text), newlines: strings.Count(text, "\n")}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.lines = append(s.lines, line)
		}
	}
	var paragraphs []string
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			paragraphs = append(paragraphs, p)
		}
	}
	s.words = strings.Fields(strings.ToLower(text))
	s.ends = make([]int, 1, len(s.words)+1)
	for i, w := range s.words {
		s.hashes = append(s.hashes, fnv1a(w))
		s.ends = append(s.ends, s.ends[i]+utf8.RuneCountInString(w))
	}
	s.dupLines, s.dupParagraphs = repeated(s.lines), repeated(paragraphs)
	return s
}

func repeated(pieces []string) repeats {
	seen := make(map[string]bool, len(pieces))
	r := repeats{total: len(pieces)}
	for _, p := range pieces {
		if seen[p] {
			r.count++
			r.chars += utf8.RuneCountInString(p)
		}
		seen[p] = true
	}
	return r
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (s *stats) charShare(chars int) float64 { return ratio(chars, s.chars-s.newlines) }
func (s *stats) newlinesPerWord() float64    { return ratio(s.newlines, len(s.words)) }
func (s *stats) lineShare(is func(string) bool) float64 {
	n := 0
	for _, l := range s.lines {
		if is(l) {
			n++
		}
	}
	return ratio(n, len(s.lines))
}

func (s *stats) meanWordLength() float64 { return ratio(s.ends[len(s.words)], len(s.words)) }

// symbolWordRatio counts hash signs and ellipses, as Gopher does; the more frequent of the two.
func (s *stats) symbolWordRatio() float64 {
	ellipses := strings.Count(s.text, "...") + strings.Count(s.text, "…")
	return ratio(max(strings.Count(s.text, "#"), ellipses), len(s.words))
}

func (s *stats) alphaWords() float64 {
	n := 0
	for _, w := range s.words {
		if strings.ContainsFunc(w, unicode.IsLetter) {
			n++
		}
	}
	return ratio(n, len(s.words))
}

// stopWords counts the different stop words of the language; false where the language has no list.
func (s *stats) stopWords(language string) (float64, bool) {
	list := stopWords(language)
	found := make([]bool, len(list))
	n := 0
	for _, w := range s.words {
		if i := slices.Index(list, strings.TrimFunc(w, isNotLetter)); i >= 0 && !found[i] {
			found[i] = true
			n++
		}
	}
	return float64(n), list != nil
}

// topNGram is the share of characters in the most frequent n-gram of words; an n-gram that occurs once does not count.
func (s *stats) topNGram(n int) float64 {
	counts := map[uint64]int{}
	top := 0
	for i := range len(s.words) - n + 1 {
		h := s.ngram(i, n)
		counts[h]++
		if c := counts[h]; c > 1 {
			top = max(top, c*(s.ends[i+n]-s.ends[i]))
		}
	}
	return ratio(top, s.chars)
}

// duplicateNGrams is the share of characters in n-grams of words that occurred before, each character counted once:
// after a repeated n-gram the search goes on behind it.
func (s *stats) duplicateNGrams(n int) float64 {
	seen := map[uint64]bool{}
	chars := 0
	for i := 0; i+n <= len(s.words); {
		h := s.ngram(i, n)
		if !seen[h] {
			seen[h] = true
			i++
			continue
		}
		chars += s.ends[i+n] - s.ends[i]
		i += n
	}
	return ratio(chars, s.chars)
}

func (s *stats) ngram(i, n int) uint64 {
	h := uint64(n)
	for _, w := range s.hashes[i : i+n] {
		h = (h ^ w) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}

// fnv1a is the 64-bit FNV-1a hash.
func fnv1a(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

func (s *stats) meanLineLength() float64 { return ratio(s.chars-s.newlines, s.newlines+1) }

func (s *stats) maxLineLength() float64 {
	longest := 0
	for line := range strings.SplitSeq(s.text, "\n") {
		longest = max(longest, utf8.RuneCountInString(line))
	}
	return float64(longest)
}

func (s *stats) alphanumeric() float64 {
	n := 0
	for _, r := range s.text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return ratio(n, s.chars)
}

func startsWithBullet(line string) bool {
	r, _ := utf8.DecodeRuneInString(line)
	return strings.ContainsRune("•‣▶◀◦■□▪▫–-*", r)
}

func endsWithEllipsis(line string) bool {
	return strings.HasSuffix(line, "...") || strings.HasSuffix(line, "…")
}

// endsInPunctuation: a sentence ends here, perhaps inside quotation marks or brackets.
func endsInPunctuation(line string) bool {
	line = strings.TrimRight(line, `"'”’»)]*_`)
	r, _ := utf8.DecodeLastRuneInString(line)
	return strings.ContainsRune(".!?…:;。！？．؟۔।", r)
}

func isShort(line string) bool { return utf8.RuneCountInString(line) <= 30 }

func isNotLetter(r rune) bool { return !unicode.IsLetter(r) }
