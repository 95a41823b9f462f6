package lang

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestSkimIsNoLess: whatever the source, well formed or not, skim finds no less depth than the tokens have.
func TestSkimIsNoLess(t *testing.T) {
	t.Parallel()
	words := []string{"a", "b-c", "1.5", " ", " = ", "\n", "\r\n", ",", ".", "(", ")", "[", "]", "{", "}", "{\n", "}\n", "\"", "\"",
		"${", "%{", "$${", "%%{", "$", "%", "~", "\\", "\\\"", "#", "//", "/", "*", "!", "==", "&&", "?", ":", "'", "é", "\xff", "<", ">=", "-", "\"x\"", "\"${y}\""}
	random := rand.New(rand.NewPCG(1, 2))
	const huge = 1 << 30
	for range 5000 {
		var b strings.Builder
		for range 1 + random.IntN(40) {
			b.WriteString(words[random.IntN(len(words))])
		}
		checkSkim(t, b.String(), huge)
		if t.Failed() {
			return
		}
	}
}

func checkSkim(t *testing.T, src string, limit int) {
	got, ok := skim([]byte(src))
	if !ok {
		return
	}
	want, err := measure([]byte(src), false, limit, limit)
	if err != nil {
		t.Fatal(err)
	}
	if got.brackets < want.brackets || got.ops < want.ops {
		t.Errorf("skim finds %+v, and there is %+v in\n%s", got, want, src)
	}
}

// FuzzSkim is the same for the fuzzer.
func FuzzSkim(f *testing.F) {
	f.Add("a \"b\" {\n  c = \"${d(\"e\", [1, 2])}\" # f\n}\n")
	f.Fuzz(func(t *testing.T, src string) { checkSkim(t, src, 1<<30) })
}

// TestSkimTellsDepth: it is no more than a few operators off where somebody wrote the source, and gives up where it must.
func TestSkimTellsDepth(t *testing.T) {
	t.Parallel()
	block := "filter \"quality\" \"a\" {\n  min = 1 + 2\n  max = \"${var.x * 2} of ${length([1, 2])}\" # (((\n}\n"
	got, ok := skim([]byte(strings.Repeat(block, 1000)))
	if want := (depth{brackets: 6, ops: 12}); !ok || got.brackets > want.brackets || got.ops > want.ops {
		t.Errorf("skim finds %+v (%v), want at most %+v", got, ok, want)
	}
	if got, ok := skim([]byte("a = " + strings.Repeat("(", 300))); !ok || got.brackets <= maxBrackets {
		t.Errorf("skim finds %+v (%v) in 300 brackets", got, ok)
	}
	for _, src := range []string{"a = <<E\n(\nE\n", "a = 1 /* ( */", "a = \"%{if x~}y%{endif}\""} {
		if _, ok := skim([]byte(src)); ok {
			t.Errorf("skim takes %q", src)
		}
	}
}
