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
// heading and, up to size bytes together, those of its sentences that no item shares. The seal drops a sample whose prompt has
// any of the others, and the tokens would be lost. They stand in an order that hangs on their texts, the first of them alone where
// there are more than most.
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
		for _, p := range questions.Cut(d) {
			if s := subject(p, index, size); s != "" {
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

// subject is a passage without what the benchmark asks about. A passage without a heading has its document's name.
func subject(p questions.Passage, index *seal.Index, size int) string {
	heading := cmp.Or(p.Heading, strings.TrimSuffix(path.Base(p.Document), path.Ext(p.Document)))
	out := clip(heading, size)
	for _, s := range questions.Sentences(p.Text) {
		s = strings.TrimSpace(s)
		longer := out + "\n" + s
		if out != clip(heading, size) {
			longer = out + " " + s
		}
		if _, bad := index.Check(seal.Sample{Prompt: longer}); bad || len(longer) > size {
			continue
		}
		out = longer
	}
	if _, bad := index.Check(seal.Sample{Prompt: out}); bad {
		return ""
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
