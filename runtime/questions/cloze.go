package questions

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Blank stands for what is left out of a sentence.
const Blank = "____"

// cloze gives a passage's sentences with a term left out, the rarest terms first, at most perPassage.
func (c *corpus) cloze(p Passage, seed string) (all []Candidate) {
	type found struct {
		Candidate
		freq int
	}
	var list []found
	for _, s := range Sentences(p.Text) {
		t, ok := c.blank(s, p.Heading, seed)
		if !ok {
			continue
		}
		q := s[:t.at] + Blank + s[t.at+len(t.text):]
		if p.Heading != "" {
			q = p.Heading + "\n" + q
		}
		list = append(list, found{candidate(Cloze, p, s, q+"\n"+Blank+" =", t.text), c.freq[t.text]})
	}
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Compare(a.freq, b.freq) })
	for _, f := range list[:min(len(list), perPassage)] {
		all = append(all, f.Candidate)
	}
	return all
}

// perPassage is the most clozes of one passage: more would make the benchmark one of few passages.
const perPassage = 3

// blank chooses the term of a sentence that is left out: a rare one, not at the beginning, which neither the rest of the
// sentence nor the heading gives away. Identifiers and numbers are asked for before names, and names before words, because
// there is less that could stand in their place.
func (c *corpus) blank(sentence, heading, seed string) (best term, ok bool) {
	if !prose(sentence) {
		return term{}, false
	}
	rank := map[shape]int{identifier: 0, number: 1, name: 2, word: 3}
	order := func(a, b term) int {
		return cmp.Or(cmp.Compare(rank[a.shape], rank[b.shape]), cmp.Compare(c.freq[a.text], c.freq[b.text]),
			cmp.Compare(hash(seed, a.text), hash(seed, b.text)))
	}
	for _, t := range terms(sentence)[1:] {
		rest := sentence[:t.at] + " " + sentence[t.at+len(t.text):]
		if !wanted(t) || runes(t.text) > maxTerm || !c.rare(t) || Holds(rest, t.text) || Holds(heading, t.text) || strings.ContainsFunc(t.text, unspaced) {
			continue
		}
		if !ok || order(t, best) < 0 {
			best, ok = t, true
		}
	}
	return best, ok
}

// prose says whether a sentence is one: of some length, with an end, with at least six terms, mostly letters, and no code.
func prose(s string) bool {
	n := runes(s)
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, `")'»”’]`))
	if n < 40 || n > maxSentence || !strings.ContainsRune(".!?…", last) || len(terms(s)) < 6 || strings.Contains(s, Blank) || strings.ContainsAny(s, "{}=") || strings.Contains(s, "// ") {
		return false
	}
	letters := 0
	for _, r := range s {
		if unicode.IsLetter(r) || r == ' ' {
			letters++
		}
	}
	return letters*100 >= n*80
}
