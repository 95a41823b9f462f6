// Package contract says what is wrong with one message of a plugin, whatever came before it: limits, numbers that are
// none, names that cannot be shown. "" stands for nothing. The host holds a run's messages to it before anybody acts on them,
// and the conformance suite holds plugins to the same functions: what they accept is accepted everywhere. The order of
// messages is not its business. docs/plugin-protocol.md has the limits in words.
package contract

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/semver"
	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

const (
	MaxBatch  = 1 << 20 // bytes of the records of a batch of several
	MaxRecord = 3 << 20 // bytes
	MaxStages = 64      // that one plugin lists

	maxCursorBytes = 64 << 10
	maxWordBytes   = 100 // of a reason or a family, which are counted and shown
	maxMetrics     = 100
	maxFindings    = 100
	maxNameBytes   = 1 << 10 // of an ID, a path, a digest
	maxTokens      = 1 << 40 // in one message: more is no count
	maxFigure      = 1e30    // of an estimate: more operations than all computers have made
	maxReadRecords = 1 << 32 // that a trainer reads in one window
	rounding       = 1e-3    // that a log-likelihood of a near certainty may lie above 0
)

// Batch judges records. Those of a source have something to say; a sample may be empty, and is counted as such.
func Batch(b *pluginv1.RecordBatch, source bool) string {
	if wrong := Cursor(b.GetCursor()); wrong != "" {
		return wrong
	}
	total := 0
	for i, r := range b.GetRecords() {
		if wrong := Record(r, source); wrong != "" {
			return fmt.Sprintf("record %d of a batch %s", i, wrong)
		}
		total += proto.Size(r)
	}
	if n := len(b.GetRecords()); n > 1 && total > MaxBatch {
		return fmt.Sprintf("a batch of %d bytes, and one of several records has at most %d", total, MaxBatch)
	}
	return ""
}

// Cursor judges the cursor of a batch or of a checkpoint.
func Cursor(c []byte) string {
	if len(c) > maxCursorBytes {
		return fmt.Sprintf("a cursor of %d bytes, and one has at most %d", len(c), maxCursorBytes)
	}
	return ""
}

// Record judges a record that a plugin makes.
func Record(r *pluginv1.Record, source bool) string {
	size := proto.Size(r)
	switch {
	case size > MaxRecord:
		return fmt.Sprintf("has %d bytes, and one has at most %d", size, MaxRecord)
	case r.GetId() != "":
		return fmt.Sprintf("has the id %.40q, which is the host's to give", r.Id)
	case len(r.GetMessages()) > 0 && (r.Text != "" || r.Prompt != ""):
		return "has messages and a text, and it is one or the other"
	case source && r.GetText() == "" && len(r.GetMessages()) == 0:
		return "has neither text nor messages"
	case r.GetPromptTokens() > maxTokens || r.GetCompletionTokens() > maxTokens:
		return "has a count of tokens that is none"
	}
	return ""
}

// Progress judges how far a call says that it has come.
func Progress(p *pluginv1.Progress) string {
	switch u := p.GetUsage(); {
	case u.GetPromptTokens() > maxTokens || u.GetCompletionTokens() > maxTokens:
		return "a count of tokens that is none"
	case len(p.GetUnit()) > maxWordBytes:
		return fmt.Sprintf("a unit of %d bytes, and one has at most %d", len(p.Unit), maxWordBytes)
	case len(p.GetMetrics()) > maxMetrics:
		return fmt.Sprintf("%d metrics, and there are at most %d", len(p.Metrics), maxMetrics)
	}
	for name := range p.GetMetrics() {
		if !Word(name) {
			return fmt.Sprintf("a metric called %.40q, which is no short word", name)
		}
	}
	return ""
}

// Word says whether a text can be counted under and shown: short, and without control characters. It may be empty.
func Word(s string) bool { return len(s) <= maxWordBytes && printable(s) }

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, schema.Controls)
}

// Completion judges an answer to a prompt.
func Completion(c *pluginv1.Completion) string {
	switch {
	case c.FinishReason != "" && c.FinishReason != "stop" && c.FinishReason != "length":
		return fmt.Sprintf("a completion that ended for the reason %.40q, and there is stop and length", c.FinishReason)
	case c.PromptTokens > maxTokens || c.CompletionTokens > maxTokens:
		return "a completion with a count of tokens that is none"
	}
	for _, l := range c.Logprobs {
		if math.IsNaN(float64(l)) || l > rounding {
			return fmt.Sprintf("a log-likelihood of %v", l)
		}
	}
	return ""
}

// Piece judges a part of a completion.
func Piece(p *pluginv1.Piece) string {
	for _, t := range p.Tokens {
		if l := t.GetLogprob(); math.IsNaN(float64(l)) || l > rounding {
			return fmt.Sprintf("a log-likelihood of %v", l)
		}
	}
	return ""
}

// Likelihood judges the likelihood of a text. One of no tokens is that of nothing.
func Likelihood(l *pluginv1.Likelihood) string {
	switch s := l.GetSumLogprob(); {
	case math.IsNaN(s) || math.IsInf(s, 0) || s > rounding:
		return fmt.Sprintf("a log-likelihood of %v, and one is a number of at most 0", s)
	case l.GetTokens() == 0 && (s < -rounding || l.GetBytes() > 0):
		return "a log-likelihood of 0 tokens"
	case l.GetTokens() > maxTokens || l.GetBytes() > maxTokens:
		return "a log-likelihood of a text with a length that is none"
	}
	return ""
}

// Verdict judges what a filter makes of a record.
func Verdict(v *pluginv1.Verdict) string {
	switch {
	case !Word(v.GetReason()):
		return fmt.Sprintf("a verdict with the reason %.40q, which is no short word", v.Reason)
	case math.IsNaN(v.GetScore()) || math.IsInf(v.GetScore(), 0):
		return fmt.Sprintf("a verdict with the score %v", v.Score)
	case len(v.GetDuplicateOf()) > maxNameBytes:
		return fmt.Sprintf("a verdict that is a duplicate of an id of %d bytes, and one has at most %d", len(v.DuplicateOf), maxNameBytes)
	}
	return ""
}

// Judgement judges what a verifier makes of an item. The halves of a text that states its own question are no more than
// that: together they become a record.
func Judgement(j *pluginv1.Judgement) string {
	switch {
	case !Word(j.GetReason()):
		return fmt.Sprintf("a judgement with the reason %.40q, which is no short word", j.Reason)
	case !Word(j.GetFamily()):
		return fmt.Sprintf("a judgement with the family %.40q, which is no short word", j.Family)
	case len(j.GetKey()) > maxNameBytes:
		return fmt.Sprintf("a judgement with a key of %d bytes, and one has at most %d", len(j.Key), maxNameBytes)
	case len(j.GetQuestion())+len(j.GetAnswer()) > MaxRecord:
		return fmt.Sprintf("a judgement with a question and an answer of %d bytes, and a record has at most %d", len(j.Question)+len(j.Answer), MaxRecord)
	}
	return ""
}

// Score judges the components of a score. What a guess would reach is taken off the domain's, so that it can be below 0.
func Score(s *pluginv1.QuestionScore) string {
	for _, c := range []struct {
		name  string
		value *float64
		least float64
	}{{"accuracy", s.Accuracy, 0}, {"coherence", s.Coherence, 0}, {"domain", s.Domain, -1}} {
		if c.value != nil && !(*c.value >= c.least && *c.value <= 1) { // NaN is neither
			return fmt.Sprintf("%s %v of question %.80q, which lies between %v and 1", c.name, *c.value, s.PromptId, c.least)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.SubScores)) {
		if v := s.SubScores[name]; math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprintf("%.40q %v of question %.80q, which is no number", name, v, s.PromptId)
		}
	}
	return ""
}

// Question judges a question of a benchmark.
func Question(q *pluginv1.Question) string {
	id := q.GetPrompt().GetId()
	switch {
	case id == "" || len(id) > maxNameBytes || !printable(id):
		return fmt.Sprintf("a question with the id %.40q", id)
	case !Word(q.GetSplit()) || !filepath.IsLocal(q.GetSplit()) || filepath.Base(q.Split) != q.Split:
		return fmt.Sprintf("question %.80q is of a split called %.40q", id, q.GetSplit())
	case len(q.GetKey()) > maxNameBytes:
		return fmt.Sprintf("question %.80q has a key of %d bytes, and one has at most %d", id, len(q.Key), maxNameBytes)
	}
	return ""
}

// Output judges where a file or a directory is said to lie; whether it is there is for who takes it.
func Output(o *pluginv1.Output) string {
	switch {
	case !Word(o.GetName()) || o.GetName() == "":
		return fmt.Sprintf("an output called %.40q", o.GetName())
	case len(o.GetPath()) > maxNameBytes || !filepath.IsLocal(o.GetPath()):
		return fmt.Sprintf("its output %q has the path %.80q, which lies outside the directory of the call", o.Name, o.GetPath())
	}
	return ""
}

// Estimate judges the figures of a cost model.
func Estimate(e *pluginv1.EstimateResponse) string {
	for _, f := range []struct {
		name  string
		value float64
	}{{"flop", e.Flop}, {"prompt_tokens", e.PromptTokens}, {"completion_tokens", e.CompletionTokens}, {"max_completion_tokens", e.MaxCompletionTokens},
		{"bytes_read", e.BytesRead}, {"bytes_written", e.BytesWritten}, {"peak_memory_bytes", e.PeakMemoryBytes}} {
		if !(f.value >= 0 && f.value <= maxFigure) { // NaN is neither
			return fmt.Sprintf("it estimates %s = %v", f.name, f.value)
		}
	}
	if e.Records > maxReadRecords {
		return fmt.Sprintf("it estimates records = %d, and there are at most %d", e.Records, uint64(maxReadRecords))
	}
	return ""
}

// Fingerprint judges what a source is said to be now.
func Fingerprint(f *pluginv1.FingerprintResponse) string {
	for _, s := range []string{f.Digest, f.Backend, f.Dtype} {
		if len(s) > maxNameBytes || !printable(s) {
			return fmt.Sprintf("a fingerprint of %d bytes, %.40q", len(s), s)
		}
	}
	return ""
}

// Findings judges what a stage says that it would meet.
func Findings(r *pluginv1.CheckResponse) string {
	if n := len(r.GetFindings()); n > maxFindings {
		return fmt.Sprintf("%d findings, and there are at most %d", n, maxFindings)
	}
	for _, f := range r.GetFindings() {
		switch {
		case !Word(f.GetSubject()) || f.GetSubject() == "":
			return fmt.Sprintf("a finding about %.40q, which is no short word", f.GetSubject())
		case f.GetLevel() < pluginv1.Finding_LEVEL_OK || f.GetLevel() > pluginv1.Finding_LEVEL_PROBLEM:
			return fmt.Sprintf("a finding about %s of the level %d, which is none", f.Subject, f.Level)
		case len(f.GetDetail()) > maxNameBytes*4 || !printable(f.GetDetail()):
			return fmt.Sprintf("a finding about %s with a detail of %d bytes that cannot be shown", f.Subject, len(f.Detail))
		}
	}
	return ""
}

// Version says whether a text is a semantic version, all three numbers of it and no "v" before them.
func Version(s string) bool {
	c := semver.Canonical("v" + s) // with the numbers that s leaves out, and without what it says of a build
	return Word(s) && c != "" && strings.HasPrefix("v"+s, c)
}
