package quantities

import (
	"math/rand/v2"

	"jupiter/domains/dataset"
)

// Example is a line of real.jsonl.
type Example struct {
	Prompt string `json:"prompt"`
	Text   string `json:"text"`
}

// Item is a line of a held-out split.
type Item struct {
	Prompt      string    `json:"prompt"`
	Reference   string    `json:"reference"`
	Distractors [3]string `json:"distractors"`
	Key         string    `json:"key"`
}

// Seed is the seed of the data that is checked in.
const Seed = 1

// Sizes of the data sets. Each is a multiple of the number of families.
const (
	realSize       = 600
	validationSize = 200
	devSize        = 500
	gateSize       = 2000
)

// Dataset is the domain's data. No canonical key occurs twice in it.
type Dataset struct {
	Real                  []Example
	Validation, Dev, Gate []Item
}

// MakeDataset draws the data of the domain; equal seeds give equal data. The questions of a family are drawn until
// enough of them have different keys, shuffled, and only then dealt out, so that the splits have one distribution: the
// pairs with few questions do not end up in the split that was drawn first. Files go round the families in turn.
func MakeDataset(seed uint64) Dataset {
	r := rand.New(rand.NewPCG(seed, 0))
	var pools [families][]Problem
	for f := range families {
		pools[f] = distinct(f, (realSize+validationSize+devSize+gateSize)/int(families), r)
	}
	deal := func(n int) []Problem {
		out := make([]Problem, n)
		for i := range out {
			f := i % int(families)
			out[i], pools[f] = pools[f][0], pools[f][1:]
		}
		return out
	}
	var d Dataset
	for _, p := range deal(realSize) {
		d.Real = append(d.Real, Example{p.Prompt(), p.Solution()})
	}
	items := func(n int) []Item {
		var out []Item
		for _, p := range deal(n) {
			out = append(out, Item{p.Prompt(), p.Solution(), Distractors(p, r), p.Key()})
		}
		return out
	}
	d.Validation = items(validationSize)
	d.Dev = items(devSize)
	d.Gate = items(gateSize)
	return d
}

// distinct draws n questions of a family with n different keys, in random order.
func distinct(f Family, n int, r *rand.Rand) []Problem {
	seen := make(map[string]bool, n)
	var out []Problem
	for len(out) < n {
		p := Draw(f, r)
		if k := p.Key(); !seen[k] {
			seen[k] = true
			out = append(out, p)
		}
	}
	r.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Files gives the data as the JSON-lines files of the domain's directory.
func (d Dataset) Files() []dataset.File {
	return []dataset.File{
		dataset.JSONL("real.jsonl", d.Real),
		dataset.JSONL("validation.jsonl", d.Validation),
		dataset.JSONL("dev.jsonl", d.Dev),
		dataset.JSONL("gate.jsonl", d.Gate),
	}
}
