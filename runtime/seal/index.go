package seal

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	gramWords    = 13  // words in a row that no sample may share with an item
	shortWords   = 8   // items with fewer words are compared as a whole only
	shingleWords = 5   // words of a shingle
	minShingles  = 10  // items with fewer shingles are not checked for near-duplicates
	nearShare    = 0.5 // of an item's shingles, within one sample
)

// Item is one item of the benchmark: a question with its answer, or a held-out document.
type Item struct {
	ID       string   // unique
	Key      string   // canonical key; empty: the domain's verifier gives none
	Question string   // empty for a document
	Answer   string   // reference answer, or the text of a document
	Evidence []string // sources that may be trained on although the item is about them
}

// Index is a sealed benchmark. It does not change, and may be used by several goroutines.
type Index struct {
	ids      []string
	evidence [][]string // of each item, sorted
	keys     []key      // sorted
	whole    []posting  // hashes of questions and of questions with answers
	grams    []posting
	shingles []posting
	spread   []uint32 // different shingles of each item
	lengths  []uint8  // word counts of grams, ascending: gramWords, and those of short items
}

// key is the first half of the SHA-256 of a canonical key.
type key [16]byte

// posting says that an item has a hash.
type posting struct {
	hash uint64
	item uint32
}

func keyOf(s string) key { h := sha256.Sum256([]byte(s)); return key(h[:16]) }

func hashOf(s string) uint64 { h := sha256.Sum256([]byte(s)); return binary.LittleEndian.Uint64(h[:8]) }

// Build seals a benchmark. The index does not depend on the order of items. It is an error when there are none, when
// an ID is empty or not unique, or when an item has neither key nor text.
func Build(items []Item) (*Index, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("seal: the benchmark has no items")
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	ix := &Index{}
	lengths := map[uint8]bool{gramWords: true}
	for i, it := range items {
		if it.ID == "" || i > 0 && items[i-1].ID == it.ID {
			return nil, fmt.Errorf("seal: item %q has no ID of its own", it.ID)
		}
		if it.Key == "" && plain(it.Question) == "" && plain(it.Answer) == "" {
			return nil, fmt.Errorf("seal: item %q has neither key nor text", it.ID)
		}
		ix.add(it, lengths)
	}
	for n := range lengths {
		ix.lengths = append(ix.lengths, n)
	}
	slices.Sort(ix.lengths)
	slices.SortFunc(ix.keys, func(a, b key) int { return slices.Compare(a[:], b[:]) })
	ix.keys = slices.Compact(ix.keys)
	for _, list := range []*[]posting{&ix.whole, &ix.grams, &ix.shingles} {
		slices.SortFunc(*list, func(a, b posting) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.item, b.item)) })
		*list = slices.Clip(slices.Compact(*list))
	}
	return ix, nil
}

func (ix *Index) add(it Item, lengths map[uint8]bool) {
	n := uint32(len(ix.ids))
	ix.ids = append(ix.ids, it.ID)
	evidence := slices.Clone(it.Evidence)
	slices.Sort(evidence)
	ix.evidence = append(ix.evidence, slices.Compact(evidence))
	if it.Key != "" {
		ix.keys = append(ix.keys, keyOf(it.Key))
	}
	full := it.Question + "\n" + it.Answer
	for _, text := range []string{it.Question, full, it.Question + it.Answer} {
		if p := plain(text); p != "" {
			ix.whole = append(ix.whole, posting{hashOf(p), n})
		}
	}
	ws := words(full)
	if len(ws) < gramWords && len(ws) >= shortWords {
		lengths[uint8(len(ws))] = true
		grams(ws, len(ws), func(h uint64) { ix.grams = append(ix.grams, posting{h, n}) })
	}
	// A question of 8 to 12 words is an item of its own: the sample may answer it in other words.
	if q := words(it.Question); len(q) < gramWords && len(q) >= shortWords {
		lengths[uint8(len(q))] = true
		grams(q, len(q), func(h uint64) { ix.grams = append(ix.grams, posting{h, n}) })
	}
	grams(ws, gramWords, func(h uint64) { ix.grams = append(ix.grams, posting{h, n}) })
	different := map[uint64]bool{}
	grams(ws, shingleWords, func(h uint64) { different[h] = true })
	ix.spread = append(ix.spread, uint32(len(different)))
	if len(different) >= minShingles {
		for h := range different {
			ix.shingles = append(ix.shingles, posting{h, n})
		}
	}
}

// Items returns how many items are sealed.
func (ix *Index) Items() int { return len(ix.ids) }

// Keyed says whether the items have canonical keys.
func (ix *Index) Keyed() bool { return len(ix.keys) > 0 }

// find returns the postings of a hash.
func find(list []posting, h uint64) []posting {
	i, _ := slices.BinarySearchFunc(list, h, func(p posting, h uint64) int { return cmp.Compare(p.hash, h) })
	j := i
	for j < len(list) && list[j].hash == h {
		j++
	}
	return list[i:j]
}
