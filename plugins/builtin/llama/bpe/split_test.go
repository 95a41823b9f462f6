package bpe

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
)

// reference cuts text with an engine that runs Pattern as it is written.
func reference(t *testing.T, re *regexp2.Regexp, text string) (out []string) {
	t.Helper()
	for m, err := re.FindStringMatch(text); m != nil; m, err = re.FindNextMatch(m) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m.String())
	}
	return out
}

func TestPiecesAreThePatterns(t *testing.T) {
	t.Parallel()
	re := regexp2.MustCompile(Pattern, regexp2.Unicode)
	texts := slices.Clone(corpus)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		texts = append(texts, randomText(r, 1+r.IntN(12)))
	}
	for _, text := range texts {
		if strings.Contains(text, "'ſ") { // regexp2 does not fold the long s; Hugging Face's engine does (ids.json)
			continue
		}
		if d := cmp.Diff(reference(t, re, text), slices.Collect(Pieces(text))); d != "" {
			t.Fatalf("%q (-pattern +by hand):\n%s", text, d)
		}
	}
}

func TestPieces(t *testing.T) {
	t.Parallel()
	got := slices.Collect(Pieces("7ft5in en in:7*12 12345 it's\n\n  c \xffab\xfe"))
	want := []string{"7", "ft", "5", "in", " en", " in", ":", "7", "*", "12", " ", "123", "45", " it", "'s", "\n\n", " ", " c", " \xff", "ab", "\xfe"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// SmolLM's pieces are those of its two steps: the numbers, then the pattern on each stretch between them.
func TestSmolLMPiecesAreThePatterns(t *testing.T) {
	t.Parallel()
	numbers, re := regexp2.MustCompile(`\p{N}|[^\p{N}]+`, regexp2.Unicode), regexp2.MustCompile(gpt2Pattern, regexp2.Unicode)
	texts := slices.Clone(corpus)
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		texts = append(texts, randomText(r, 1+r.IntN(12)))
	}
	for _, text := range texts {
		var want []string
		for _, stretch := range reference(t, numbers, text) {
			want = append(want, reference(t, re, stretch)...)
		}
		if d := cmp.Diff(want, slices.Collect(SmolLM.Pieces(text))); d != "" {
			t.Fatalf("%q (-pattern +by hand):\n%s", text, d)
		}
	}
	got := slices.Collect(SmolLM.Pieces("it's IT'S 123  4\n\n x\n\ty"))
	want := []string{"it", "'s", " IT", "'", "S", " ", "1", "2", "3", "  ", "4", "\n\n", " x", "\n", "\t", "y"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
