package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"jupiter/plan/config"
	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
	"jupiter/plugins/sdk"
	"jupiter/runtime/seal"
)

// tally counts what became of records: kept plus all reasons is the input, always.
type tally struct {
	In       int            `json:"in"`
	Kept     int            `json:"kept"`
	Reasons  map[string]int `json:"reasons,omitempty"`
	Families map[string]int `json:"families,omitempty"` // of the kept, by the verifier
	First    []string       `json:"first,omitempty"`    // the first three that were dropped, cut short
}

func newTally() *tally { return &tally{Reasons: map[string]int{}, Families: map[string]int{}} }

func (t *tally) drop(reason string, r *sdk.Record) {
	count(t.Reasons, reason)
	if len(t.First) < 3 {
		t.First = append(t.First, reason+": "+schema.Printable(r.Prompt+r.Text, 200))
	}
}

// maxCounted bounds the reasons, and the families, that are counted by name: they are a plugin's words, and go into the
// state and onto the screen.
const maxCounted = 200

// count adds one to a word, or to "other" where there are too many words.
func count(words map[string]int, w string) {
	if _, known := words[w]; !known && len(words) >= maxCounted {
		w = "other"
	}
	words[w]++
}

// check proves that nothing was lost on the way.
func (t *tally) check() error {
	n := t.Kept
	for _, c := range t.Reasons {
		n += c
	}
	if n != t.In {
		return fmt.Errorf("%d records came in, and %d are accounted for", t.In, n)
	}
	return nil
}

func (t *tally) String() string {
	parts := []string{fmt.Sprintf("%d of %d kept", t.Kept, t.In)}
	for _, r := range slices.Sorted(maps.Keys(t.Reasons)) {
		parts = append(parts, fmt.Sprintf("%s %d", r, t.Reasons[r]))
	}
	s := strings.Join(parts, ", ")
	if t.Kept == 0 && len(t.First) > 0 {
		s += "; first: " + strings.Join(t.First, " | ")
	}
	return s
}

// real gathers what the sources gave: without what the benchmark holds, each canonical key once.
func (j *job) real(ctx context.Context) (*result, error) {
	index, err := j.index()
	if err != nil {
		return nil, err
	}
	if err := checkTemplates(index, j.a.Domain); err != nil {
		return nil, err
	}
	var recs []*sdk.Record
	for _, name := range slices.Sorted(maps.Keys(j.inputs)) {
		if !strings.HasPrefix(name, "records.") {
			continue
		}
		rs, err := j.readRecords(name)
		if err != nil {
			return nil, err
		}
		recs = append(recs, rs...)
	}
	t := newTally()
	t.In = len(recs)
	judged, err := j.judge(ctx, recs)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var kept []*sdk.Record
	for i, r := range recs {
		if jd := judged[i]; jd != nil {
			r.Key = jd.Key
		}
		switch hit, bad := index.Check(seal.Sample{Key: r.Key, Source: sources(r), Prompt: r.Prompt, Text: recordText(r)}); {
		case bad:
			t.drop("benchmark:"+string(hit.Kind), r)
			continue
		case judged[i] != nil && judged[i].Reason == quarantined: // nobody knows what it asks
			t.drop(quarantined, r)
			continue
		case has(j.a.Domain.Deny, r.Meta["license"]):
			t.drop("license", r)
			continue
		case seen["id "+r.Id] || r.Key != "" && seen["key "+r.Key]:
			t.drop("duplicate", r)
			continue
		}
		seen["id "+r.Id] = true
		if r.Key != "" {
			seen["key "+r.Key] = true
		}
		if jd := judged[i]; jd != nil && jd.Family != "" {
			count(t.Families, jd.Family)
		}
		kept = append(kept, r)
	}
	return j.keep(t, kept)
}

// checkTemplates holds prompts and few-shot examples against the seal before anything is asked with them.
func checkTemplates(index *seal.Index, d *config.Domain) error {
	for _, t := range d.Templates {
		for _, text := range append([]string{t.Prompt, t.SystemPrompt}, t.Examples...) {
			if text == "" {
				continue
			}
			if hit, bad := index.Check(seal.Sample{Prompt: text}); bad {
				return fmt.Errorf("%s %s; a template that quotes the benchmark would teach it", t.Addr, hit)
			}
		}
	}
	return nil
}

// verify lets through what the domain's verifier finds right and the seal does not know. With verify = false the
// verifier's word is set aside; the seal's is not.
func (j *job) verify(ctx context.Context) (*result, error) {
	index, err := j.index()
	if err != nil {
		return nil, err
	}
	strict := j.id.Parts["verify"] == "true"
	t := newTally()
	var kept []*sdk.Record
	for _, name := range slices.Sorted(maps.Keys(j.inputs)) {
		if !strings.HasPrefix(name, "samples.") {
			continue
		}
		recs, err := j.readRecords(name)
		if err != nil {
			return nil, err
		}
		t.In += len(recs)
		judged, err := j.judge(ctx, recs)
		if err != nil {
			return nil, err
		}
		for i, r := range recs {
			if reason := admit(r, judged[i], strict); reason != "" {
				t.drop(reason, r)
				continue
			}
			if hit, bad := index.Check(seal.Sample{Key: r.Key, Prompt: r.Prompt, Text: recordText(r)}); bad {
				t.drop("benchmark:"+string(hit.Kind), r)
				continue
			}
			if jd := judged[i]; jd != nil && jd.Family != "" {
				count(t.Families, jd.Family)
			}
			kept = append(kept, r)
		}
	}
	return j.keep(t, kept)
}

// admit completes a sample with what the verifier knows of it, and says why it may not be trained on; "": it may.
func admit(r *sdk.Record, jd *pluginv1.Judgement, strict bool) string {
	if r.Meta["finish"] == "length" {
		return "unended"
	}
	if jd != nil && r.Prompt == "" && jd.Question != "" {
		r.Prompt, r.Text = jd.Question, jd.Answer
		r.Id = recordID(r)
	}
	if learned(r) == "" {
		return "empty" // nothing to learn from, and no trainer takes it
	}
	if jd == nil {
		return ""
	}
	if jd.Reason == quarantined {
		return quarantined
	}
	r.Key = jd.Key
	if !strict || passes(jd) {
		return ""
	}
	if jd.Reason != "" {
		return "verifier:" + jd.Reason
	}
	return "verifier"
}

// judge asks the domain's verifier about records; all nil where it has none. Chats are judged by their last answer.
func (j *job) judge(ctx context.Context, recs []*sdk.Record) ([]*pluginv1.Judgement, error) {
	v := j.a.Domain.Verifier
	if v == nil || len(recs) == 0 {
		return make([]*pluginv1.Judgement, len(recs)), nil
	}
	items := make([]*pluginv1.VerifyItem, len(recs))
	for i, r := range recs {
		items[i] = &pluginv1.VerifyItem{Id: strconv.Itoa(i), Prompt: r.Prompt, Text: recordText(r)}
	}
	return j.judgements(ctx, v, items)
}

// recordText is a record's text, or what a chat says in all.
func recordText(r *sdk.Record) string {
	if len(r.Messages) == 0 {
		return r.Text
	}
	var b strings.Builder
	for _, m := range r.Messages {
		b.WriteString(m.Content)
		b.WriteByte('\n')
	}
	return b.String()
}

// learned is what a student would learn to write: a record's text, or what counts of a chat.
func learned(r *sdk.Record) string {
	if len(r.Messages) == 0 {
		return r.Text
	}
	var b strings.Builder
	for _, m := range r.Messages {
		if m.Train {
			b.WriteString(m.Content)
		}
	}
	return b.String()
}

func (j *job) keep(t *tally, kept []*sdk.Record) (*result, error) {
	t.Kept = len(kept)
	if err := t.check(); err != nil {
		return nil, err
	}
	if err := writeRecords(j.work+"/"+recordsFile, kept); err != nil {
		return nil, err
	}
	return &result{detail: t, outputs: map[string]put{"records": {path: recordsFile, mediaType: sdk.RecordsMediaType}}}, nil
}

// filter has one filter judge the records, against the real ones as already seen.
func (j *job) filter(ctx context.Context) (*result, error) {
	recs, err := j.readRecords("records")
	if err != nil {
		return nil, err
	}
	refs, err := j.readRecords("real")
	if err != nil {
		return nil, err
	}
	stage := j.a.Stage
	st, err := j.r.stage(ctx, stage)
	if err != nil {
		return nil, err
	}
	call, err := j.call(stage.Type, stage.Body)
	if err != nil {
		return nil, err
	}
	t := newTally()
	t.In = len(recs)
	recs = slices.DeleteFunc(recs, func(r *sdk.Record) bool {
		out := j.poison.out[recordKey(r)]
		if out {
			t.drop(quarantined, r)
		}
		return out
	})
	stream, err := st.Filter().Filter(ctx)
	if err != nil {
		return nil, err
	}
	pace := j.poison.pace(string(stage.Addr))
	defer pace.stop()
	sent := make(chan error, 1)
	go func() { sent <- sendRecords(stream, call, refs, recs, pace) }()
	var kept []*sdk.Record
	n := 0
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			pace.stop()
			<-sent
			return nil, j.poison.crashed(string(stage.Addr), err, n, pace, func() [32]byte { return recordKey(recs[n]) })
		}
		if d := e.GetDiagnostic(); d != nil {
			if err := j.diagnostic(st, d); err != nil {
				return nil, err
			}
		}
		for _, v := range e.GetVerdicts().GetVerdicts() {
			if v.Keep { // the host has seen to it that it is about this record
				kept = append(kept, recs[n])
			} else {
				t.drop(cmp.Or(v.Reason, "no reason"), recs[n])
			}
			n++
		}
		pace.answered(n)
	}
	if err := <-sent; err != nil {
		return nil, err
	}
	if n != len(recs) {
		return nil, st.Breach("Filter", "record "+recs[n].Id, "it ends after %d of %d verdicts", n, len(recs))
	}
	return j.keep(t, kept)
}

func recordKey(r *sdk.Record) [32]byte { return itemKey(r.Prompt, recordText(r)) }

func sendRecords(stream pluginv1.Filter_FilterClient, call *pluginv1.Call, refs, recs []*sdk.Record, p *pace) error {
	if err := stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Call{Call: call}}); err != nil {
		return ignoreEOF(err)
	}
	for b := range batches(refs, nil) {
		if err := stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Reference{Reference: &pluginv1.RecordBatch{Records: b}}}); err != nil {
			return ignoreEOF(err)
		}
	}
	for b := range batches(recs, p) {
		if err := stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: &pluginv1.RecordBatch{Records: b}}}); err != nil {
			return ignoreEOF(err)
		}
	}
	return stream.CloseSend()
}

// batches deals records or items out to messages, at a pace: those of several have half of what a batch may at most, and one
// that is larger goes alone.
func batches[M proto.Message](items []M, p *pace) iter.Seq[[]M] {
	return func(yield func([]M) bool) {
		for i := 0; i < len(items); {
			n, size, most := 0, 0, p.next(i)
			for i+n < len(items) && n < most {
				if size += proto.Size(items[i+n]); n > 0 && size > contract.MaxBatch/2 {
					break
				}
				n++
			}
			if !yield(items[i : i+n]) {
				return
			}
			i += n
		}
	}
}

// shares turns counts by family into shares; nil where nothing was counted.
func (t *tally) shares() map[string]float64 {
	total := 0
	for _, n := range t.Families {
		total += n
	}
	if total == 0 {
		return nil
	}
	shares := make(map[string]float64, len(t.Families))
	for f, n := range t.Families {
		shares[f] = float64(n) / float64(total)
	}
	return shares
}

// has says whether a list holds a non-empty string.
func has(list []string, s string) bool {
	for _, l := range list {
		if l == s && s != "" {
			return true
		}
	}
	return false
}
