package runtime

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// TestAdmit: what the verifier says decides where it is asked to; what no trainer could learn from never enters.
func TestAdmit(t *testing.T) {
	t.Parallel()
	right := &pluginv1.Judgement{WellFormed: true, Consistent: true, StepsOk: true, AnswerOk: true, Question: "q:", Answer: "a", Key: "k"}
	wrong := &pluginv1.Judgement{WellFormed: true, Consistent: true, Question: "q:", Answer: "b", Key: "k", Reason: "wrong_answer"}
	cut := &pluginv1.Judgement{Question: "q:", Reason: "shape"}
	for _, tc := range []struct {
		name         string
		rec          *sdk.Record
		jd           *pluginv1.Judgement
		strict       bool
		want         string
		prompt, text string
	}{
		{"right", &sdk.Record{Text: "q:a"}, right, true, "", "q:", "a"},
		{"wrong", &sdk.Record{Text: "q:b"}, wrong, true, "verifier:wrong_answer", "q:", "b"},
		{"wrong, and nobody minds", &sdk.Record{Text: "q:b"}, wrong, false, "", "q:", "b"},
		{"no verifier", &sdk.Record{Text: "anything"}, nil, true, "", "", "anything"},
		{"unended", &sdk.Record{Text: "q:a", Meta: map[string]string{"finish": "length"}}, right, false, "unended", "", "q:a"},
		{"empty", &sdk.Record{}, nil, true, "empty", "", ""},
		{"empty, and nobody minds", &sdk.Record{}, &pluginv1.Judgement{Reason: "no_question"}, false, "empty", "", ""},
		{"a question without an answer", &sdk.Record{Text: "q:"}, cut, false, "empty", "q:", ""},
		{"a chat", &sdk.Record{Messages: []*sdk.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "ho", Train: true}}}, nil, true, "", "", ""},
		{"a chat without an answer", &sdk.Record{Messages: []*sdk.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Train: true}}}, nil, true, "empty", "", ""},
	} {
		got := admit(tc.rec, tc.jd, tc.strict)
		if got != tc.want || tc.rec.Prompt != tc.prompt || tc.rec.Text != tc.text {
			t.Errorf("%s: %q with prompt %q and text %q, want %q, %q, %q", tc.name, got, tc.rec.Prompt, tc.rec.Text, tc.want, tc.prompt, tc.text)
		}
	}
}

// TestBatches: all records, in order, in messages that no plugin has to refuse; one that is large goes alone.
func TestBatches(t *testing.T) {
	t.Parallel()
	var all []*sdk.Record
	for _, size := range []int{10, 3 << 20, 400 << 10, 900 << 10, 10, 10, 500 << 10, 500 << 10, 3 << 20} {
		all = append(all, &sdk.Record{Text: strings.Repeat("x", size), Meta: map[string]string{"url": strings.Repeat("u", 100)}})
	}
	for range 2 * mostItems {
		all = append(all, &sdk.Record{Text: "x"})
	}
	next := 0
	for b := range batches(all, nil) {
		if len(b) == 0 || len(b) > mostItems {
			t.Fatalf("a message of %d records", len(b))
		}
		for _, r := range b {
			if r != all[next] {
				t.Fatalf("record %d is another one", next)
			}
			next++
		}
		if n := proto.Size(&pluginv1.RecordBatch{Records: b}); len(b) > 1 && n > contract.MaxBatch {
			t.Errorf("a message of %d records has %d bytes", len(b), n)
		}
	}
	if next != len(all) {
		t.Errorf("%d records of %d", next, len(all))
	}
}
