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

// TestDraftPieces: whatever the tokens, pieces are whole characters, are the beginning of the text, and hold back no more than
// what may yet be a stop sequence or an unfinished character.
func TestDraftPieces(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		stop   []string
		tokens []string
		pieces []string
		text   string
	}{
		{nil, []string{"a", "bc", ""}, []string{"a", "bc", ""}, "abc"},
		{[]string{"xy"}, []string{"a", "x", "b"}, []string{"a", "", "xb"}, "axb"},
		{[]string{"xy"}, []string{"ax", "y", "b"}, []string{"a", ""}, "a"},
		{[]string{"xy"}, []string{"ax"}, []string{"a"}, "ax"},
		{[]string{"xyz", "yb"}, []string{"ax", "y", "b"}, []string{"a", "", "x"}, "ax"},
		{[]string{"aab"}, []string{"a", "a", "a", "b"}, []string{"", "", "a", ""}, "a"},
		{nil, []string{"\xe4", "\xbd", "\xa0!"}, []string{"", "", "\u4f60!"}, "\u4f60!"},
		{nil, []string{"\xe4", "\xff", "a", "\xc3"}, []string{"", "", "\uFFFDa", ""}, "\uFFFDa\uFFFD"},
		{[]string{""}, []string{"a"}, []string{"a"}, "a"},
	} {
		d := NewDraft(&Sampling{Stop: tc.stop})
		all := ""
		for i, token := range tc.tokens {
			more := d.Add(token)
			if i >= len(tc.pieces) {
				t.Errorf("%q until %q: it goes on", tc.tokens, tc.stop)
				break
			}
			piece := d.Piece()
			if piece != tc.pieces[i] {
				t.Errorf("%q until %q: piece %d is %q, want %q", tc.tokens, tc.stop, i, piece, tc.pieces[i])
			}
			if all += piece; !more {
				break
			}
		}
		if d.Text() != tc.text || !strings.HasPrefix(tc.text, all) || d.Piece() != "" {
			t.Errorf("%q until %q: the text is %q and its pieces %q, want %q", tc.tokens, tc.stop, d.Text(), all, tc.text)
		}
	}
	tokens := []string{"a", "b", "ab", "\xc3", "\xb1", "\u4f60", "\xe4", "\xff", ""}
	for seed := range 3000 {
		d, all := NewDraft(&Sampling{Stop: []string{"aba", "bb", "\u00f1a"}}), ""
		for x := seed; ; x = x*7 + 3 {
			more := d.Add(tokens[x%len(tokens)])
			if all += d.Piece(); !strings.HasPrefix(d.Text(), all) {
				t.Fatalf("seed %d: the pieces %q do not begin %q", seed, all, d.Text())
			}
			if !more || d.Tokens() == 20 {
				break
			}
			x %= 1 << 30
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
