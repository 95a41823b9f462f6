package questions

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, data, want, fails string }{
		{"plain", "a\nb", "a\nb", ""},
		{"mark and line ends", "\ufeffa\r\nb\rc", "a\nb\nc", ""},
		{"escape", "a\x1b[31mb", "a [31mb", ""},
		{"Latin-1", "ca\xf1a", "", "not UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "", "UTF-16"},
		{"NUL", "a\x00b", "", "NUL"},
		{"HTML", "\n<!DOCTYPE html><p>x", "", "HTML"},
		{"huge", strings.Repeat("a", MaxDocument+1), "", "16 MiB"},
	} {
		got, err := Clean([]byte(c.data))
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"One thing. Another one! A third?":            {"One thing.", "Another one!", "A third?"},
		"Since Go 1.21 it is so. See e.g. the notes.": {"Since Go 1.21 it is so.", "See e.g. the notes."},
		"He said “no.” Then J. Smith left. ":          {"He said “no.”", "Then J. Smith left."},
		"Wait... and see. (It is late.) Go.":          {"Wait... and see.", "(It is late.)", "Go."},
		"東京は首都です。人口は多い。":                              {"東京は首都です。", "人口は多い。"},
		"no end": {"no end"},
		"":       nil,
	} {
		if d := cmp.Diff(want, Sentences(text)); d != "" {
			t.Errorf("%q:\n%s", text, d)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("This sentence has exactly fifty characters in it. ", 30)
	text := "Intro text that is long enough to be a passage of its own, with some words.\n\n" +
		"## The **canal** {#canal}\n\n- It has [49 locks](http://example.com), and `barges` went on it\n  for a hundred years.\n- It was begun in 1753, under the eyes of Antonio de Ulloa.\n\n" +
		"```go\nfunc f() {}\n```\n\n| a | b |\n\n<div>\n\nLong\n====\n\n" + long + "\n\n### Short\n\nToo short.\n"
	got := Cut(Document{Name: "d.md", Text: text})
	if len(got) != 4 {
		t.Fatalf("%d passages: %+v", len(got), got)
	}
	if got[0].Heading != "" || !strings.HasPrefix(got[0].Text, "Intro") {
		t.Errorf("%+v", got[0])
	}
	if want := "It has 49 locks, and barges went on it for a hundred years.\nIt was begun in 1753, under the eyes of Antonio de Ulloa."; got[1].Heading != "The canal" || got[1].Text != want {
		t.Errorf("%+v", got[1])
	}
	for _, p := range got[2:] {
		if p.Heading != "Long" || runes(p.Text) > maxPassage || !strings.HasSuffix(p.Text, "in it.") {
			t.Errorf("%+v", p)
		}
	}
}

// What is indented below a declaration is a paragraph of its own; what is indented below an item goes on with it.
func TestCutIndented(t *testing.T) {
	t.Parallel()
	got := Cut(Document{Name: "d.txt", Text: "func Cut(s, sep string) (before, after string, found bool)\n    Cut slices s around the first instance of sep,\n    returning the text before and after it.\n\n* an item that is\n  two lines long\n"})
	want := "func Cut(s, sep string) (before, after string, found bool)\nCut slices s around the first instance of sep, returning the text before and after it.\nan item that is two lines long"
	if len(got) != 1 || got[0].Text != want {
		t.Errorf("%+v", got)
	}
}

// Documents that somebody made to be slow are cut in seconds, and their passages are bounded.
func TestCutHostile(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	for name, text := range map[string]string{
		"one line":    strings.Repeat("a", 1<<20),
		"points":      strings.Repeat(".", 1<<20) + "a",
		"brackets":    strings.Repeat("[", 1<<20),
		"hashes":      strings.Repeat("# a\n", 1<<16),
		"ends":        strings.Repeat("A. ", 1<<18),
		"signs":       strings.Repeat("a-", 1<<19) + ".",
		"one fence":   "```\n" + strings.Repeat("x\n", 1<<19),
		"wide spaces": strings.Repeat("x \t ", 1<<18),
	} {
		for _, p := range Cut(Document{Name: "x", Text: text}) {
			if n := runes(p.Text); n > maxPassage || n < minPassage {
				t.Fatalf("%s: a passage of %d characters", name, n)
			}
		}
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("took %s", took)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Hello, мир of words": "Latin", "Привет, Go": "Cyrillic", "東京は": "Han", "12 + 3": "", "": "", "שלום": "Hebrew"} {
		if got := Script(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	var got []string
	for _, x := range terms("The GODEBUG setting net/http.http2server=0, since Go 1.21, isn't well-known (yet).") {
		got = append(got, x.text+" "+string(x.shape))
	}
	want := []string{"The name", "GODEBUG identifier", "setting word", "net/http.http2server identifier", "0 number", "since word", "Go name", "1.21 number", "isn't word", "well-known word", "yet word"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
