package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"jupiter/plan"
	"jupiter/plan/addr"
)

// viewPlan writes a plan for people.
func viewPlan(w *world, made *plan.Plan) {
	out, paint := w.out, w.paint(w.out)
	viewDrift(out, paint, made.Drift)
	switch {
	case made.Empty() && made.NeedsPerson():
		fmt.Fprintf(out, "%s What was changed needs a person.\n", paint.as(bold+";"+yellow, "No changes that an apply can make."))
	case made.Empty():
		fmt.Fprintln(out, nothing(paint, made))
	}
	if made.Empty() {
		viewEnds(out, made)
		return
	}
	if !made.Settled() {
		fmt.Fprintf(out, "Jupiter will perform these actions (%s):\n\n", turns(made))
		viewChanges(out, paint, made.Changes)
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, summaryLine(made))
	viewForecast(out, made)
	viewEnds(out, made)
	if made.Envelope.Cycles > 0 {
		fmt.Fprintf(out, "\nApproved by an apply: %s.\n", envelopeText(made))
	}
}

// viewDrift says what was changed outside of Jupiter, and what comes of it.
func viewDrift(out io.Writer, paint painter, drift []plan.Drift) {
	if len(drift) == 0 {
		return
	}
	fmt.Fprintf(out, "Changed outside of Jupiter:\n\n")
	for _, d := range drift {
		mark, colour := "±", yellow
		if d.Fix == plan.FixPerson {
			mark, colour = "!", red
		}
		where := string(d.Address) + ":"
		if d.Kind == plan.LinkDrift {
			where = d.Name
		}
		fmt.Fprintf(out, "  %s %s %s. %s\n", paint.as(colour, mark), where, d.Detail, d.Remedy)
	}
	fmt.Fprintln(out)
}

// nothing says that there is nothing to do, and in which part of the turn.
func nothing(paint painter, made *plan.Plan) string {
	word, colour := standing(made)
	return paint.as(bold+";"+colour, capital(word)+".") + " " + nothingOf(made.Options)
}

// standing is what a plan without changes comes to: what has ended for good reason, in green, and what needs a person, in
// yellow or red.
func standing(made *plan.Plan) (word, colour string) {
	word, colour = "no changes", green
	for _, c := range made.Cycles {
		switch c.Terminal {
		case plan.Halted:
			word, colour = "halted", red
		case plan.Pending:
			if colour != red {
				word, colour = "waiting for a decision", yellow
			}
		case plan.Converged, plan.Ceiling:
			if colour == green {
				word, colour = string(c.Terminal), yellow
			}
		}
	}
	return word, colour
}

// nothingOf says what was looked at without finding anything to do.
func nothingOf(o plan.Options) string {
	switch {
	case o.Destroy:
		return "Nothing is recorded."
	case o.RefreshOnly && len(o.Targets)+len(o.Excludes) == 0:
		return "The sources hold what was last collected."
	case o.Partial():
		return "Nothing is to be done in this part of the turn (" + strings.TrimPrefix(partly(o), "; ") + ")."
	}
	return "Nothing is to be done."
}

// viewEnds says why cycles have nothing more to do, and what a plan has to note.
func viewEnds(out io.Writer, made *plan.Plan) {
	for _, c := range made.Cycles {
		if c.Terminal != plan.Running {
			fmt.Fprintf(out, "\nself_improvement.%s: %s (%s).\n", c.Cycle, c.Terminal, oneLine(c.Why))
		}
		for _, n := range c.Notes {
			fmt.Fprintf(out, "\nself_improvement.%s: %s\n", c.Cycle, oneLine(n))
		}
	}
	for _, n := range made.Notes {
		fmt.Fprintf(out, "\n%s\n", oneLine(n))
	}
}

// turns names the cycles that a plan is about: "cycle 3 of self_improvement.ue5, generator v2".
func turns(made *plan.Plan) string {
	var all []string
	for _, c := range made.Cycles {
		if c.Terminal != plan.Running {
			continue
		}
		g := "no generator yet"
		if c.Generator > 0 {
			g = fmt.Sprintf("generator v%d", c.Generator)
		}
		all = append(all, fmt.Sprintf("cycle %d of self_improvement.%s, %s", c.Epoch, c.Cycle, g))
	}
	if made.Options.Destroy {
		return "everything that is recorded is forgotten"
	}
	if len(all) == 0 {
		return "no cycle is due"
	}
	return strings.Join(all, "; ") + partly(made.Options)
}

// partly says which part of a turn a plan is.
func partly(o plan.Options) string {
	var t string
	for _, l := range []struct {
		what string
		list []addr.Address
	}{{"only", o.Targets}, {"without", o.Excludes}, {"replacing", o.Replace}} {
		if len(l.list) > 0 {
			names := make([]string, len(l.list))
			for i, a := range l.list {
				names[i] = string(a)
			}
			t += "; " + l.what + " " + strings.Join(names, ", ")
		}
	}
	if o.RefreshOnly {
		t += "; only what has changed outside"
	}
	return t
}

// widest bounds the columns of a plan's lines: a longer cell pushes the rest of its own line only.
const widest = 64

func viewChanges(out io.Writer, paint painter, changes []plan.Change) {
	var address, title int
	for _, c := range changes {
		if c.Op != plan.NoOp {
			address = max(address, min(widest, columns(string(c.Address))))
			title = max(title, min(widest, columns(c.Title)))
		}
	}
	reason := 0
	for _, c := range changes {
		if c.Op != plan.NoOp {
			reason = max(reason, min(widest, columns(because(c))))
		}
	}
	for _, c := range changes {
		if c.Op == plan.NoOp {
			continue
		}
		line := fmt.Sprintf("%s  %s  %s  %s", pad(string(c.Address), address), pad(c.Title, title), pad(because(c), reason), changeCost(c.Forecast))
		fmt.Fprintf(out, "  %s %s\n", paint.as(opColour(c.Op), c.Op.Symbol()), strings.TrimRight(line, " "))
	}
}

func opColour(op plan.Op) string {
	switch op {
	case plan.Create:
		return green
	case plan.Destroy:
		return red
	case plan.Decide, plan.Move:
		return cyan
	}
	return yellow
}

// because is a change's reasons in a few words: the two that weigh most, and how many more there are. A change with an
// input that is not there yet runs in any case where something else differs; where nothing does, it runs if that input
// comes out otherwise than before.
func because(c plan.Change) string {
	const later = "input known after apply"
	var texts []string
	for _, rank := range []func(plan.Reason) bool{weighty, func(r plan.Reason) bool { return !weighty(r) }} {
		for _, r := range c.Reasons {
			if t := reasonText(r); t != "" && rank(r) {
				texts = append(texts, t)
			}
		}
	}
	if n := len(texts); n > 2 {
		texts = append(texts[:2], fmt.Sprintf("and %d more", n-2))
	}
	switch text := strings.Join(texts, ", "); {
	case !c.Unknown:
		return text
	case text == "":
		return "may run: " + later
	default:
		return text + "; " + later
	}
}

// weighty says whether a reason is what a reader looks for first: something outside the cycle's own course.
func weighty(r plan.Reason) bool {
	switch r.Code {
	case plan.Asked, plan.ConfigChanged, plan.RevisionChanged, plan.SourceChanged, plan.ArtifactMissing, plan.ArtifactDamaged, plan.Interrupted, plan.NotRecorded:
		return true
	}
	return false
}

// reasonText is one reason in a few words; "" where the change's title says it already.
func reasonText(r plan.Reason) string {
	name := strings.Join(r.Names, ", ")
	if name == "version" { // the part of an action's identity that says which generator draws
		return fmt.Sprintf("generator v%s → v%s", r.Was, r.Now)
	}
	change := name
	if r.Was != "" || r.Now != "" {
		change = fmt.Sprintf("%s %s → %s", name, orNone(shown(r.Was)), orNone(shown(r.Now)))
	}
	switch r.Code {
	case plan.NotRecorded:
		return "new"
	case plan.InputUnknown:
		return "" // what comes first in the list says it
	case plan.Interrupted, plan.Undecided:
		return ""
	case plan.Asked:
		return "asked for with " + name
	case plan.NotConfigured:
		return ""
	case plan.Renamed:
		return fmt.Sprintf("moved (%s:%d)", r.File, r.Line)
	case plan.ArtifactMissing:
		return "bytes of " + brief(name) + " are missing"
	case plan.ArtifactDamaged:
		return "bytes of " + brief(name) + " are damaged"
	case plan.SourceChanged:
		return "the source has changed"
	case plan.ModelChanged:
		return "" // its title says it
	case plan.RevisionChanged:
		return change + " (new version of the plugin)"
	case plan.NextCycle, plan.NextWindow:
		return change
	}
	if r.File != "" {
		change += fmt.Sprintf(" (%s:%d)", r.File, r.Line)
	}
	return change
}

// brief shortens a digest to what tells it from others on a line.
func brief(v string) string {
	v = strings.TrimPrefix(v, "sha256:")
	if len(v) >= 12 && strings.Trim(v, "0123456789abcdef") == "" && strings.Trim(v, "0123456789") != "" {
		return v[:7]
	}
	return v
}

func orNone(v string) string {
	if v == "" {
		return "(none)"
	}
	return v
}

// shown is a value within a line. One that would not be told from what is around it, or would break the line, is in
// quotes.
func shown(v string) string {
	if strings.TrimSpace(v) != v || strings.Contains(v, " → ") || strings.ContainsFunc(v, unicode.IsControl) {
		return strconv.Quote(v)
	}
	return brief(v)
}

// oneLine is a text of people's or of files within a line: what would break the line, or speak to the terminal, is a space.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// summaryLine counts a plan's changes: "Plan: 1 to advance, 5 to rerun, 1 to decide; 3 unchanged. Then …".
func summaryLine(made *plan.Plan) string {
	s := made.Summary
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{{s.Create, "create"}, {s.Advance, "advance"}, {s.Rerun, "rerun"}, {s.Move, "move"}, {s.Destroy, "forget"}, {s.Decide, "decide"}, {s.Repair, "put right"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", c.n, c.what))
		}
	}
	line := fmt.Sprintf("Plan: %s; %d unchanged.", strings.Join(parts, ", "), s.NoOp)
	if made.Options.Partial() {
		return line
	}
	var due uint64
	for _, c := range made.Cycles {
		if c.Terminal == plan.Running {
			due++
		}
	}
	if more := made.Envelope.Cycles - min(due, made.Envelope.Cycles); more > 0 {
		line += fmt.Sprintf(" Then up to %s, each planned when it comes.", plural(more, "more cycle"))
	}
	return line
}

// envelopeText says what an approval covers.
func envelopeText(made *plan.Plan) string {
	if made.Options.Partial() {
		return "what is listed here, once"
	}
	e := made.Envelope
	t := fmt.Sprintf("at most %s, %s at the gate pool", plural(e.Cycles, "cycle"), plural(e.Looks, "look"))
	for _, b := range e.Budgets {
		if len(e.Budgets) > 1 {
			t += fmt.Sprintf(", for %s %s", b.Cycle, budgetText(b))
		} else {
			t += ", " + budgetText(b)
		}
	}
	if e.Promotion == "manual" {
		return t + "; a promotion waits for jupiter approve"
	}
	return t + "; a promotion needs no further approval"
}
