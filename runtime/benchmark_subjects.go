package runtime

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"jupiter/plan/config"
	"jupiter/runtime/questions"
	"jupiter/runtime/seal"
)

// Subjects are what a generator can be asked about without giving the benchmark away: of each passage that may be trained on its
// heading, or in a conversation what the user wrote, and, up to size bytes together, those of its sentences that no item shares.
// The seal drops a sample whose prompt has any of the others, and the tokens would be lost. They stand in an order that hangs on
// their texts, the first of them alone where there are more than most.
func Subjects(b *config.Build, most, size int) ([]string, error) {
	docs, _, err := readDocuments(b.Documents, b.Written)
	if err != nil {
		return nil, err
	}
	index, err := sealItems(b.Directory)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(docs))
	for i, d := range docs {
		names[i] = d.Name
	}
	held := questions.HeldOut(names, b.HeldOut, b.Seed)
	var all []string
	for _, d := range docs {
		if held[d.Name] {
			continue
		}
		title := strings.TrimSuffix(path.Base(d.Name), path.Ext(d.Name))
		if d.Turns != nil { // whose name says nothing
			title = ""
		}
		for _, p := range questions.Cut(d) {
			if s := subject(p, title, index, size); s != "" {
				all = append(all, s)
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	slices.SortFunc(all, func(x, y string) int {
		a, b := sha256.Sum256([]byte(x)), sha256.Sum256([]byte(y))
		return cmp.Or(slices.Compare(a[:], b[:]), cmp.Compare(x, y))
	})
	return all[:min(len(all), most)], nil
}

// sealItems seals the items that a benchmark's candidates have in its splits, with no document exempt.
func sealItems(dir string) (*seal.Index, error) {
	all, err := ReadCandidates(dir)
	if err != nil {
		return nil, err
	}
	var items []seal.Item
	for _, c := range all {
		if c.Split != "" {
			items = append(items, seal.Item{ID: c.ID, Question: c.Question, Answer: c.Answer})
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("no item of %s is in a split: run jupiter benchmark build first", dir)
	}
	return seal.Build(items)
}

// subject is a passage without what the benchmark asks about, below its heading. title stands for one that it has not.
func subject(p questions.Passage, title string, index *seal.Index, size int) string {
	asked := func(text string) bool {
		_, bad := index.Check(seal.Sample{Prompt: text})
		return bad
	}
	heading := clip(cmp.Or(p.Heading, title), size)
	if asked(heading) { // as what a user wrote may be
		heading = ""
	}
	out := heading
	for _, s := range questions.Sentences(p.Text) {
		longer := strings.TrimSpace(s)
		switch {
		case out == "":
		case out == heading:
			longer = out + "\n" + longer
		default:
			longer = out + " " + longer
		}
		if len(longer) <= size && !asked(longer) {
			out = longer
		}
	}
	return out
}

// clip cuts a text at a whole character.
func clip(s string, size int) string {
	for len(s) > size {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
