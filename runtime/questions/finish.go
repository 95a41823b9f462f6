package questions

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"jupiter/runtime/seal"
)

// alike is the share of two texts' pairs of words from which one nearly repeats the other.
const alike = 0.8

// finish leaves out what only the whole list shows: repetitions, and what has no wrong answers of its kind. It returns a list
// of its own, in the same order.
func finish(list []Candidate, c *corpus) []Candidate {
	list = slices.Clone(list)
	repeated(list)
	sentences := map[string]bool{}
	asked := map[string]bool{}
	near := &nearby{of: map[uint64][]int{}}
	for i := range list {
		it := &list[i]
		if it.Reason != "" {
			continue
		}
		sentence, question := Normal(it.sentence), Normal(it.Question)
		switch {
		case asked[question]:
			it.Reason = Duplicate
		case sentence != "" && sentences[sentence]:
			it.Reason = SameSentence
		case near.seen(about(*it)):
			it.Reason = NearDuplicate
		default:
			asked[question], sentences[sentence] = true, true
		}
	}
	distract(list, c)
	return list
}

// about is what candidates are compared by: all of a question, the sentence of a cloze.
func about(c Candidate) string {
	if c.Kind == Cloze {
		return c.sentence
	}
	return c.Question
}

// repeated leaves out questions that the teacher has asked of several passages, all of them: nobody knows which passage such a
// question is about.
func repeated(list []Candidate) {
	first := map[string]int{}
	for i, it := range list {
		if it.Kind != Question || it.Reason != "" && it.Reason != Repeated {
			continue
		}
		q := Normal(it.Question)
		at, twice := first[q]
		if !twice {
			first[q] = i
		} else if list[at].digest != it.digest {
			list[at].Reason, list[i].Reason = Repeated, Repeated
		}
	}
}

// nearby finds texts that are nearly the same, by the pairs of words that they share. With benchmarks of some thousand short
// texts the similarity itself is counted, where an index of signatures would estimate it.
type nearby struct {
	of    map[uint64][]int // pair → texts
	sizes []int
}

// seen says whether a text nearly repeats one before it, and otherwise takes it in.
func (n *nearby) seen(text string) bool {
	pairs := seal.Shingles(text, 2)
	shared := map[int]int{}
	for _, h := range pairs {
		for _, at := range n.of[h] {
			shared[at]++
		}
	}
	for at, k := range shared {
		if float64(k) >= alike*float64(len(pairs)+n.sizes[at]-k) {
			return true
		}
	}
	for _, h := range pairs {
		if len(n.of[h]) < maxShared { // what more texts share tells none of them from the others
			n.of[h] = append(n.of[h], len(n.sizes))
		}
	}
	n.sizes = append(n.sizes, len(pairs))
	return false
}

const maxShared = 2000

// distractorsWanted is the number of wrong answers: with the right one, the four options that the gate's scores are made for.
const distractorsWanted = 3

// distract gives each candidate wrong answers: what is right elsewhere, of the same shape and about as long.
func distract(list []Candidate, c *corpus) {
	answers := map[shape][]string{}
	for _, it := range list {
		if it.Kind == Question && it.Reason == "" {
			s := shapeOfAnswer(it.Answer)
			answers[s] = append(answers[s], it.Answer)
		}
	}
	for s := range answers {
		answers[s] = slices.Concat(answers[s], c.pool[s])
		slices.SortFunc(answers[s], byLength)
		answers[s] = slices.Compact(answers[s])
	}
	for i := range list {
		it := &list[i]
		if it.Reason != "" || it.Kind == Cloze && len(it.Distractors) > 0 {
			continue
		}
		pool := c.pool[shapeOfAnswer(it.Answer)]
		if it.Kind == Question {
			pool = answers[shapeOfAnswer(it.Answer)]
		}
		if it.Distractors = wrong(*it, pool); len(it.Distractors) < distractorsWanted {
			it.Distractors, it.Reason = nil, FewDistractors
		}
	}
}

// window is how many answers on either side, of nearly the same length, a wrong answer is chosen from.
const window = 40

// wrong chooses wrong answers from a pool that is sorted by length: those that look like the right one before others, and among
// these by a hash. Nothing that stands in the passage or in the question is chosen,
// because it could be right.
func wrong(c Candidate, pool []string) (out []string) {
	at, _ := slices.BinarySearchFunc(pool, c.Answer, byLength)
	near := slices.Clone(pool[max(0, at-window):min(len(pool), at+window)])
	slices.SortFunc(near, func(a, b string) int {
		return cmp.Or(cmp.Compare(unlike(a, c.Answer), unlike(b, c.Answer)), cmp.Compare(hash(c.ID, a), hash(c.ID, b)))
	})
	for _, d := range near {
		if runes(d) > 2*runes(c.Answer)+2 || 2*runes(d)+2 < runes(c.Answer) || Script(d) != Script(c.Answer) || Holds(c.Passage, d) || Holds(c.Question, d) || Holds(d, c.Answer) || Holds(c.Answer, d) {
			continue
		}
		if slices.ContainsFunc(out, func(o string) bool { return Normal(o) == Normal(d) }) {
			continue
		}
		if out = append(out, d); len(out) == distractorsWanted {
			return out
		}
	}
	return out
}

// unlike counts in how many ways the look of two answers differs: case, signs and digits within, and of words the end, for a
// plural or a tense would tell.
func unlike(a, b string) (n int) {
	looks := []func(string) bool{
		func(s string) bool { r, _ := utf8.DecodeRuneInString(s); return unicode.IsUpper(r) },
		func(s string) bool { return strings.ToUpper(s) == s },
		func(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) },
	}
	for _, sign := range "._/-:" {
		looks = append(looks, func(s string) bool { return strings.ContainsRune(s, sign) })
	}
	for _, l := range looks {
		if l(a) != l(b) {
			n++
		}
	}
	tail := func(s string) string { return s[max(0, len(s)-2):] }
	if shapeOf(a) == word && tail(strings.ToLower(a)) != tail(strings.ToLower(b)) {
		n++
	}
	return n
}
