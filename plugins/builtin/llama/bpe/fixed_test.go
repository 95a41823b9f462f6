package bpe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFixed(t *testing.T) {
	t.Parallel()
	tok, err := Fixed([]string{"ft", " ft", "in", " en", "12", "größe", "**"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, id := range tok.Encode("7ft en ft 12 größe** inn") {
		got = append(got, tok.Bytes(id))
	}
	want := []string{"7", "ft", " en", " ft", " ", "12", " ", "g", "r", "\xc3", "\xb6", "\xc3", "\x9f", "e", "**", " ", "i", "n", "n"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := MinVocab(Options{}) + 7; tok.Size() != n {
		t.Errorf("%d tokens, want %d", tok.Size(), n)
	}
	back, err := FromJSON(tok.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tok.Vocabulary(), back.Vocabulary()); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"7ft"}, `word 1, "7ft", is cut into 2 pieces`},
		{[]string{"ft", "in a"}, `word 2, "in a", is cut into 2 pieces`},
		{[]string{""}, "cut into 0 pieces"},
		{[]string{"1234"}, "cut into 2 pieces"},
		{[]string{"x"}, "is a single byte"},
		{[]string{"ft", "in", "ft"}, `word 3, "ft", is there twice`},
		{[]string{"\xff\xfe"}, "not valid UTF-8"},
	} {
		if _, err := Fixed(c.words); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.words, err, c.want)
		}
	}
}

func TestNamesIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		want Names
	}{
		{string(trained(270).JSON()), OwnNames()},
		{string(stored(t, "llama3.json")), Names{BOS: "<|begin_of_text|>", EOS: "<|end_of_text|>"}},
	} {
		if got, err := NamesIn([]byte(c.file)); err != nil || got != c.want {
			t.Errorf("%+v, %v; want %+v", got, err, c.want)
		}
	}
	for file, want := range map[string]string{
		`{}`:                    "no post-processor",
		`{"post_processor": 3}`: "cannot unmarshal",
		`{"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]}}`: "none of its special tokens is one that ends a text",
	} {
		if _, err := NamesIn([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", file, err, want)
		}
	}
}
