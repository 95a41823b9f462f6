package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"jupiter/plan"
	"jupiter/plan/forecast"
	"jupiter/runtime"
	"jupiter/state"
)

// amount is a count in three digits with its thousands: "840", "12.3 k", "1.25 M".
func amount(v float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if v >= 0.9995*u.size {
			return threeDigits(v/u.size) + " " + u.name
		}
	}
	return threeDigits(v)
}

// threeDigits is a number with three digits that count, and no more after the point than that.
func threeDigits(v float64) string {
	switch {
	case v >= 99.95 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// bytesText is a size: "1.5 GB".
func bytesText(v float64) string {
	if v < 1000 {
		return threeDigits(math.Round(v)) + " B"
	}
	return amount(v) + "B"
}

// timeText is a length of time in two units at most.
func timeText(v float64) string {
	switch {
	case v < 9.95:
		return fmt.Sprintf("%.1f s", v)
	case v < 99.5:
		return fmt.Sprintf("%.0f s", v)
	case v < 99.5*60:
		return fmt.Sprintf("%.0f min", v/60)
	}
	return fmt.Sprintf("%.1f h", v/3600)
}

// between is an interval: "6–8 min", one value where both ends look alike.
func between(i *forecast.Interval, text func(float64) string) string {
	low, high := text(i.Low), text(i.High)
	if low == high {
		return high
	}
	if n, unit, ok := strings.Cut(low, " "); ok && strings.HasSuffix(high, " "+unit) {
		low = n
	}
	return low + "–" + high
}

func tokensText(v float64) string { return amount(math.Round(v)) + " tokens" }

func dollars(v float64) string { return fmt.Sprintf("$%.2f", v) }

// changeCost is what a change will take, in a few words: tokens and time. What is not known is left out here; the sum
// below says so.
func changeCost(u *forecast.Usage) string {
	if u == nil {
		return ""
	}
	var parts []string
	if t := u.Tokens; t != nil && t.Mid > 0 {
		parts = append(parts, "~"+tokensText(t.Mid))
	}
	if s := u.Seconds; s != nil && s.High >= 0.05 {
		parts = append(parts, between(s, timeText))
	}
	return strings.Join(parts, "  ")
}

// usageText is a forecast in full: "~1.2 M tokens, 6–8 min, 210–260 MB memory, 12–15 MB disk, $1.20–1.90".
func usageText(t forecast.Total) string {
	var parts []string
	add := func(i *forecast.Interval, format string, text func(float64) string) {
		if i != nil {
			parts = append(parts, fmt.Sprintf(format, between(i, text)))
		}
	}
	if t.Seconds == nil {
		parts = append(parts, "time unknown")
	}
	add(t.Seconds, "%s", timeText)
	if t.Tokens == nil {
		parts = append(parts, "tokens unknown")
	}
	add(t.Tokens, "%s", tokensText)
	add(t.MemoryBytes, "%s of memory", bytesText)
	add(t.DiskBytes, "%s of disk", bytesText)
	if t.USD != nil && t.USD.High > 0 {
		add(t.USD, "%s", dollars)
	}
	text := strings.Join(parts, ", ")
	if n := t.Lacking["seconds"]; n > 0 && t.Seconds != nil {
		text += fmt.Sprintf(" (without the time of %s)", plural(n, "small step"))
	}
	return text
}

// viewForecast writes what a plan will take.
func viewForecast(out io.Writer, p *plan.Plan) {
	f := p.Forecast
	if f == nil {
		return
	}
	from := fmt.Sprintf("by %s of this machine's history", plural(f.Samples, "action"))
	switch {
	case f.Probed && f.Samples == 0:
		from = "by a probe"
	case f.Probed:
		from = "by a probe, and " + strings.TrimPrefix(from, "by ")
	case f.Samples == 0:
		from = "by the stages' cost models alone"
	}
	fmt.Fprintf(out, "\nForecast (%.0f %%, %s):\n", 100*f.Level, from)
	whole := fmt.Sprintf("all %d cycles", f.Cycles)
	rows := [][2]string{{"this cycle", usageText(f.Turn)}}
	if f.Cycles > 1 {
		rows = append(rows, [2]string{whole, usageText(f.Whole)})
	}
	for _, r := range rows {
		fmt.Fprintf(out, "  %s  %s\n", pad(r[0], columns(rows[len(rows)-1][0])), r[1])
	}
	if f.Turn.Seconds == nil && !f.Probed {
		fmt.Fprintln(out, "  jupiter plan --probe measures a few items for a first forecast of the time.")
	}
	for _, n := range f.Notes {
		fmt.Fprintf(out, "  %s\n", n)
	}
}

// budgetText says what an approval's budgets bound: "1 M tokens, 2 hours".
func budgetText(b plan.Budget) string {
	var parts []string
	if b.Tokens > 0 {
		parts = append(parts, tokensText(float64(b.Tokens)))
	}
	if b.Hours > 0 {
		parts = append(parts, fmt.Sprintf("%g hours", b.Hours))
	}
	if b.USD > 0 {
		parts = append(parts, dollars(b.USD))
	}
	if b.DiskGB > 0 {
		parts = append(parts, fmt.Sprintf("%g GB of disk", b.DiskGB))
	}
	return strings.Join(parts, ", ")
}

// compared is one figure of a run: what was forecast, what it was, and whether the one holds the other.
type compared struct {
	Name     string             `json:"name"`
	Forecast *forecast.Interval `json:"forecast"`
	Actual   *float64           `json:"actual"`
	Within   *bool              `json:"within"` // null: one of them is not known, or the run was cut short and took less
}

// cutShort says whether a run with this outcome did not come to an end of its own: what it took is no measure of its
// forecast then, unless it is more.
func cutShort(outcome string) bool {
	switch runtime.Outcome(outcome) {
	case "", runtime.OutcomeFailed, runtime.OutcomeInterrupted, runtime.OutcomeBudget, runtime.OutcomeHalted:
		return true
	}
	return false
}

// comparison sets a run's forecast beside what it took.
func comparison(f *forecast.Plan, u *state.Usage, outcome string) []compared {
	rows := []compared{{Name: "seconds"}, {Name: "tokens"}, {Name: "memory_bytes"}, {Name: "disk_bytes"}, {Name: "usd"}}
	if f != nil {
		w := f.Whole.Usage
		for i, v := range []*forecast.Interval{w.Seconds, w.Tokens, w.MemoryBytes, w.DiskBytes, w.USD} {
			rows[i].Forecast = v
		}
	}
	if u != nil {
		number := func(v float64) *float64 { return &v }
		rows[0].Actual, rows[1].Actual = number(u.Seconds), number(float64(u.PromptTokens+u.CompletionTokens))
		if u.PeakMemoryBytes != nil {
			rows[2].Actual = number(float64(*u.PeakMemoryBytes))
		}
		rows[3].Actual, rows[4].Actual = number(float64(u.DiskBytes)), u.USD
	}
	for i, r := range rows {
		if r.Forecast != nil && r.Actual != nil && (!cutShort(outcome) || *r.Actual > r.Forecast.High) {
			in := r.Forecast.Low <= *r.Actual && *r.Actual <= r.Forecast.High
			rows[i].Within = &in
		}
	}
	return rows
}

// viewComparison writes a run's figures side by side.
func viewComparison(out io.Writer, rows []compared) {
	names := map[string]struct {
		name string
		text func(float64) string
	}{
		"seconds": {"time", timeText}, "tokens": {"tokens", func(v float64) string { return amount(math.Round(v)) }}, "memory_bytes": {"memory", bytesText}, "disk_bytes": {"disk", bytesText}, "usd": {"money", dollars},
	}
	var cells [][]string
	for _, r := range rows {
		as, forecasted, actual, within := names[r.Name], "unknown", "unknown", ""
		if r.Forecast != nil {
			forecasted = between(r.Forecast, as.text)
		}
		if r.Actual != nil {
			actual = as.text(*r.Actual)
		}
		if r.Within != nil {
			within = map[bool]string{true: "within", false: "outside"}[*r.Within]
		}
		cells = append(cells, []string{as.name, forecasted, actual, within})
	}
	table(out, "  ", []string{"", ">forecast (80 %)", ">actual", ""}, cells)
}
