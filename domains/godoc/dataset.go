package godoc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"jupiter/domains/dataset"
)

// Record is a line of real.jsonl.
type Record struct {
	Prompt string            `json:"prompt"`
	Text   string            `json:"text"`
	Meta   map[string]string `json:"meta"`
}

// Goroot is goroot.json: which Go the data were made of. The domain's verifier checks types against the same one.
type Goroot struct {
	Goroot  string `json:"goroot"`
	Version string `json:"version"`
}

// Sizes of the held-out splits; the gate has all that there is.
const (
	validationSize = 200
	devSize        = 600
)

// Dataset is the domain's data. No package is in two of its splits.
type Dataset struct {
	Goroot                Goroot
	Real                  []Record
	Validation, Dev, Gate []Item
}

// MakeDataset makes the data from a GOROOT; the same files give the same data.
func MakeDataset(goroot string) (Dataset, error) {
	version, err := Version(goroot)
	if err != nil {
		return Dataset{}, err
	}
	paths, err := packages(goroot)
	if err != nil {
		return Dataset{}, err
	}
	d := Dataset{Goroot: Goroot{goroot, version}}
	once := map[string]bool{} // doc comments and declarations: copies between packages count once
	for _, path := range paths {
		all, err := examplesOf(goroot, path)
		if err != nil {
			return Dataset{}, fmt.Errorf("package %s: %w", path, err)
		}
		all = slices.DeleteFunc(all, func(e Example) bool {
			text := docOf(e) + e.Text
			twice := once[text]
			once[text] = true
			return twice
		})
		d.add(path, all)
	}
	d.Validation, d.Dev, d.Gate = pick(d.Validation, validationSize), pick(d.Dev, devSize), pick(d.Gate, len(d.Gate))
	return d, nil
}

// add puts a package's examples where they belong.
func (d *Dataset) add(path string, all []Example) {
	split := splitOf(path)
	var into *[]Item
	switch split {
	case Real:
		for _, e := range all {
			d.Real = append(d.Real, Record{e.Prompt, e.Text, map[string]string{"package": path}})
		}
		return
	case Validation:
		for _, e := range all {
			if e.types != "" {
				d.Validation = append(d.Validation, declarationItem(e))
			}
		}
		return
	case Dev:
		into = &d.Dev
	case Gate:
		into = &d.Gate
	}
	for _, e := range all {
		if e.types != "" {
			if it, ok := signatureItem(e, all); ok {
				*into = append(*into, it)
			}
		}
		if it, ok := clozeItem(e, all); ok {
			*into = append(*into, it)
		}
	}
}

// pick takes at most n items, by a hash of their keys. Of questions that are asked twice, because two declarations have one comment,
// none is taken: nobody could know which is meant.
func pick(items []Item, n int) []Item {
	asked := map[string]int{}
	question := func(it Item) string { return strings.Join(strings.Fields(strings.ToLower(it.Prompt)), " ") }
	for _, it := range items {
		asked[question(it)]++
		asked[it.Key]++
	}
	items = slices.DeleteFunc(items, func(it Item) bool { return asked[question(it)] > 1 || asked[it.Key] > 1 })
	slices.SortFunc(items, func(a, b Item) int { return cmp.Or(cmp.Compare(draw(a.Key), draw(b.Key)), cmp.Compare(a.Key, b.Key)) })
	return items[:min(n, len(items))]
}

// Files gives the data as the files of the domain's directory.
func (d Dataset) Files() []dataset.File {
	return []dataset.File{
		dataset.JSONL("goroot.json", []Goroot{d.Goroot}),
		dataset.JSONL("real.jsonl", d.Real),
		dataset.JSONL("validation.jsonl", d.Validation),
		dataset.JSONL("dev.jsonl", d.Dev),
		dataset.JSONL("gate.jsonl", d.Gate),
	}
}
