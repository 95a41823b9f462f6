package sdk

import (
	"strings"
	"testing"
)

func TestDraft(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		s      *Sampling
		tokens []string
		text   string
		n      uint64
		finish string
	}{
		{"no sampling", nil, []string{"a", "b"}, "ab", 2, "stop"},
		{"nothing", &Sampling{MaxTokens: 1}, nil, "", 0, "stop"},
		{"cut", &Sampling{MaxTokens: 2}, []string{"a", "b", "c"}, "ab", 2, "length"},
		{"ends at the bound", &Sampling{MaxTokens: 2}, []string{"a", "b"}, "ab", 2, "stop"},
		{"stop across tokens", &Sampling{Stop: []string{"cde"}}, []string{"ab", "c", "d", "ef", "g"}, "ab", 4, "stop"},
		{"the first of two", &Sampling{Stop: []string{"cd", "b"}}, []string{"a", "bcd", "e"}, "a", 2, "stop"},
		{"the longer that begins first", &Sampling{Stop: []string{"c", "bc"}}, []string{"a", "b", "c"}, "a", 3, "stop"},
		{"stop in the last that may be", &Sampling{MaxTokens: 2, Stop: []string{"b"}}, []string{"a", "b", "c"}, "a", 2, "stop"},
		{"stop at the start", &Sampling{Stop: []string{"a"}}, []string{"a", "b"}, "", 1, "stop"},
		{"empty stop", &Sampling{Stop: []string{""}}, []string{"a", "", "b"}, "ab", 3, "stop"},
		{"half a stop", &Sampling{Stop: []string{"bc"}}, []string{"a", "b", "x", "c"}, "abxc", 4, "stop"},
		{"repeating stop", &Sampling{Stop: []string{"aab"}}, []string{"a", "a", "a", "b"}, "a", 4, "stop"},
		{"bytes", &Sampling{Stop: []string{"ñ"}}, []string{"a", "\xc3", "\xb1", "b"}, "a", 3, "stop"},
		{"cut in a character", &Sampling{MaxTokens: 2}, []string{"a", "\xc3", "\xb1"}, "a\uFFFD", 2, "length"},
	} {
		d := NewDraft(tc.s)
		for _, token := range tc.tokens {
			if !d.Add(token) {
				break
			}
		}
		if d.Text() != tc.text || d.Tokens() != tc.n || d.FinishReason() != tc.finish {
			t.Errorf("%s: %q, %d, %s; want %q, %d, %s", tc.name, d.Text(), d.Tokens(), d.FinishReason(), tc.text, tc.n, tc.finish)
		}
		if c := d.Completion(); c.Text != tc.text || c.FinishReason != tc.finish || c.CompletionTokens != tc.n {
			t.Errorf("%s: %v", tc.name, c)
		}
		r := d.Record(&Prompt{Text: "p", Bucket: "b"})
		if r.Text != tc.text || r.Prompt != "p" || r.Bucket != "b" || (r.Meta["finish"] == "length") != (tc.finish == "length") {
			t.Errorf("%s: %v", tc.name, r)
		}
		if d.over && d.Add("x") {
			t.Errorf("%s: it goes on when it is over", tc.name)
		}
	}
}

// TestDraftFindsWhatTheWholeTextHas compares with looking at the whole text after each token.
func TestDraftFindsWhatTheWholeTextHas(t *testing.T) {
	t.Parallel()
	stops := []string{"aba", "bb", "caa"}
	tokens := []string{"a", "b", "c", "ab", "ca", ""}
	for seed := range 3000 {
		d, all := NewDraft(&Sampling{Stop: stops}), ""
		for n := seed; n > 0; n /= len(tokens) {
			all += tokens[n%len(tokens)]
			if !d.Add(tokens[n%len(tokens)]) {
				break
			}
		}
		want := all
		for _, s := range stops {
			if i := strings.Index(all, s); i >= 0 && i < len(want) {
				want = all[:i]
			}
		}
		if d.Text() != want {
			t.Fatalf("%d: %q of %q, want %q", seed, d.Text(), all, want)
		}
	}
}
