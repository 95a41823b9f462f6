package questions

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// Options say what is to be made.
type Options struct {
	Items      int      // to aim for; a round may bring a few more
	Kinds      []string // question, cloze
	Seed       uint64
	SecondPass bool
	Scores     bool // the teacher tells how likely it finds a text

	// Rejected are the IDs of candidates that a person has rejected: others are to take their places.
	Rejected map[string]bool
}

// round is how many passages, or sentences, are looked at between two looks at whether there are enough items.
const round = 16

// Builder makes the items, round by round.
type Builder struct {
	o        Options
	seed     string
	corpus   *corpus
	passages []Passage // in the order in which they are asked about
	clozes   []Candidate
	phases   []phase
	list     []Candidate // so far
	replies  map[string]int
	asked    int
}

// phase goes through the passages, or the clozes, until there are enough items.
type phase struct {
	kind string
	want int // items of all kinds when it ends
}

// New begins to build. Passages that several documents have are the first one's, by name.
func New(docs []Document, o Options) *Builder {
	b := &Builder{o: o, seed: strconv.FormatUint(o.Seed, 10), replies: map[string]int{}}
	docs = slices.SortedFunc(slices.Values(docs), func(a, b Document) int { return cmp.Compare(a.Name, b.Name) })
	also := map[string][]string{} // digest of a passage → documents that have it
	for _, d := range docs {
		for _, p := range Cut(d) {
			if also[p.Digest] == nil {
				b.passages = append(b.passages, p)
			}
			if n := len(also[p.Digest]); n == 0 || also[p.Digest][n-1] != d.Name {
				also[p.Digest] = append(also[p.Digest], d.Name)
			}
		}
	}
	for i, p := range b.passages {
		b.passages[i].Also = also[p.Digest][1:]
	}
	slices.SortFunc(b.passages, func(x, y Passage) int {
		return cmp.Or(cmp.Compare(hash(b.seed, x.Digest), hash(b.seed, y.Digest)), cmp.Compare(x.Digest, y.Digest))
	})
	b.corpus = newCorpus(b.passages)
	for i, kind := range o.Kinds {
		b.phases = append(b.phases, phase{kind, o.Items * (i + 1) / len(o.Kinds)})
	}
	for _, kind := range o.Kinds[:len(o.Kinds)-1] { // what the last one lacked
		b.phases = append(b.phases, phase{kind, o.Items})
	}
	if slices.Contains(o.Kinds, Cloze) {
		b.sentences()
	}
	return b
}

// sentences are the clozes of all passages: first the best of each, then the second, so that few passages with many good
// sentences do not take all places.
func (b *Builder) sentences() {
	all := make([][]Candidate, perPassage)
	for _, p := range b.passages {
		for i, c := range b.corpus.cloze(p, b.seed) {
			all[i] = append(all[i], c)
		}
	}
	b.clozes = slices.Concat(all...)
}

// Passages is how many there are to ask about.
func (b *Builder) Passages() int { return len(b.passages) }

// Next goes on as far as the replies reach. It returns what must be asked to go on, at most a round; nothing, where the work
// is done.
func (b *Builder) Next(reply func(key string) (Reply, bool)) []Ask {
	for len(b.phases) > 0 {
		if len(b.Kept()) >= b.phases[0].want || b.left(b.phases[0].kind) == 0 {
			b.phases = b.phases[1:]
			continue
		}
		var asks []Ask
		if b.phases[0].kind == Question {
			asks = b.questions(reply)
		} else {
			asks = b.fill(reply)
		}
		if len(asks) > 0 {
			return asks
		}
	}
	return nil
}

func (b *Builder) left(kind string) int {
	if kind == Question {
		return len(b.passages) - b.asked
	}
	return len(b.clozes)
}

// questions has a round of questions written and checked.
func (b *Builder) questions(reply func(string) (Reply, bool)) (asks []Ask) {
	part := b.passages[b.asked:min(b.asked+round, len(b.passages))]
	var replies []Reply
	for _, p := range part {
		a := write(p)
		if r, ok := reply(a.Key); ok {
			replies = append(replies, r)
		} else {
			asks = append(asks, a)
		}
	}
	if len(asks) > 0 {
		return asks
	}
	var list []Candidate
	why := map[string]int{}
	for i, p := range part {
		pairs, reason := Parse(replies[i].Text)
		if reason != "" {
			why[reason]++
		}
		for k, pair := range pairs {
			c := candidate(Question, p, sentenceOf(p, pair.Answer), pair.Question, trimAnswer(pair.Answer))
			if c.Reason = Broken(c); c.Reason == NotInEvidence && replies[i].Cut && k == len(pairs)-1 {
				c.Reason = CutOff
			}
			list = append(list, c)
		}
	}
	if asks = b.check(list, reply); len(asks) > 0 {
		return asks
	}
	for r, n := range why {
		b.replies[r] += n
	}
	b.asked += len(part)
	b.list = append(b.list, list...)
	return nil
}

// trimAnswer takes off the full stop that ends an answer as if it were a sentence.
func trimAnswer(s string) string {
	if n := len(s); n > 1 && s[n-1] == '.' && s[n-2] != '.' {
		return s[:n-1]
	}
	return s
}

// sentenceOf is the first sentence that has the answer.
func sentenceOf(p Passage, answer string) string {
	for _, s := range Sentences(p.Text) {
		if Holds(s, answer) {
			return s
		}
	}
	return ""
}

// fill has a round of clozes checked.
func (b *Builder) fill(reply func(string) (Reply, bool)) []Ask {
	n := min(round, len(b.clozes))
	list := slices.Clone(b.clozes[:n])
	for i := range list {
		list[i].Reason = Broken(list[i])
	}
	distract(list, b.corpus)
	if asks := b.check(list, reply); len(asks) > 0 {
		return asks
	}
	b.clozes = b.clozes[n:]
	b.list = append(b.list, list...)
	return nil
}

// check holds what stands against the second pass.
func (b *Builder) check(list []Candidate, reply func(string) (Reply, bool)) (asks []Ask) {
	if !b.o.SecondPass {
		return nil
	}
	for i := range list {
		c := &list[i]
		if c.Reason != "" {
			continue
		}
		a := check(*c, b.o.Scores)
		r, ok := reply(a.Key)
		switch {
		case !ok:
			asks = append(asks, a)
		case len(a.Options) > 0 && !likeliest(r.Scores), len(a.Options) == 0 && !agrees(r.Text, c.Answer):
			c.Reason = SecondPass
		}
	}
	return asks
}

// likeliest says whether the first of the scores is above all others.
func likeliest(scores []float64) bool {
	return len(scores) > 1 && !slices.ContainsFunc(scores[1:], func(x float64) bool { return !(x < scores[0]) })
}

// Candidates are all that came so far, with the reasons of those that are left out.
func (b *Builder) Candidates() []Candidate { return finish(b.list, b.corpus) }

// Kept are the candidates that stand, without those that were rejected.
func (b *Builder) Kept() []Candidate {
	return slices.DeleteFunc(b.Candidates(), func(c Candidate) bool { return c.Reason != "" || b.o.Rejected[c.ID] })
}

// Asked is how many passages the teacher was asked about.
func (b *Builder) Asked() int { return b.asked }

// Replies counts the replies that no question could be read from, by reason.
func (b *Builder) Replies() map[string]int { return maps.Clone(b.replies) }
