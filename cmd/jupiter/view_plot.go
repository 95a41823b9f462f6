package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"jupiter/plan/config"
	"jupiter/runtime"
	"jupiter/state"
)

// The picture's size, and the part of it that the upper panel takes.
const (
	plotWidth  = 18 * vg.Centimeter
	plotHeight = 15 * vg.Centimeter
	plotMargin = 0.4 * vg.Centimeter
	upperPart  = 0.62
)

// The colours are of the palette of Okabe and Ito (2008), which people with colour-blindness can tell apart.
func blue() color.Color   { return color.RGBA{R: 0, G: 114, B: 178, A: 255} }
func orange() color.Color { return color.RGBA{R: 230, G: 159, B: 0, A: 255} }
func greenish() color.Color {
	return color.RGBA{R: 0, G: 158, B: 115, A: 255}
}
func grey() color.Color { return color.Gray{Y: 110} }

// drawCycle draws the decisions of a cycle in a format, png or svg. Equal histories give equal bytes.
func drawCycle(c *config.Cycle, p runtime.Pipeline, ds []state.Decision, format string) ([]byte, error) {
	upper, err := scorePlot(c, p, ds)
	if err != nil {
		return nil, err
	}
	lower, err := diversityPlot(p)
	if err != nil {
		return nil, err
	}
	var canvas vg.CanvasWriterTo
	if format == "svg" {
		canvas = vgsvg.New(plotWidth, plotHeight)
	} else {
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(plotWidth, plotHeight), vgimg.UseDPI(150))}
	}
	all := draw.Crop(draw.New(canvas), plotMargin, -plotMargin, plotMargin, -plotMargin)
	split := (all.Max.Y - all.Min.Y) * (1 - upperPart)
	above := draw.Crop(all, 0, 0, split+plotMargin/2, 0)
	below := draw.Crop(all, 0, 0, 0, split-plotMargin/2-(all.Max.Y-all.Min.Y))
	upperAxis, lowerAxis := axisWidth(upper, above), axisWidth(lower, below)
	widest := max(upperAxis, lowerAxis) // so that the panels' axes stand above each other
	upper.Draw(draw.Crop(above, widest-upperAxis, 0, 0, 0))
	lower.Draw(draw.Crop(below, widest-lowerAxis, 0, 0, 0))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	return b.Bytes(), nil
}

// axisWidth is the room that a plot's vertical axis takes.
func axisWidth(p *plot.Plot, c draw.Canvas) vg.Length { return p.DataCanvas(c).Min.X - c.Min.X }

// scorePlot has the scores of both contestants, what a promotion needed, and the promotions.
func scorePlot(c *config.Cycle, p runtime.Pipeline, ds []state.Decision) (*plot.Plot, error) {
	pl := plot.New()
	pl.Title.Text = "self_improvement." + p.Cycle
	pl.Y.Label.Text = "composite score"
	pl.X.Tick.Marker = whole{}
	pl.Y.Tick.Marker = upToOne{}
	pl.Legend.Top, pl.Legend.Left, pl.Legend.Padding = true, true, vg.Points(3)
	pl.Add(plotter.NewGrid())
	candidate, inUse, needed := make(plotter.XYs, 0, len(ds)), make(plotter.XYs, 0, len(ds)), make(plotter.XYs, 0, len(ds))
	var promoted plotter.XYs
	for _, d := range ds {
		x, of, against := float64(d.Epoch), d.Challenger.Score, d.Incumbent.Score
		if of == nil || against == nil {
			continue // it could not be measured
		}
		candidate = append(candidate, plotter.XY{X: x, Y: *of})
		inUse = append(inUse, plotter.XY{X: x, Y: *against})
		needed = append(needed, plotter.XY{X: x, Y: neededScore(c, *against)})
		if d.Promoted > 0 {
			promoted = append(promoted, plotter.XY{X: x, Y: *of})
		}
	}
	for _, s := range []struct {
		name   string
		at     plotter.XYs
		colour color.Color
		dashed bool
	}{{"candidate", candidate, blue(), false}, {"generator in use", inUse, orange(), false}, {"needed for a promotion", needed, grey(), true}} {
		if err := addLine(pl, s.name, s.at, s.colour, s.dashed); err != nil {
			return nil, err
		}
	}
	if err := addPromotions(pl, promoted, "promoted"); err != nil {
		return nil, err
	}
	room(pl, len(ds), 0.01, 0.45)
	return pl, nil
}

// neededScore is the score that the threshold asks of a candidate against a generator of this score.
func neededScore(c *config.Cycle, inUse float64) float64 {
	if c.ThresholdKind == "absolute" || inUse <= 0 {
		return inUse + c.ImprovementThreshold
	}
	return inUse * (1 + c.ImprovementThreshold)
}

// diversityPlot has the 4-gram entropy of the candidates' raw samples, where it was measured.
func diversityPlot(p runtime.Pipeline) (*plot.Plot, error) {
	pl := plot.New()
	pl.Y.Label.Text = "4-gram entropy (bits)"
	pl.X.Label.Text = "epoch"
	pl.X.Tick.Marker = whole{}
	pl.Add(plotter.NewGrid())
	var at plotter.XYs
	for _, e := range p.Epochs {
		if e.Entropy != nil && !math.IsNaN(*e.Entropy) && !math.IsInf(*e.Entropy, 0) {
			at = append(at, plotter.XY{X: float64(e.Epoch), Y: *e.Entropy})
		}
	}
	if len(at) == 0 {
		pl.Title.Text = "diversity was not measured"
		pl.Y.Min, pl.Y.Max = 0, 1
	} else if err := addLine(pl, "", at, greenish(), false); err != nil {
		return nil, err
	}
	room(pl, len(p.Epochs), 0.5, 0.1)
	return pl, nil
}

func addLine(pl *plot.Plot, name string, at plotter.XYs, colour color.Color, dashed bool) error {
	line, points, err := plotter.NewLinePoints(at)
	if err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	line.Color, line.Width = colour, vg.Points(1.5)
	points.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: vg.Points(2.5), Shape: draw.CircleGlyph{}}
	if dashed {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		pl.Add(line)
	} else {
		pl.Add(line, points)
	}
	if name != "" {
		pl.Legend.Add(name, line)
	}
	return nil
}

// room sets the axes: every epoch in sight, a vertical span of at least least, so that noise does not fill the panel,
// and a part of it more above, for a legend.
func room(pl *plot.Plot, epochs int, least, above float64) {
	pl.X.Min, pl.X.Max = 0.5, float64(max(epochs, 1))+0.5
	if short := least - (pl.Y.Max - pl.Y.Min); short > 0 {
		pl.Y.Min, pl.Y.Max = pl.Y.Min-short/2, pl.Y.Max+short/2
	}
	height := pl.Y.Max - pl.Y.Min
	pl.Y.Min, pl.Y.Max = pl.Y.Min-0.08*height, pl.Y.Max+above*height
}

// upToOne marks an axis of scores: none is above 1.
type upToOne struct{}

// Ticks implements plot.Ticker.
func (upToOne) Ticks(low, high float64) []plot.Tick {
	return slices.DeleteFunc(plot.DefaultTicks{}.Ticks(low, high), func(t plot.Tick) bool { return t.Value > 1 })
}

// whole marks an axis at whole numbers, at most about ten of them.
type whole struct{}

// Ticks implements plot.Ticker.
func (whole) Ticks(low, high float64) []plot.Tick {
	step := math.Max(1, math.Ceil((high-low)/10))
	var ticks []plot.Tick
	for x := math.Max(step, math.Ceil(low)); x <= high; x += step {
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.0f", x)})
	}
	return ticks
}

// addPromotions rings the points of promotions, where there are any.
func addPromotions(pl *plot.Plot, at plotter.XYs, label string) error {
	if len(at) == 0 {
		return nil
	}
	marks, err := plotter.NewScatter(at)
	if err != nil {
		return err
	}
	marks.GlyphStyle = draw.GlyphStyle{Color: greenish(), Radius: vg.Points(6), Shape: draw.RingGlyph{}}
	pl.Add(marks)
	pl.Legend.Add(label, marks)
	return nil
}
