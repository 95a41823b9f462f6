package main

import (
	"fmt"

	"jupiter/plugins/conformance"
)

// viewRule writes a line with what came of a rule, and why it is not kept. Below one that is broken stands what was promised,
// and where.
func viewRule(w *world, r conformance.Result) {
	p := w.paint(w.out)
	mark := map[conformance.Outcome]string{
		conformance.Kept: p.as(green, "ok         "), conformance.Broken: p.as(red, "BROKEN     "), conformance.NotChecked: p.as(yellow, "not checked"),
	}[r.Outcome]
	stage := r.Stage
	if stage == "" {
		stage = "plugin"
	}
	line := fmt.Sprintf("%s  %s  %s", mark, pad(stage, 20), r.Rule)
	if r.Reason != "" {
		line += ": " + r.Reason
	}
	fmt.Fprintln(w.out, line)
	if r.Outcome == conformance.Broken {
		fmt.Fprintf(w.out, "%13s%s (%s)\n", "", r.Promise, r.Where)
	}
}

func viewConformance(w *world, r *conformance.Report) {
	p := w.paint(w.out)
	fmt.Fprintf(w.out, "\n%s %s (tls %s): %d kept, ", r.Plugin, r.Version, r.TLS, r.Kept)
	broken, open := fmt.Sprintf("%d broken", r.Broken), fmt.Sprintf("%d not checked", r.Open)
	if r.Broken > 0 {
		broken = p.as(red, broken)
	}
	if r.Open > 0 {
		open = p.as(yellow, open)
	}
	fmt.Fprintf(w.out, "%s, %s.\n", broken, open)
}
