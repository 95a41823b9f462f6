package seal

import (
	"fmt"
	"slices"
	"strings"
)

// minLineWords is how many words a line of a sample must have to be compared with whole questions: a heading may well
// be a question of two words.
const minLineWords = 3

// Sample is anything that would be trained on or prompted with: a record, a template, a few-shot example.
type Sample struct {
	Key    string   // canonical key; empty: none
	Source []string // the document it came from, by each name that Item.Evidence may give it
	Prompt string
	Text   string
}

// Kind is how a sample hit the seal.
type Kind string

// The kinds of hit.
const (
	Key           Kind = "key"            // the canonical key of an item
	Exact         Kind = "exact"          // the sample or a line of it is a question, or an item with its answer
	Ngram         Kind = "ngram"          // 13 words in a row of an item, or all words of a short one
	NearDuplicate Kind = "near_duplicate" // most shingles of an item
)

// Hit says which rule a sample broke, and on which item. It names no word of the item: whoever reads it has not opened
// the benchmark.
type Hit struct {
	Kind  Kind    `json:"kind"`
	Item  string  `json:"item,omitempty"`  // empty for Key: several items may share it
	Share float64 `json:"share,omitempty"` // of the item's shingles, for NearDuplicate
}

// String returns the hit as a reason for people.
func (h Hit) String() string {
	switch h.Kind {
	case Key:
		return "same canonical key as a benchmark item"
	case Exact:
		return fmt.Sprintf("states benchmark item %s", h.Item)
	case Ngram:
		return fmt.Sprintf("shares a run of words with benchmark item %s", h.Item)
	default:
		return fmt.Sprintf("holds %.0f %% of benchmark item %s", 100*h.Share, h.Item)
	}
}

// Check says whether a sample must be kept out, and why.
func (ix *Index) Check(s Sample) (Hit, bool) {
	if s.Key != "" && ix.Keyed() {
		k := keyOf(s.Key)
		_, hit := slices.BinarySearchFunc(ix.keys, k, func(a, b key) int { return slices.Compare(a[:], b[:]) })
		return Hit{Kind: Key}, hit
	}
	if h, hit := ix.exact(s); hit {
		return h, true
	}
	ws := words(s.Prompt + "\n" + s.Text)
	if h, hit := ix.ngram(ws, s.Source); hit {
		return h, true
	}
	return ix.near(ws, s.Source)
}

// exempt says whether a source is evidence of an item.
func (ix *Index) exempt(item uint32, source []string) bool {
	return slices.ContainsFunc(source, func(name string) bool {
		_, ok := slices.BinarySearch(ix.evidence[item], name)
		return ok
	})
}

func (ix *Index) exact(s Sample) (Hit, bool) {
	look := func(text string) (Hit, bool) {
		p := plain(text)
		if p == "" {
			return Hit{}, false
		}
		for _, at := range find(ix.whole, hashOf(p)) {
			if !ix.exempt(at.item, s.Source) {
				return Hit{Kind: Exact, Item: ix.ids[at.item]}, true
			}
		}
		return Hit{}, false
	}
	for _, text := range []string{s.Prompt, s.Text, s.Prompt + "\n" + s.Text, s.Prompt + s.Text} {
		if h, hit := look(text); hit {
			return h, true
		}
	}
	for text := range strings.Lines(s.Prompt + "\n" + s.Text) {
		if len(words(text)) < minLineWords {
			continue
		}
		if h, hit := look(text); hit {
			return h, true
		}
	}
	return Hit{}, false
}

func (ix *Index) ngram(ws []word, source []string) (hit Hit, found bool) {
	for _, n := range ix.lengths {
		grams(ws, int(n), func(h uint64) {
			if found {
				return
			}
			for _, at := range find(ix.grams, h) {
				if !ix.exempt(at.item, source) {
					hit, found = Hit{Kind: Ngram, Item: ix.ids[at.item]}, true
					return
				}
			}
		})
		if found {
			break
		}
	}
	return hit, found
}

// near counts the item's shingles within the sample. It answers the item with the largest share, and the first by ID
// among equals.
func (ix *Index) near(ws []word, source []string) (Hit, bool) {
	counts := map[uint32]uint32{}
	seen := map[uint64]bool{}
	grams(ws, shingleWords, func(h uint64) {
		at := find(ix.shingles, h)
		if len(at) == 0 || seen[h] {
			return
		}
		seen[h] = true
		for _, p := range at {
			counts[p.item]++
		}
	})
	best := Hit{Kind: NearDuplicate}
	for item, n := range counts {
		share := float64(n) / float64(ix.spread[item])
		if share < nearShare || ix.exempt(item, source) {
			continue
		}
		if id := ix.ids[item]; share > best.Share || share == best.Share && id < best.Item {
			best.Share, best.Item = share, id
		}
	}
	return best, best.Share > 0
}
