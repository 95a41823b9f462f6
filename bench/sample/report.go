package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"jupiter/bench/figures"
)

// report gathers what was measured, in the order of its first.
type report struct {
	version string   // of llama.cpp
	kernels []string // of llama.cpp, for each batch; none where it chose
	ours    string   // our kernels
	threads int
	rows    []*row
}

// row is a side's rates with one model and batch, in tokens a second.
type row struct {
	model string
	batch int
	side  string
	rates []float64
}

func (r *report) add(model string, batch int, side string, rate float64) {
	w := r.row(model, batch, side)
	if w == nil {
		w = &row{model: model, batch: batch, side: side}
		r.rows = append(r.rows, w)
	}
	w.rates = append(w.rates, rate)
}

// row finds a row; nil: there is none.
func (r *report) row(model string, batch int, side string) *row {
	for _, w := range r.rows {
		if w.model == model && w.batch == batch && w.side == side {
			return w
		}
	}
	return nil
}

// over is the median of the ratios of our rate to a side's, in turns that followed each other.
func (r *report) over(w *row) float64 {
	var all []float64
	mine := r.row(w.model, w.batch, ours)
	for i := range min(len(mine.rates), len(w.rates)) {
		all = append(all, mine.rates[i]/w.rates[i])
	}
	return figures.Round(figures.Median(all), 2)
}

// against is the ratio to the faster of llama.cpp's sides.
func (r *report) against(model string, batch int) float64 {
	least := 0.0
	for _, w := range r.rows {
		if w.model != model || w.batch != batch || w.side == ours {
			continue
		}
		if x := r.over(w); least == 0 || x < least {
			least = x
		}
	}
	return least
}

// result is the last line: what scripts read. Rates are ratios, ours over llama.cpp's.
type result struct {
	A1  float64 `json:"A_b1"`
	A64 float64 `json:"A_b64"`
	B1  float64 `json:"B_b1"`
	B64 float64 `json:"B_b64"`
}

func (r *report) result() result {
	return result{r.against("A", 1), r.against("A", 64), r.against("B", 1), r.against("B", 64)}
}

func (x result) goals() []figures.Goal {
	var all []figures.Goal
	for _, g := range []struct {
		what string
		is   float64
	}{{"model A, one text", x.A1}, {"model A, 64 texts", x.A64}, {"model B, one text", x.B1}, {"model B, 64 texts", x.B64}} {
		all = append(all, figures.Goal{What: g.what, Is: fmt.Sprintf("%.2f ×", g.is), Bound: "at least 1.0 × llama.cpp", Met: g.is >= 1})
	}
	return all
}

// write prints the tables, the notes and the line for scripts.
func (r *report) write(w io.Writer) error {
	kernels := "the kernels of its choice"
	if r.kernels != nil {
		kernels = "its kernels " + strings.Join(r.kernels, " and ")
	}
	fmt.Fprintf(w, "%s; %d threads; %s, %s kernels; llama.cpp %s with %s\n", figures.Machine(), r.threads, runtime.Version(), r.ours, r.version, kernels)
	fmt.Fprint(w, "\n| model | texts at a time | side | turns | tokens a second, median (least–most) | ours over it |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, x := range r.rows {
		over := ""
		if x.side != ours {
			over = fmt.Sprintf("%.2f", r.over(x))
		}
		fmt.Fprintf(w, "| %s | %d | %s | %d | %.0f (%.0f–%.0f) | %s |\n", x.model, x.batch, x.side, len(x.rates), figures.Median(x.rates), slices.Min(x.rates), slices.Max(x.rates), over)
	}
	res := r.result()
	figures.WriteGoals(w, res.goals())
	fmt.Fprint(w, notes)
	return figures.WriteResult(w, res)
}

const notes = `
- A text is 128 tokens drawn at temperature 1 after a prompt of 16; files are F32. Ours end early where the end is drawn, and
  the next text takes the place; llama-server is told to ignore the end. Tokens of prompts are not counted, their time is.
- llama-server keeps keys and values in float16, as it does by itself; ours are float32.
- llama-bench draws nothing and serves nobody: it computes one token after the other, without a prompt, or passes of 64 tokens of
  one text, with logits for the last alone.
- Ratios are medians over pairs of turns that followed each other, and the least of llama.cpp's sides counts.
`
