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
