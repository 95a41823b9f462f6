package main

import (
	"fmt"

	"jupiter/plugins/conformance"
)

// viewRule writes what came of a rule: a line, and where it is not kept another one with the reason.
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
	if r.Outcome == conformance.Broken {
		line += " (" + r.Where + ")"
	}
	fmt.Fprintln(w.out, line)
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
