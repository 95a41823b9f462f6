package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"

	"jupiter/bench/figures"
)

const openBLAS = "OpenBLAS"

// report gathers what was measured, in the order of its first.
type report struct {
	about    map[string]about
	noPeer   string // why there is none
	races    []*raceRow
	products []*productRow
}

// raceRow is one side of a race.
type raceRow struct {
	model   subject
	threads int
	side    string
	rates   []float64 // tokens a second
	allocKB []float64
	peakMB  float64
}

// productRow is one matrix product on both sides, in GFLOP/s.
type productRow struct {
	shape   shape
	threads int
	rates   map[string][]float64
}

func (r *report) met(side string, a about) {
	if r.about == nil {
		r.about = map[string]about{}
	}
	r.about[side] = a
}

func (r *report) add(s subject, threads int, side string, t turn, rate float64) {
	row := r.race(s.name, threads, side)
	if row == nil {
		row = &raceRow{model: s, threads: threads, side: side}
		r.races = append(r.races, row)
	}
	row.rates, row.allocKB, row.peakMB = append(row.rates, rate), append(row.allocKB, t.AllocKB), max(row.peakMB, t.PeakMB)
}

// race finds a row; nil: there is none.
func (r *report) race(model string, threads int, side string) *raceRow {
	for _, row := range r.races {
		if row.model.name == model && row.threads == threads && row.side == side {
			return row
		}
	}
	return nil
}

func (r *report) addProduct(s shape, threads int, side string, rate float64) {
	i := slices.IndexFunc(r.products, func(p *productRow) bool { return p.shape == s && p.threads == threads })
	if i < 0 {
		i = len(r.products)
		r.products = append(r.products, &productRow{shape: s, threads: threads, rates: map[string][]float64{}})
	}
	p := r.products[i]
	p.rates[side] = append(p.rates[side], rate)
}

func (p *productRow) ratio() float64 { return ratio(p.rates[ours], p.rates[openBLAS]) }

// ratio is the median of the ratios of turns that followed each other.
func ratio(mine, theirs []float64) float64 {
	var all []float64
	for i := range min(len(mine), len(theirs)) {
		all = append(all, mine[i]/theirs[i])
	}
	return figures.Median(all)
}

// against is the ratio of our rate to a side's; nil where either was not measured.
func (r *report) against(model string, threads int, side string) *float64 {
	mine, theirs := r.race(model, threads, ours), r.race(model, threads, side)
	if mine == nil || theirs == nil {
		return nil
	}
	x := figures.Round(ratio(mine.rates, theirs.rates), 2)
	return &x
}

// result is the last line: what scripts read. Rates are ratios, ours over the peer's; what was not measured is null.
type result struct {
	A1       *float64 `json:"A_1t"`
	A2       *float64 `json:"A_2t"`
	Q1       *float64 `json:"Q_1t"`
	Q2       *float64 `json:"Q_2t"`
	B1       *float64 `json:"B_1t"`
	B2       *float64 `json:"B_2t"`
	Gemm     *float64 `json:"gemm_min"`  // the least of all shapes, one thread
	Scaling  *float64 `json:"scaling_B"` // our rate with two threads over that with one
	AllocKB  *float64 `json:"alloc_kb"`  // a step, the most of all models
	PeakMB   *float64 `json:"peak_mb_B"` // of the process that trains B
	Peer     *string  `json:"peer"`
	gemmTwo  *float64
	gemmLeft string // the shape that is slowest
}

func (r *report) result() result {
	out := result{
		A1: r.against("A", 1, torch), A2: r.against("A", 2, torch), Q1: r.against("Q", 1, torch), Q2: r.against("Q", 2, torch),
		B1: r.against("B", 1, torch), B2: r.against("B", 2, torch),
	}
	least := func(p **float64, x float64) bool {
		if *p == nil || x < **p {
			*p = &x
			return true
		}
		return false
	}
	for _, p := range r.products {
		x := figures.Round(p.ratio(), 2)
		if p.threads > 1 {
			least(&out.gemmTwo, x)
		} else if least(&out.Gemm, x) {
			out.gemmLeft = p.shape.String()
		}
	}
	if one, two := r.race("B", 1, ours), r.race("B", 2, ours); one != nil && two != nil {
		x := figures.Round(ratio(two.rates, one.rates), 2)
		out.Scaling = &x
	}
	for _, row := range r.races {
		if row.side != ours {
			continue
		}
		if x := figures.Round(figures.Median(row.allocKB), 1); out.AllocKB == nil || x > *out.AllocKB {
			out.AllocKB = &x
		}
		if row.model.name == "B" && (out.PeakMB == nil || row.peakMB > *out.PeakMB) {
			x := figures.Round(row.peakMB, 0)
			out.PeakMB = &x
		}
	}
	if a, ok := r.about[torch]; ok {
		x := "PyTorch " + a.Version + ", " + a.BLAS + ", " + a.CPU
		out.Peer = &x
	}
	return out
}

// goals are those of what was measured.
func (x result) goals() []figures.Goal {
	var all []figures.Goal
	add := func(what string, is *float64, format string, bound string, met func(float64) bool) {
		if is != nil {
			all = append(all, figures.Goal{What: what, Is: fmt.Sprintf(format, *is), Bound: bound, Met: met(*is)})
		}
	}
	least := func(bound float64) func(float64) bool { return func(v float64) bool { return v >= bound } }
	most := func(bound float64) func(float64) bool { return func(v float64) bool { return v < bound } }
	for _, m := range []struct {
		name     string
		one, two *float64
		bound    float64
	}{{"A", x.A1, x.A2, 1.2}, {"Q", x.Q1, x.Q2, 1.2}, {"B", x.B1, x.B2, 1}} {
		bound := fmt.Sprintf("at least %.1f × PyTorch", m.bound)
		add("model "+m.name+", one thread", m.one, "%.2f ×", bound, least(m.bound))
		add("model "+m.name+", two threads", m.two, "%.2f ×", bound, least(m.bound))
	}
	add("matrix products, one thread, the least: "+x.gemmLeft, x.Gemm, "%.2f ×", "at least 0.9 × OpenBLAS", least(0.9))
	add("matrix products, two threads, the least", x.gemmTwo, "%.2f ×", "at least 0.9 × OpenBLAS", least(0.9))
	add("model B, two threads against one", x.Scaling, "%.2f ×", "at least 1.8 ×", least(1.8))
	add("allocated a step", x.AllocKB, "%.1f kB", "under 100 kB", most(100))
	add("memory, model B", x.PeakMB, "%.0f MB", "under 300 MB", most(300))
	return all
}

// write prints the tables, the notes and the line for scripts.
func (r *report) write(w io.Writer) error {
	fmt.Fprintf(w, "%s; %s, %s kernels", figures.Machine(), runtime.Version(), r.about[ours].CPU)
	res := r.result()
	if res.Peer != nil {
		fmt.Fprintf(w, "; %s", *res.Peer)
	}
	if a, ok := r.about[openBLAS]; ok {
		fmt.Fprintf(w, "; OpenBLAS %s for %s", a.Version, a.CPU)
	}
	fmt.Fprintln(w)
	if len(r.races) > 0 {
		fmt.Fprint(w, "\n| model | threads | side | turns | tokens a second, median (least–most) | ours over it |\n| --- | --- | --- | --- | --- | --- |\n")
	}
	for _, row := range r.races {
		over := ""
		if row.side != ours {
			over = fmt.Sprintf("%.2f", *r.against(row.model.name, row.threads, row.side))
		}
		fmt.Fprintf(w, "| %s | %d | %s | %d | %.0f (%.0f–%.0f) | %s |\n", row.model.name, row.threads, row.side, len(row.rates),
			figures.Median(row.rates), slices.Min(row.rates), slices.Max(row.rates), over)
	}
	if len(r.products) > 0 {
		fmt.Fprint(w, "\n| matrix product, m × n × k | threads | ours, GFLOP/s | OpenBLAS, GFLOP/s | ratio |\n| --- | --- | --- | --- | --- |\n")
	}
	for _, p := range r.products {
		fmt.Fprintf(w, "| %v | %d | %.1f | %.1f | %.2f |\n", p.shape, p.threads, figures.Median(p.rates[ours]), figures.Median(p.rates[openBLAS]), p.ratio())
	}
	figures.WriteGoals(w, res.goals())
	fmt.Fprint(w, notes)
	if r.noPeer != "" {
		fmt.Fprintf(w, "- There is no peer: %s.\n", r.noPeer)
	}
	return figures.WriteResult(w, res)
}

const notes = `
- A step is forward, backward, clipping of the gradient's norm and AdamW, without dropout. Losses are compared by the tests.
- Ratios are medians over pairs of turns that followed each other; rates are medians over turns.
- OpenBLAS is numpy's, with the kernels that are fastest here of all that it can be told to use.
- Memory is what the process of ours held at most, resident.
`
