package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Schema is that of a report as JSON.
const Schema = "jupiter.conformance/v1"

// Report is what came of a run.
type Report struct {
	Schema  string   `json:"schema"`
	Path    string   `json:"path"`
	Plugin  string   `json:"plugin"`
	Version string   `json:"version"`
	TLS     string   `json:"tls"`
	Results []Result `json:"results"` // in the order in which they were found
	Kept    int      `json:"kept"`
	Broken  int      `json:"broken"`
	Open    int      `json:"not_checked"`
}

// Result is what came of one rule at one stage.
type Result struct {
	Rule    string  `json:"rule"`
	Stage   string  `json:"stage"` // kind and type; "": the plugin as a whole
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason"` // why it is broken, or was not checked; "" where it is kept
	Promise string  `json:"promise"`
	Where   string  `json:"where"` // that the contract says so
	Seconds float64 `json:"seconds"`
}

// Outcome is what came of a rule.
type Outcome string

const (
	Kept       Outcome = "ok"
	Broken     Outcome = "broken"
	NotChecked Outcome = "not checked"
)

func (r *Report) add(res Result) {
	r.Results = append(r.Results, res)
	switch res.Outcome {
	case Kept:
		r.Kept++
	case Broken:
		r.Broken++
	default:
		r.Open++
	}
}

// open is the error of a check that could not be made.
type open struct{ why string }

func (e *open) Error() string { return e.why }

func notChecked(format string, args ...any) error { return &open{fmt.Sprintf(format, args...)} }

// errSlow ends a call that takes longer than Options.Timeout.
var errSlow = errors.New("the call takes too long")

// outcome reads what a check returned: nil, an open, or why the rule is broken.
func outcome(err error) (Outcome, string) {
	var o *open
	switch {
	case err == nil:
		return Kept, ""
	case errors.As(err, &o):
		return NotChecked, o.why
	case errors.Is(err, errSlow) || errors.Is(err, context.DeadlineExceeded):
		return Broken, "no end in time: " + firstLine(err.Error())
	}
	return Broken, firstLine(err.Error())
}

// firstLine is what is shown of a long error: a crash's report goes on with what the process wrote.
func firstLine(s string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if i := strings.Index(rest, "its last lines on standard error:\n"); i >= 0 {
		said := strings.Split(strings.TrimSpace(rest[i:]), "\n")[1:]
		line += " (it wrote: " + strings.TrimSpace(said[len(said)-1]) + ")"
	}
	if r := []rune(line); len(r) > 400 {
		line = string(r[:400]) + "…"
	}
	return line
}
