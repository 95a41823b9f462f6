package questions

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// towns are documents with a sentence a town, whose terms are rare.
func towns(n int) (docs []Document) {
	for i := range n {
		docs = append(docs, Document{Name: fmt.Sprintf("town%03d.md", i), Text: fmt.Sprintf(
			"# Place number %s\n\nThe old market of this place was moved to Plaza%s in the year %d, after a flood of the river. "+
				"A mill on its %s bank ground wheat for %d families until the bridge fell.\n",
			letters(i), strings.ToUpper(letters(i)[:1])+letters(i)[1:], 1200+7*i, letters(i*31+5), 100+i)})
	}
	return docs
}

func letters(n int) string {
	b := []byte("qwzzz")
	for i := range b {
		b[i] = byte('a' + n%26)
		n = n/26 + i*7
	}
	return string(b)
}

// teacher answers as a model of some quality would.
type teacher struct {
	asked map[string]int
	say   func(Ask) Reply
}

func (te *teacher) run(b *Builder) []Candidate {
	kept := map[string]Reply{}
	for {
		asks := b.Next(func(key string) (Reply, bool) { r, ok := kept[key]; return r, ok })
		if len(asks) == 0 {
			return b.Candidates()
		}
		for _, a := range asks {
			te.asked[a.Key]++
			kept[a.Key] = te.say(a)
		}
	}
}

// knowing reads the answer off the prompt.
func knowing(a Ask) Reply {
	year := func(s string) string {
		_, s, _ = strings.Cut(s, "in the year ")
		s, _, _ = strings.Cut(s, ",")
		return s
	}
	title := func(s string) string { _, s, _ = strings.Cut(s, "number "); return s[:5] }
	switch {
	case len(a.Options) > 0:
		return Reply{Scores: []float64{-1, -2, -3, -2}}
	case strings.Contains(a.Prompt, "exam questions"):
		return Reply{Text: fmt.Sprintf("Question: When was the market of place %s moved?\nAnswer: %s.", title(a.Prompt), year(a.Prompt))}
	case strings.Contains(a.Prompt, "Fill in"):
		text, q, _ := strings.Cut(a.Prompt, "\n\nFill in the blank with what the text has there.\n")
		before, _, _ := strings.Cut(q[strings.Index(q, "\n")+1:], Blank)
		_, rest, _ := strings.Cut(text, before)
		return Reply{Text: strings.Fields(rest)[0]}
	}
	return Reply{Text: "In " + year(a.Prompt)}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	o := Options{Items: 60, Kinds: []string{Question, Cloze}, Seed: 3, SecondPass: true}
	te := &teacher{asked: map[string]int{}, say: knowing}
	list := te.run(New(towns(80), o))
	kinds := map[string]int{}
	for _, c := range list {
		if c.Reason != "" {
			continue
		}
		kinds[c.Kind]++
		if len(c.Distractors) != distractorsWanted || Broken(c) != "" {
			t.Errorf("%+v", c)
		}
		for i, d := range c.Distractors {
			if Holds(c.Passage, d) || Normal(d) == Normal(c.Answer) || slices.Contains(c.Distractors[:i], d) || shapeOfAnswer(d) != shapeOfAnswer(c.Answer) {
				t.Errorf("%s: distractor %q beside %q", c.ID, d, c.Answer)
			}
		}
	}
	if kinds[Question] < 30 || kinds[Question] > 30+round || kinds[Cloze] < 20 || kinds[Question]+kinds[Cloze] > 60+round {
		t.Errorf("kept %v", kinds)
	}
	for key, n := range te.asked {
		if n != 1 {
			t.Errorf("%s was asked %d times", key, n)
		}
	}
	other := &teacher{asked: map[string]int{}, say: knowing}
	docs := towns(80)
	slices.Reverse(docs)
	if d := cmp.Diff(list, other.run(New(docs, o)), cmp.AllowUnexported(Candidate{})); d != "" {
		t.Errorf("the same documents in another order give other items:\n%s", d)
	}
}

// A teacher that is of no use at all still leaves the clozes, where it is not asked about them.
func TestBuildClozeAlone(t *testing.T) {
	t.Parallel()
	te := &teacher{asked: map[string]int{}, say: func(a Ask) Reply { t.Errorf("asked: %s", a.Prompt); return Reply{} }}
	b := New(towns(40), Options{Items: 50, Kinds: []string{Cloze}})
	te.run(b)
	if n := len(b.Kept()); n < 50 {
		t.Errorf("%d items", n)
	}
}

func TestBuildBadTeachers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		say    func(Ask) Reply
		reason string // of replies or candidates
	}{
		{"refuses", func(Ask) Reply { return Reply{Text: "I'm sorry, but I cannot do that."} }, Refusal},
		{"says nothing", func(Ask) Reply { return Reply{} }, Empty},
		{"rambles", func(Ask) Reply { return Reply{Text: "What a nice text this is."} }, Unreadable},
		{"repeats itself", func(a Ask) Reply {
			if r := knowing(a); !strings.Contains(r.Text, "Question:") {
				return r
			}
			_, answer, _ := strings.Cut(knowing(a).Text, "Answer: ")
			return Reply{Text: "Question: When was the old market moved?\nAnswer: " + answer}
		}, Repeated},
		{"disagrees with itself", func(a Ask) Reply {
			if r := knowing(a); strings.Contains(r.Text, "Question:") {
				return r
			}
			return Reply{Text: "1066"}
		}, SecondPass},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			te := &teacher{asked: map[string]int{}, say: c.say}
			b := New(towns(30), Options{Items: 20, Kinds: []string{Question}, SecondPass: true})
			list := te.run(b)
			if n := len(b.Kept()); n != 0 || b.Asked() != 30 {
				t.Errorf("%d items of %d passages", n, b.Asked())
			}
			n := b.Replies()[c.reason]
			for _, x := range list {
				if x.Reason == c.reason {
					n++
				}
			}
			if n != 30 {
				t.Errorf("%s for %d of 30 passages", c.reason, n)
			}
		})
	}
}

// What a person rejects makes room for others.
func TestBuildRejected(t *testing.T) {
	t.Parallel()
	o := Options{Items: 20, Kinds: []string{Cloze}}
	first := New(towns(40), o)
	(&teacher{asked: map[string]int{}, say: knowing}).run(first)
	o.Rejected = map[string]bool{}
	for _, c := range first.Kept()[:10] {
		o.Rejected[c.ID] = true
	}
	second := New(towns(40), o)
	(&teacher{asked: map[string]int{}, say: knowing}).run(second)
	for _, c := range second.Kept() {
		if o.Rejected[c.ID] {
			t.Errorf("%s was rejected", c.ID)
		}
	}
	if n := len(second.Kept()); n < 20 {
		t.Errorf("%d items", n)
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	p := func(n string) Passage { return Passage{Document: "d", Text: canal, Digest: n} }
	list := []Candidate{
		candidate(Question, p("1"), "s1", "Under whom was the Canal de Castilla begun?", "1753"),
		candidate(Question, p("1"), "s2", "Under whom was the canal de Castilla begun ?", "1754"),
		candidate(Question, p("2"), "s3", "When did the market move to the plaza of the town?", "1754"),
		candidate(Question, p("3"), "s4", "When did the market move to the plaza of the town?", "1756"),
		candidate(Question, p("4"), "s1", "Who began it all in the old kingdom of Castile?", "1757"),
		candidate(Question, p("5"), "s5", "In which year of the century were the first nine locks of the canal opened?", "1758"),
		candidate(Question, p("5"), "s6", "In which year of the century were the first nine locks of the canal opened up?", "1759"),
		candidate(Question, p("6"), "s7", "How long is it from one end to the other?", "a very long way indeed"),
	}
	corpus := &corpus{pool: map[shape][]string{number: {"1801", "1802", "1803", "1804"}}}
	var got []string
	for _, c := range finish(list, corpus) {
		got = append(got, c.Reason)
	}
	want := []string{"", Duplicate, Repeated, Repeated, SameSentence, "", NearDuplicate, FewDistractors}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
