package main

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"jupiter/runtime/gate"
)

// tables writes tables with a heading each, and sentences below them.
type tables interface {
	table(heading string, header []string, rows [][]string)
	notes(lines []string)
}

type plainTable struct{ out io.Writer }

func (t plainTable) table(heading string, header []string, rows [][]string) {
	fmt.Fprintf(t.out, "%s\n\n", heading)
	table(t.out, "", header, rows)
	fmt.Fprintln(t.out)
}

func (t plainTable) notes(lines []string) {
	for _, l := range lines {
		fmt.Fprintf(t.out, "- %s.\n", l)
	}
}

type markdownTable struct{ out io.Writer }

func (t markdownTable) table(heading string, header []string, rows [][]string) {
	fmt.Fprintf(t.out, "**%s**\n\n", heading)
	var names, rules []string
	for _, h := range header {
		name, right := strings.CutPrefix(h, ">")
		names = append(names, name)
		if right {
			rules = append(rules, "---:")
		} else {
			rules = append(rules, "---")
		}
	}
	line := func(cells []string) { fmt.Fprintf(t.out, "| %s |\n", strings.Join(cells, " | ")) }
	line(names)
	line(rules)
	for _, r := range rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = markdown(c)
		}
		line(cells)
	}
	fmt.Fprintln(t.out)
}

func (t markdownTable) notes(lines []string) {
	for _, l := range lines {
		fmt.Fprintf(t.out, "- %s.\n", markdown(l))
	}
}

// viewCompare writes a comparison.
func viewCompare(t tables, c comparisonOf) {
	level := fmt.Sprintf("%.0f %%", 100*c.Level)
	viewCompareRuns(t, c, level)
	viewCompareCycles(t, c)
	notes := append([]string{}, c.Notes...)
	if len(c.Pairs) > 0 {
		var rows [][]string
		for _, p := range c.Pairs {
			on := "–"
			if d := p.Difference; d != nil {
				on = fmt.Sprintf("%s, %d", p.Split, d.N)
			}
			rows = append(rows, []string{p.Name, p.Against, signed(p.Difference), on, method(p.Difference)})
			for _, n := range p.Notes {
				notes = append(notes, fmt.Sprintf("%s against %s: %s", p.Name, p.Against, n))
			}
		}
		t.table("Last candidates against that of the first run, item by item", []string{"run", "against", ">difference (" + level + ")", "items", "by"}, rows)
	}
	if len(c.Groups) > 0 {
		var rows [][]string
		for _, g := range c.Groups {
			rows = append(rows, []string{g.Name, fmt.Sprint(len(g.Runs)), reach(g.Last), signed(g.Gain), fmt.Sprintf("%.1f", g.Promotions)})
			for _, n := range g.Notes {
				notes = append(notes, g.Name+": "+n)
			}
		}
		t.table("Means over the runs of a group, by t with n − 1", []string{"group", ">n", ">last score (" + level + ")", ">gain over v1 (" + level + ")", ">promotions"}, rows)
	}
	notes = append(notes, "each interval holds by itself: of twenty, one misses by chance")
	t.notes(notes)
}

func viewCompareRuns(t tables, c comparisonOf, level string) {
	var rows [][]string
	for _, r := range c.Runs {
		last := r.Cycles[len(r.Cycles)-1]
		v1 := score(r.V1)
		if r.V1 != nil && r.V1Split != r.Split {
			v1 += " on " + r.V1Split
		}
		row := []string{r.Name, v1, score(r.Last.Score), reach(r.Interval), score(r.Last.Accuracy), score(r.Last.Coherence), score(r.Last.Domain),
			fmt.Sprintf("%s, %d", r.Split, last.N), fmt.Sprint(r.Promotions), "–", "–", "–"}
		if u := r.Used; u != nil {
			row[9], row[10], row[11] = spent(u.Seconds), strings.TrimSpace(amount(float64(u.Tokens))), optional(u.USD, "$%.2f")
		}
		rows = append(rows, row)
	}
	t.table("Last candidates", []string{"run", ">v1", ">score", level, ">accuracy", ">coherence", ">domain", "items", ">promotions", ">took", ">tokens", ">cost"}, rows)
}

// viewCompareCycles has a row an epoch and a column a run.
func viewCompareCycles(t tables, c comparisonOf) {
	header := []string{">epoch"}
	epochs := 0
	for _, r := range c.Runs {
		header = append(header, r.Name)
		epochs = max(epochs, len(r.Cycles))
	}
	var rows [][]string
	for i := range epochs {
		row := []string{fmt.Sprint(i + 1)}
		for _, r := range c.Runs {
			cell := "–"
			if i < len(r.Cycles) {
				d := r.Cycles[i]
				cell = fmt.Sprintf("%s against %s %s", score(d.Challenger.Score), score(d.Incumbent.Score), d.Decision)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	t.table("Cycles: candidate against the generator in use", header, rows)
}

func reach(in *gate.Interval) string {
	if in == nil {
		return "–"
	}
	return fmt.Sprintf("%.4f … %.4f", in.Low, in.High)
}

func signed(in *gate.Interval) string {
	if in == nil {
		return "–"
	}
	return fmt.Sprintf("%+.4f (%+.4f … %+.4f)", in.Mean, in.Low, in.High)
}

func method(in *gate.Interval) string {
	if in == nil {
		return "–"
	}
	return string(in.Method)
}

// runColours are of the palette of Okabe and Ito (2008); with more runs than colours, lines are dashed.
func runColours() []color.Color {
	return []color.Color{blue(), orange(), greenish(), color.RGBA{R: 213, G: 94, B: 0, A: 255}, color.RGBA{R: 204, G: 121, B: 167, A: 255}, color.RGBA{R: 86, G: 180, B: 233, A: 255}, grey()}
}

// drawRuns draws the candidates' scores of several runs over the cycles, and their promotions. Equal histories give equal
// bytes.
func drawRuns(runs []comparedRun, format string) ([]byte, error) {
	pl := plot.New()
	pl.Y.Label.Text, pl.X.Label.Text = "composite score of the candidate", "epoch"
	pl.X.Tick.Marker, pl.Y.Tick.Marker = whole{}, upToOne{}
	pl.Legend.Top, pl.Legend.Left, pl.Legend.Padding = true, true, vg.Points(3)
	pl.Add(plotter.NewGrid())
	epochs, colours := 0, runColours()
	var promoted plotter.XYs
	for i, r := range runs {
		var at plotter.XYs
		for _, d := range r.Cycles {
			if d.Challenger.Score == nil {
				continue // it could not be measured
			}
			xy := plotter.XY{X: float64(d.Epoch), Y: *d.Challenger.Score}
			at = append(at, xy)
			if d.Decision == string(gate.Promote) {
				promoted = append(promoted, xy)
			}
		}
		epochs = max(epochs, len(r.Cycles))
		if err := addLine(pl, r.Name, at, colours[i%len(colours)], i >= len(colours)); err != nil {
			return nil, err
		}
	}
	if err := addPromotions(pl, promoted, "promoted, or to be approved"); err != nil {
		return nil, err
	}
	room(pl, epochs, 0.01, 0.2+0.06*float64(min(len(runs), 10)))
	var canvas vg.CanvasWriterTo = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(plotWidth, plotHeight), vgimg.UseDPI(150))}
	if format == "svg" {
		canvas = vgsvg.New(plotWidth, plotHeight)
	}
	pl.Draw(draw.Crop(draw.New(canvas), plotMargin, -plotMargin, plotMargin, -plotMargin))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	return b.Bytes(), nil
}
