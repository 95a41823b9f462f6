package host

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// What a plugin says is judged before anybody acts on it. The functions here say what is wrong with one message, whatever
// came before it; "" stands for nothing. The order of messages is the tracker's business. docs/plugin-protocol.md has the
// limits in words.
const (
	maxBatchBytes  = 1 << 20 // of the records of a batch of several
	maxRecordBytes = 3 << 20
	maxCursorBytes = 64 << 10
	maxWordBytes   = 100 // of a reason or a family, which are counted and shown
	maxMetrics     = 100
	maxNameBytes   = 1 << 10 // of an ID, a path, a digest
	maxTokens      = 1 << 40 // in one message: more is no count
	maxFigure      = 1e30    // of an estimate: more operations than all computers have made
	maxReadRecords = 1 << 32 // that a trainer reads in one window
	rounding       = 1e-3    // that a log-likelihood of a near certainty may lie above 0
)

// badBatch judges records. Those of a source have something to say; a sample may be empty, and is counted as such.
func badBatch(b *pluginv1.RecordBatch, source bool) string {
	if n := len(b.GetCursor()); n > maxCursorBytes {
		return fmt.Sprintf("a cursor of %d bytes, and one has at most %d", n, maxCursorBytes)
	}
	total := 0
	for i, r := range b.GetRecords() {
		if wrong := badRecord(r, source); wrong != "" {
			return fmt.Sprintf("record %d of a batch %s", i, wrong)
		}
		total += proto.Size(r)
	}
	if n := len(b.GetRecords()); n > 1 && total > maxBatchBytes {
		return fmt.Sprintf("a batch of %d bytes, and one of several records has at most %d", total, maxBatchBytes)
	}
	return ""
}

func badRecord(r *pluginv1.Record, source bool) string {
	size := proto.Size(r)
	switch {
	case size > maxRecordBytes:
		return fmt.Sprintf("has %d bytes, and one has at most %d", size, maxRecordBytes)
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

func badProgress(p *pluginv1.Progress) string {
	switch u := p.GetUsage(); {
	case u.GetPromptTokens() > maxTokens || u.GetCompletionTokens() > maxTokens:
		return "a count of tokens that is none"
	case len(p.GetUnit()) > maxWordBytes:
		return fmt.Sprintf("a unit of %d bytes, and one has at most %d", len(p.Unit), maxWordBytes)
	case len(p.GetMetrics()) > maxMetrics:
		return fmt.Sprintf("%d metrics, and there are at most %d", len(p.Metrics), maxMetrics)
	}
	for name := range p.GetMetrics() {
		if !word(name) {
			return fmt.Sprintf("a metric called %.40q, which is no short word", name)
		}
	}
	return ""
}

// word says whether a text can be counted under and shown: short, and without control characters. It may be empty.
func word(s string) bool { return len(s) <= maxWordBytes && printable(s) }

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, schema.Controls)
}

func badCompletion(c *pluginv1.Completion) string {
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

// badLikelihood judges the likelihood of a text. One of no tokens is that of nothing.
func badLikelihood(l *pluginv1.Likelihood) string {
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

func badJudgement(j *pluginv1.Judgement) string {
	switch {
	case !word(j.GetReason()):
		return fmt.Sprintf("a judgement with the reason %.40q, which is no short word", j.Reason)
	case !word(j.GetFamily()):
		return fmt.Sprintf("a judgement with the family %.40q, which is no short word", j.Family)
	case len(j.GetKey()) > maxNameBytes:
		return fmt.Sprintf("a judgement with a key of %d bytes, and one has at most %d", len(j.Key), maxNameBytes)
	}
	return ""
}

// badScore judges the components of a score. What a guess would reach is taken off the domain's, so that it can be below 0.
func badScore(s *pluginv1.QuestionScore) string {
	for _, c := range []struct {
		name  string
		value *float64
		least float64
	}{{"accuracy", s.Accuracy, 0}, {"coherence", s.Coherence, 0}, {"domain", s.Domain, -1}} {
		if c.value != nil && !(*c.value >= c.least && *c.value <= 1) { // NaN is neither
			return fmt.Sprintf("%s %v of question %.80q, which lies between %v and 1", c.name, *c.value, s.PromptId, c.least)
		}
	}
	return ""
}

func badQuestion(q *pluginv1.Question) string {
	id := q.GetPrompt().GetId()
	switch {
	case id == "" || len(id) > maxNameBytes || !printable(id):
		return fmt.Sprintf("a question with the id %.40q", id)
	case !word(q.GetSplit()) || !filepath.IsLocal(q.GetSplit()) || filepath.Base(q.Split) != q.Split:
		return fmt.Sprintf("question %.80q is of a split called %.40q", id, q.GetSplit())
	case len(q.GetKey()) > maxNameBytes:
		return fmt.Sprintf("question %.80q has a key of %d bytes, and one has at most %d", id, len(q.Key), maxNameBytes)
	}
	return ""
}

func badOutput(o *pluginv1.Output) string {
	switch {
	case !word(o.GetName()) || o.GetName() == "":
		return fmt.Sprintf("an output called %.40q", o.GetName())
	case len(o.GetPath()) > maxNameBytes || !filepath.IsLocal(o.GetPath()):
		return fmt.Sprintf("its output %q has the path %.80q, which lies outside the directory of the call", o.Name, o.GetPath())
	}
	return ""
}

func badEstimate(e *pluginv1.EstimateResponse) string {
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

func badFingerprint(f *pluginv1.FingerprintResponse) string {
	for _, s := range []string{f.Digest, f.Backend, f.Dtype} {
		if len(s) > maxNameBytes || !printable(s) {
			return fmt.Sprintf("a fingerprint of %d bytes, %.40q", len(s), s)
		}
	}
	return ""
}
