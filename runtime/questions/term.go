package questions

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shape is the form of an answer: what a wrong answer must have too, so that its form does not give it away.
type shape string

const (
	number     shape = "number"
	identifier shape = "identifier" // with a sign, a digit or a capital within
	name       shape = "name"       // begins with a capital
	word       shape = "word"
)

// term is one word, name, number or identifier of a sentence.
type term struct {
	text  string
	at    int // in the sentence, in bytes
	shape shape
}

// terms finds the terms of a sentence. A sign is part of one only between letters and digits.
func terms(sentence string) (all []term) {
	inner := func(r rune) bool { return strings.ContainsRune("_-./'’:", r) }
	begin := -1
	flush := func(end int) {
		if begin >= 0 {
			text := strings.TrimRightFunc(sentence[begin:end], inner)
			all = append(all, term{text, begin, shapeOf(text)})
		}
		begin = -1
	}
	for i, r := range sentence {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_' && begin < 0:
			if begin < 0 {
				begin = i
			}
		case begin >= 0 && inner(r):
			if next, _ := utf8.DecodeRuneInString(sentence[i+utf8.RuneLen(r):]); !unicode.IsLetter(next) && !unicode.IsDigit(next) && next != '_' {
				flush(i)
			}
		default:
			flush(i)
		}
	}
	flush(len(sentence))
	return all
}

// shapeOf tells the shape of one term.
func shapeOf(s string) shape {
	letters, digits, signs, capitals := 0, 0, 0, 0
	for i, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r) || unicode.IsMark(r):
			letters++
			if i > 0 && unicode.IsUpper(r) {
				capitals++
			}
		case strings.ContainsRune("_./:", r):
			signs++
		}
	}
	first, _ := utf8.DecodeRuneInString(s)
	switch {
	case letters == 0 && digits > 0:
		return number
	case digits > 0 || signs > 0 || capitals > 0:
		return identifier
	case unicode.IsUpper(first):
		return name
	}
	return word
}

// shapeOfAnswer is that of a whole answer. Of several words it is how many there are, and whether a digit is among them.
func shapeOfAnswer(answer string) shape {
	ws := strings.Fields(answer)
	if len(ws) <= 1 {
		return shapeOf(strings.TrimFunc(answer, unicode.IsPunct))
	}
	s := "phrase of " + [...]string{"two", "three", "four or five", "four or five"}[min(len(ws)-2, 3)]
	if len(ws) > 5 {
		s = "phrase of many"
	}
	if strings.ContainsFunc(answer, unicode.IsDigit) {
		s += " with a number"
	}
	return shape(s)
}

// stops are words that say nothing of a passage: an answer of these alone is none. The list has the commonest function words
// of some languages; in others the rarity of a term must do.
var stops = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`a an and are as at be because been before being between both but by can cannot could did do does
		for from had has have how if in into is it its may might more most must no none not nothing of on only or other over
		same shall should so some something such than that the their them then there these they this those through to under
		until up very was we were what when where whether which while who why will with within without would yes you your
		true false null unknown also any each either every all
		el la los las un una de del que y o en por para con sin no sí es son se su sus lo como más pero
		der die das den dem ein eine einer und oder nicht ist sind mit von zu im auf für als auch
		le les des et ou dans pour avec sans est sont sur par pas plus que qui
		o os as um uma e ou em com sem não é são
		il gli di da che è sono per non una
		и в не на с по для это как что от из
		see note example following above below example`) {
		m[w] = true
	}
	return m
}()

// A corpus is what the documents' terms have in common.
type corpus struct {
	freq  map[string]int // passages that hold a term
	pool  map[shape][]string
	total int // passages
}

// newCorpus counts the terms of all passages. The pool of a shape is sorted by length, so that wrong answers as long as the
// right one lie beside it.
func newCorpus(passages []Passage) *corpus {
	c := &corpus{freq: map[string]int{}, pool: map[shape][]string{}, total: len(passages)}
	for _, p := range passages {
		seen := map[string]bool{}
		for _, s := range Sentences(p.Text) {
			for i, t := range terms(s) {
				if seen[t.text] || i == 0 && t.shape == name || runes(t.text) > maxTerm || strings.ContainsFunc(t.text, unspaced) {
					continue
				}
				seen[t.text] = true
				if c.freq[t.text]++; c.freq[t.text] == 1 && wanted(t) {
					c.pool[t.shape] = append(c.pool[t.shape], t.text)
				}
			}
		}
	}
	for _, list := range c.pool {
		slices.SortFunc(list, byLength)
	}
	return c
}

func byLength(a, b string) int { return cmp.Or(cmp.Compare(runes(a), runes(b)), cmp.Compare(a, b)) }

// maxTerm is the longest term that is left out or offered, in characters.
const maxTerm = 40

// wanted says whether a term can be an answer: long enough to be guessed wrongly, and no word that says nothing.
func wanted(t term) bool {
	n := runes(t.text)
	if stops[strings.ToLower(t.text)] {
		return false
	}
	switch t.shape {
	case number:
		return n >= 2
	case word:
		return n >= 5
	}
	return n >= 3
}

// rare says whether few passages hold a term: three, or 2 %.
func (c *corpus) rare(t term) bool { return c.freq[t.text] <= max(3, c.total/50) }
