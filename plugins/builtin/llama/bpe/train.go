package bpe

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"
)

// Options says what Train is to make.
type Options struct {
	// VocabSize is the number of tokens to reach: special tokens, 256 bytes, merges. Training stops before it when no
	// pair of tokens occurs twice. MinVocab(Options) tokens are always there.
	VocabSize int
	// Specials are special tokens beyond the five that every vocabulary has. Each is written "<|name|>" and given once.
	Specials []string
	// SpacesApart keeps the space before a word out of every merge, so that a word is the same token wherever it stands:
	// after a digit, after punctuation, after a space. It costs a token a word, and pays where the texts are few and
	// structured.
	SpacesApart bool
}

// MinVocab is the size of a vocabulary without merges: what VocabSize must exceed for Train to learn anything.
func MinVocab(o Options) int { return len(o.specials()) + 256 }

func (o Options) specials() []string {
	return append([]string{BeginText, EndText, Padding, StartTurn, EndTurn}, o.Specials...)
}

// maxTrained bounds the pieces that training counts, in bytes. Longer ones are encoded data and rulers of dashes, which
// would cost time and teach the vocabulary nothing.
const maxTrained = 256

// Train learns a vocabulary: again and again, the pair of neighbouring tokens that occurs most often becomes a token.
// Of equally frequent pairs the one with the lower ids is taken, so the result is a function of the multiset of texts
// and the options alone. Pieces of digits are not counted, so digits stay apart (see the package comment). Train panics
// on a special token that is not written "<|name|>" or is there twice.
//
// The method is that of Sennrich, Haddow and Birch (2016) over bytes, with pair counts kept up to date rather than
// counted anew: learning a merge touches only the words that contain it.
func Train(texts iter.Seq[string], o Options) *Tokenizer {
	t := base(o.specials())
	l := newLearner(t, count(texts, o.SpacesApart))
	for len(t.tokens) < o.VocabSize {
		best, ok := l.best()
		if !ok {
			break
		}
		l.learn(best)
	}
	return t
}

// base is the vocabulary of special tokens and bytes.
func base(specials []string) *Tokenizer {
	t := &Tokenizer{ids: map[string]int32{}, ranks: map[pair]merge{}, bos: 0, eos: 1, pad: 2, start: 3, end: 4}
	for i, s := range specials {
		if !specialForm(s) || slices.Contains(specials[:i], s) {
			panic(fmt.Sprintf("bpe: special token %q is not written <|name|> or is there twice", s))
		}
		t.tokens = append(t.tokens, s)
		t.special = append(t.special, true)
	}
	for b := range t.bytes {
		t.bytes[b] = t.add(string([]byte{byte(b)}))
	}
	return t
}

// specialForm: the letter between two symbols keeps the spelling from ever being one piece of the split pattern.
func specialForm(s string) bool {
	return len(s) > 4 && strings.HasPrefix(s, "<|") && strings.HasSuffix(s, "|>") && strings.ContainsFunc(s, unicode.IsLetter)
}

// add gives the id of an ordinary token, new or known.
func (t *Tokenizer) add(raw string) int32 {
	if id, ok := t.ids[raw]; ok {
		return id
	}
	id := int32(len(t.tokens))
	t.tokens = append(t.tokens, raw)
	t.special = append(t.special, false)
	t.ids[raw] = id
	return id
}

// count counts the distinct pieces that training looks at.
func count(texts iter.Seq[string], spacesApart bool) map[string]int {
	pieces := map[string]int{}
	for text := range texts {
		for p := range Pieces(text) {
			if spacesApart {
				p = strings.TrimLeft(p, " ")
			}
			if p == "" {
				continue
			}
			if c, _ := next(p); c == number || len(p) < 2 || len(p) > maxTrained {
				continue
			}
			pieces[p]++
		}
	}
	return pieces
}

// A word is a distinct piece, as the tokens that it consists of so far.
type word struct {
	ids   []int32
	count int
}

// A learner holds, for every pair of neighbours, how often it occurs and in which words it may be found.
type learner struct {
	t     *Tokenizer
	words []word
	count map[pair]int
	where map[pair][]int32 // indices of words; a word may have lost the pair since, or be listed twice
	queue heap[counted]    // an entry whose count is out of date is put back with the right one
}

type counted struct {
	pair  pair
	count int
}

//lint:ignore U1000 heap calls it through its type parameter, which the linter does not see
func (a counted) before(b counted) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	if a.pair.left != b.pair.left {
		return a.pair.left < b.pair.left
	}
	return a.pair.right < b.pair.right
}

func newLearner(t *Tokenizer, pieces map[string]int) *learner {
	l := &learner{t: t, count: map[pair]int{}, where: map[pair][]int32{}}
	keys := make([]string, 0, len(pieces))
	for p := range pieces {
		keys = append(keys, p)
	}
	slices.Sort(keys)
	for i, p := range keys {
		w := word{ids: make([]int32, len(p)), count: pieces[p]}
		for k := range len(p) {
			w.ids[k] = t.bytes[p[k]]
		}
		l.words = append(l.words, w)
		for k := range len(w.ids) - 1 {
			p := pair{w.ids[k], w.ids[k+1]}
			l.count[p] += w.count
			l.list(p, int32(i))
		}
	}
	for p, n := range l.count { // the heap's order is total, so the order of insertion does not matter
		l.queue.push(counted{p, n})
	}
	return l
}

// list notes that p may be found in a word.
func (l *learner) list(p pair, at int32) {
	if w := l.where[p]; len(w) == 0 || w[len(w)-1] != at {
		l.where[p] = append(w, at)
	}
}

// best gives the most frequent pair, or false when none occurs twice.
func (l *learner) best() (pair, bool) {
	for len(l.queue) > 0 {
		c := l.queue.pop()
		switch n := l.count[c.pair]; {
		case n < 2:
			continue
		case n != c.count:
			l.queue.push(counted{c.pair, n})
		default:
			return c.pair, true
		}
	}
	return pair{}, false
}

// learn makes p a token and joins it in every word. Only pairs with the new token can have become more frequent; they
// are queued anew. Those that lost occurrences are put right when best meets them.
func (l *learner) learn(p pair) {
	t := l.t
	id := t.add(t.tokens[p.left] + t.tokens[p.right])
	t.ranks[p] = merge{int32(len(t.merges)), id}
	t.merges = append(t.merges, p)
	touched := map[pair]bool{}
	for _, at := range l.where[p] {
		w := &l.words[at]
		if !contains(w.ids, p) {
			continue
		}
		for k := range len(w.ids) - 1 {
			l.count[pair{w.ids[k], w.ids[k+1]}] -= w.count
		}
		w.ids = replace(w.ids, p, id)
		for k := range len(w.ids) - 1 {
			q := pair{w.ids[k], w.ids[k+1]}
			l.count[q] += w.count
			if q.left == id || q.right == id {
				l.list(q, at)
				touched[q] = true
			}
		}
	}
	delete(l.where, p)
	delete(l.count, p)
	for q := range touched {
		l.queue.push(counted{q, l.count[q]})
	}
}

func contains(ids []int32, p pair) bool {
	for k := range len(ids) - 1 {
		if ids[k] == p.left && ids[k+1] == p.right {
			return true
		}
	}
	return false
}

// replace joins every p, from the left, in place.
func replace(ids []int32, p pair, id int32) []int32 {
	out := ids[:0]
	for k := 0; k < len(ids); k++ {
		if k+1 < len(ids) && ids[k] == p.left && ids[k+1] == p.right {
			out = append(out, id)
			k++
			continue
		}
		out = append(out, ids[k])
	}
	return out
}
