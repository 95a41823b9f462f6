package gate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
)

// Components are one contestant's scores on one item. A nil component is unavailable. Accuracy and Coherence lie in
// [0, 1]. Domain is chance-corrected four-way multiple choice, (x−¼)/¾, and lies in [−⅓, 1].
type Components struct {
	Accuracy  *float64 `json:"accuracy"`
	Coherence *float64 `json:"coherence"`
	Domain    *float64 `json:"domain"`
}

// Weights are the parts of the composite score. They sum to 1.
type Weights struct {
	Accuracy  float64 `json:"accuracy"`
	Coherence float64 `json:"coherence"`
	Domain    float64 `json:"domain"`
}

// Item is one question with the scores of both contestants, who answered it in the same run.
type Item struct {
	ID         string     `json:"id"`
	Cluster    string     `json:"cluster,omitempty"` // items that share a template or passage; empty: on its own
	Challenger Components `json:"challenger"`
	Incumbent  Components `json:"incumbent"`
}

// Scores are means over the items of a split. Nil: unavailable.
type Scores struct {
	Accuracy  *float64 `json:"accuracy"`
	Coherence *float64 `json:"coherence"`
	Domain    *float64 `json:"domain"`
	Score     *float64 `json:"score"`
}

// The least value of the domain component: four choices, one right, chance-corrected.
const domainFloor = -1.0 / 3

// Compose returns the composite score of one item: the weighted mean of the components that are available. It is NaN
// where none is, where a component is not a number, or where one lies outside its range. Whoever compares two
// contestants must first see to it that both have the same components; Decide does.
func Compose(c Components, w Weights) float64 {
	var sum, weight float64
	for i, v := range c.list() {
		if v == nil {
			continue
		}
		if !(*v >= floor(i)) || *v > 1 {
			return math.NaN()
		}
		sum += w.list()[i] * *v
		weight += w.list()[i]
	}
	if !(weight > 0) {
		return math.NaN()
	}
	return sum / weight
}

// lowest returns the composite of the least scores that an item with these components can have.
func lowest(c Components, w Weights) float64 {
	for i, v := range c.list() {
		if v != nil {
			*[]**float64{&c.Accuracy, &c.Coherence, &c.Domain}[i] = new(floor(i))
		}
	}
	return Compose(c, w)
}

// component names, in the order of list.
func componentNames() [3]string { return [3]string{"accuracy", "coherence", "domain"} }

func (c Components) list() [3]*float64 { return [3]*float64{c.Accuracy, c.Coherence, c.Domain} }
func (w Weights) list() [3]float64     { return [3]float64{w.Accuracy, w.Coherence, w.Domain} }

func floor(component int) float64 {
	if component == 2 {
		return domainFloor
	}
	return 0
}

func (w Weights) check() error {
	sum := 0.0
	for i, v := range w.list() {
		if !(v >= 0) || v > 1 {
			return fmt.Errorf("weight of %s is %v", componentNames()[i], v)
		}
		sum += v
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("weights sum to %v, and must sum to 1", sum)
	}
	return nil
}

// sheet is a split made ready for the test: paired scores, per item and per component.
type sheet struct {
	items      []Item
	challenger []float64 // composite, per item
	incumbent  []float64
	parts      [3]part
	lowest     float64  // the least composite that any item allows, by which components it has
	notes      []Reason // what is unavailable
}

// part is one component on the items where both contestants have it.
type part struct {
	index                 []int // into sheet.items
	challenger, incumbent []float64
}

// read checks the items of a split and pairs their scores. A component that neither contestant has on an item is left
// out on that item for both, and counted in notes; one that a single contestant lacks is missing evidence, as is any
// value that is not a number or out of range. The fault that is returned says so.
func read(items []Item, w Weights) (sheet, *Reason) {
	s := sheet{items: ordered(items)}
	if len(items) == 0 {
		return s, &Reason{CodeMissing, "there are no scored items"}
	}
	seen := make(map[string]bool, len(items))
	for i, it := range s.items {
		if it.ID == "" || seen[it.ID] {
			return s, &Reason{CodeMissing, fmt.Sprintf("item %q has no name of its own", it.ID)}
		}
		seen[it.ID] = true
		if fault := s.pair(i, it, w); fault != nil {
			return s, fault
		}
	}
	for i, name := range componentNames() {
		switch n := len(items) - len(s.parts[i].index); {
		case n == len(items):
			s.notes = append(s.notes, Reason{CodeUnavailable, fmt.Sprintf("%s is unavailable: the score is the weighted mean of the other components, for both contestants", name)})
		case n > 0:
			s.notes = append(s.notes, Reason{CodeUnavailable, fmt.Sprintf("%s is unavailable on %d of %d items, and left out there for both contestants", name, n, len(items))})
		}
	}
	return s, nil
}

// ordered returns the items in the order of the SHA-256 of their IDs. The betting bound needs an order that the scores
// have no part in, and with one the decision does not depend on how the caller listed the items.
func ordered(items []Item) []Item {
	type entry struct {
		hash [sha256.Size]byte
		item Item
	}
	all := make([]entry, len(items))
	for i, it := range items {
		all[i] = entry{sha256.Sum256([]byte(it.ID)), it}
	}
	slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	out := make([]Item, len(items))
	for i, e := range all {
		out[i] = e.item
	}
	return out
}

func (s *sheet) pair(i int, it Item, w Weights) *Reason {
	c, b := it.Challenger.list(), it.Incumbent.list()
	for j, name := range componentNames() {
		switch {
		case c[j] == nil && b[j] == nil:
			continue
		case c[j] == nil || b[j] == nil:
			who := "challenger"
			if b[j] == nil {
				who = "incumbent"
			}
			return &Reason{CodeMissing, fmt.Sprintf("%s of the %s is missing on item %q, where the other contestant has it", name, who, it.ID)}
		}
		for _, v := range []float64{*c[j], *b[j]} {
			if !(v >= floor(j)) || v > 1 {
				return &Reason{CodeMissing, fmt.Sprintf("%s on item %q is %v, outside its range", name, it.ID, v)}
			}
		}
		p := &s.parts[j]
		p.index = append(p.index, i)
		p.challenger, p.incumbent = append(p.challenger, *c[j]), append(p.incumbent, *b[j])
	}
	x, y := Compose(it.Challenger, w), Compose(it.Incumbent, w)
	if math.IsNaN(x) || math.IsNaN(y) {
		return &Reason{CodeMissing, fmt.Sprintf("item %q has no component that counts", it.ID)}
	}
	s.challenger, s.incumbent = append(s.challenger, x), append(s.incumbent, y)
	s.lowest = min(s.lowest, lowest(it.Challenger, w))
	return nil
}

// scores returns the means of one side.
func (s sheet) scores(challenger bool) Scores {
	pick := func(c, b []float64) *float64 {
		if !challenger {
			c = b
		}
		if len(c) == 0 {
			return nil
		}
		return new(mean(c))
	}
	return Scores{
		Accuracy:  pick(s.parts[0].challenger, s.parts[0].incumbent),
		Coherence: pick(s.parts[1].challenger, s.parts[1].incumbent),
		Domain:    pick(s.parts[2].challenger, s.parts[2].incumbent),
		Score:     pick(s.challenger, s.incumbent),
	}
}

// Means returns the means of one contestant that is not compared with another: each component over the items that have
// it, and the composite over all items. The composite is nil where there are no items, or where Compose is NaN on one.
func Means(items []Components, w Weights) Scores {
	var parts [3][]float64
	var whole []float64
	for _, c := range items {
		for i, v := range c.list() {
			if v != nil {
				parts[i] = append(parts[i], *v)
			}
		}
		if x := Compose(c, w); !math.IsNaN(x) {
			whole = append(whole, x)
		}
	}
	of := func(x []float64) *float64 {
		if len(x) == 0 {
			return nil
		}
		return new(mean(x))
	}
	m := Scores{Accuracy: of(parts[0]), Coherence: of(parts[1]), Domain: of(parts[2])}
	if len(whole) == len(items) {
		m.Score = of(whole)
	}
	return m
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
