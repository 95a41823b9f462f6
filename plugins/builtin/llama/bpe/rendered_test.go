package bpe

import (
	"slices"
	"testing"
)

// TestRendered: what a template spells as special tokens are these tokens, and the text between them is cut by itself.
func TestRendered(t *testing.T) {
	t.Parallel()
	tok := smollm(t)
	var want []int32
	for _, part := range []any{tok.start, "user\nSay <|im_ nothing", tok.end, "\n", tok.start, "assistant\n"} {
		switch p := part.(type) {
		case int32:
			want = append(want, p)
		case string:
			want = append(want, tok.Encode(p)...)
		}
	}
	const text = "<|im_start|>user\nSay <|im_ nothing<|im_end|>\n<|im_start|>assistant\n"
	if got := tok.Rendered(text); !slices.Equal(got, want) {
		t.Errorf("%q gives\n%v, want\n%v", text, got, want)
	}
	if got := tok.Encode(text); slices.Contains(got, tok.start) {
		t.Error("Encode gives a special token")
	}
	if !tok.noBOS {
		t.Fatal("a text begins with BOS in SmolLM's form")
	}
	if got := tok.Rendered(""); !slices.Equal(got, []int32{tok.bos}) {
		t.Errorf("nothing gives %v", got)
	}
}

// TestRenderedBOS: BOS is said once, whether the template says it or not.
func TestRenderedBOS(t *testing.T) {
	t.Parallel()
	tok := trained(300)
	want := append([]int32{tok.bos}, tok.Encode("to be")...)
	for _, text := range []string{"to be", BeginText + "to be"} {
		if got := tok.Rendered(text); !slices.Equal(got, want) {
			t.Errorf("%q gives %v, want %v", text, got, want)
		}
	}
}
