package main

import (
	"context"
	"regexp"
	"unicode"
	"unicode/utf8"

	"jupiter/plugins/sdk"
)

// version is the plugin's own. A plan may ask for a range of it.
const version = "1.0.0"

var plugin = sdk.Plugin{Name: "wordfilter", Version: version, Stages: []sdk.Stage{
	sdk.Filter("wordfilter", sdk.Options{
		Description: "Drops records with certain words or patterns.", Revision: 1, Deterministic: true, Concurrent: true,
	}, open),
}}

// open makes the judge of one call. What Validate refuses has not come this far.
func open(_ context.Context, call *sdk.Call, c config) (sdk.Judge, error) {
	j := &judge{config: c, call: call, counts: map[string]float64{}}
	for _, r := range c.Rules {
		m := matcher{rule: r}
		for _, w := range r.Words {
			m.words = append(m.words, compile(regexp.QuoteMeta(w), c.IgnoreCase))
		}
		for _, p := range r.Patterns {
			m.patterns = append(m.patterns, compile(p, c.IgnoreCase))
		}
		j.matchers = append(j.matchers, m)
	}
	return j, nil
}

func compile(pattern string, ignoreCase bool) *regexp.Regexp {
	if ignoreCase {
		pattern = "(?i:" + pattern + ")"
	}
	return regexp.MustCompile(pattern)
}

type judge struct {
	config
	call     *sdk.Call
	matchers []matcher
	done     uint64
	counts   map[string]float64 // reason → records dropped
}

type matcher struct {
	rule
	words, patterns []*regexp.Regexp
}

// Refer is shown what counts as seen already, which makes no difference here.
func (*judge) Refer([]*sdk.Record) error { return nil }

// Judge gives one verdict a record, in order. Batches are small, and between them the host can stop a filter: there is
// nothing to save.
func (j *judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	out := make([]*sdk.Verdict, len(records))
	for i, r := range records {
		out[i] = j.verdict(r)
		if !out[i].Keep {
			j.counts[out[i].Reason]++
		}
	}
	j.done += uint64(len(records))
	j.call.Progress(j.done, 0, "records", j.counts)
	return out, nil
}

// verdict has the number of hits of the rule that decided as its score.
func (j *judge) verdict(r *sdk.Record) *sdk.Verdict {
	texts := []string{r.GetText()}
	for _, m := range r.GetMessages() {
		if m.GetTrain() || j.Prompts {
			texts = append(texts, m.GetContent())
		}
	}
	if j.Prompts {
		texts = append(texts, r.GetPrompt())
	}
	for _, m := range j.matchers {
		hits := 0
		for _, t := range texts {
			hits += m.hits(t, j.WholeWords)
		}
		if hits >= max(1, m.AtLeast) {
			return &sdk.Verdict{Reason: m.Reason, Score: float64(hits)}
		}
	}
	return &sdk.Verdict{Keep: true}
}

func (m matcher) hits(text string, whole bool) (n int) {
	for _, re := range m.words {
		for _, at := range re.FindAllStringIndex(text, -1) {
			if !whole || alone(text, at[0], at[1]) {
				n++
			}
		}
	}
	for _, re := range m.patterns {
		n += len(re.FindAllStringIndex(text, -1))
	}
	return n
}

// alone says whether text[from:to] is more than a part of a word. `\b` would not do: it knows ASCII alone, and takes the
// "lb" of "6lb" for a part of one.
func alone(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	first, _ := utf8.DecodeRuneInString(text[from:to])
	last, _ := utf8.DecodeLastRuneInString(text[from:to])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return !same(before, first) && !same(last, after)
}

// same says whether two characters side by side are of one word.
func same(a, b rune) bool {
	letter := func(r rune) bool { return unicode.In(r, unicode.L, unicode.M) }
	return letter(a) && letter(b) || unicode.IsDigit(a) && unicode.IsDigit(b)
}
