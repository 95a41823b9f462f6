package bpe

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fixed makes a tokenizer of a given list of words, without training: the special tokens that Train gives, the 256 bytes, then the
// words in their order. There are no merges: a piece of the split pattern that is one of the words is that token, and any other
// is its bytes. Each word must be such a piece as a whole; "in" and " in" are two words.
func Fixed(words []string) (*Tokenizer, error) {
	t := base(Options{}.specials())
	for i, w := range words {
		switch n := pieces(w); {
		case !utf8.ValidString(w):
			return nil, fmt.Errorf("word %d, %q, is not valid UTF-8", i+1, clip(w))
		case n != 1:
			return nil, fmt.Errorf("word %d, %q, is cut into %d pieces before tokens are looked up, so that it would never be met: a word is letters with one character before them, up to three digits, or signs", i+1, clip(w), n)
		case t.ids[w] != 0 && len(w) == 1:
			return nil, fmt.Errorf("word %d, %q, is a single byte, and all of those are tokens already", i+1, w)
		case t.ids[w] != 0:
			return nil, fmt.Errorf("word %d, %q, is there twice", i+1, clip(w))
		}
		t.add(w)
	}
	if t.Size() > MaxVocab {
		return nil, fmt.Errorf("%d tokens: more than %d", t.Size(), MaxVocab)
	}
	return t, nil
}

func pieces(s string) (n int) {
	for range Pieces(s) {
		n++
	}
	return n
}

// ends are the names that programs give the token at the end of a text.
var ends = []string{EndText, "<|end_of_text|>", "</s>", "<eos>"}

// NamesIn finds the names of the special tokens in a tokenizer.json by itself, which does not say them: the first is what it puts
// before a text, the others go by the names that are usual.
func NamesIn(data []byte) (Names, error) {
	var f struct {
		Added []struct {
			Content string `json:"content"`
		} `json:"added_tokens"`
		Post struct {
			template
			Processors []template `json:"processors"`
		} `json:"post_processor"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return Names{}, fmt.Errorf("tokenizer.json: %w", err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(f.Added, func(a struct {
			Content string `json:"content"`
		}) bool {
			return a.Content == name
		})
	}
	var n Names
	for _, t := range append(f.Post.Processors, f.Post.template) {
		if n.BOS == "" && len(t.Single) > 0 && t.Single[0].Special != nil {
			n.BOS = t.Single[0].Special.ID
		}
	}
	if i := slices.IndexFunc(ends, has); i >= 0 {
		n.EOS = ends[i]
	}
	if has(Padding) {
		n.Pad = Padding
	}
	switch {
	case n.BOS == "":
		return n, fmt.Errorf("tokenizer.json: there is no post-processor that puts a special token before a text: what stands for its beginning is not known")
	case n.EOS == "":
		return n, fmt.Errorf("tokenizer.json: none of its special tokens is one that ends a text: %s", strings.Join(ends, ", "))
	}
	return n, nil
}
