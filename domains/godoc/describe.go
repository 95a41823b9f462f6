package godoc

import (
	"fmt"
	"slices"
	"strings"
)

// Describe says how many records and items there are, from how many packages, and how often the shortest option of a choice is the
// right one: what a model scores that knows nothing but that long texts are unlikely.
func (d Dataset) Describe() string {
	var b strings.Builder
	families := map[string]bool{}
	for _, r := range d.Real {
		families[r.Meta["package"]] = true
	}
	fmt.Fprintf(&b, "%s: %d real records of %d packages\n", d.Goroot.Version, len(d.Real), len(families))
	for _, s := range []struct {
		name  string
		items []Item
	}{{Validation, d.Validation}, {Dev, d.Dev}, {Gate, d.Gate}} {
		for _, benchmark := range []string{Declaration, Signature, Cloze} {
			items := slices.DeleteFunc(slices.Clone(s.items), func(it Item) bool { return it.Benchmark != benchmark })
			if len(items) == 0 {
				continue
			}
			clusters := map[string]bool{}
			short, choices := 0, 0
			for _, it := range items {
				clusters[it.Cluster] = true
				if len(it.Distractors) == 0 {
					continue
				}
				choices++
				if !slices.ContainsFunc(it.Distractors, func(o string) bool { return len(o) <= len(it.Reference) }) {
					short++
				}
			}
			fmt.Fprintf(&b, "%s, %s: %d items of %d packages", s.name, benchmark, len(items), len(clusters))
			if choices > 0 {
				fmt.Fprintf(&b, "; the shortest option is right in %.1f %%", 100*float64(short)/float64(choices))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
