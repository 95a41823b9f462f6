package main

import (
	"fmt"
	"io"
	"strings"

	"jupiter/plan"
)

// markdownLines is how many changes a comment lists: hosts of code cut a longer one, or refuse it.
const markdownLines = 200

// viewMarkdown writes a plan as a comment for a pull request: changes, reasons, envelope, and what is noteworthy.
func viewMarkdown(out io.Writer, made *plan.Plan) {
	fmt.Fprintf(out, "### Jupiter plan: %s\n", markdownTitle(made))
	if !made.Empty() {
		fmt.Fprintf(out, "\n%s\n\n| | address | what | why | takes |\n|---|---|---|---|---|\n", markdown(summaryLine(made)))
		shown, hidden := 0, 0
		for _, c := range made.Changes {
			switch {
			case c.Op == plan.NoOp:
			case shown == markdownLines:
				hidden++
			default:
				shown++
				address := strings.NewReplacer("`", "'", "|", `\|`).Replace(string(c.Address))
				fmt.Fprintf(out, "| `%s` | `%s` | %s | %s | %s |\n", c.Op.Symbol(), address, markdown(c.Title), markdown(because(c)), markdown(changeCost(c.Forecast)))
			}
		}
		if hidden > 0 {
			fmt.Fprintf(out, "\n%s not shown.\n", plural(uint64(hidden), "more change"))
		}
		if made.Envelope.Cycles > 0 {
			fmt.Fprintf(out, "\n**An apply approves:** %s.\n", markdown(envelopeText(made)))
		}
	}
	var notes strings.Builder
	viewForecast(&notes, made)
	viewDrift(&notes, false, made.Drift)
	viewEnds(&notes, made)
	for _, line := range strings.Split(notes.String(), "\n") {
		if line != "" {
			fmt.Fprintf(out, "\n> %s\n", markdown(strings.TrimSpace(line)))
		}
	}
}

// markdownTitle says in a few words what the plan comes to.
func markdownTitle(made *plan.Plan) string {
	if made.Empty() && made.NeedsPerson() {
		return "something was changed from outside and needs a person"
	}
	if made.Empty() {
		return strings.ToLower(strings.TrimSuffix(nothing(false, made), " Nothing is to be done.")) + " nothing is to be done"
	}
	return markdown(turns(made))
}

// markdown takes from a text what would be read as markup. Addresses and reasons hold what users and files say.
func markdown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>#|~!@", r) {
			b.WriteByte('\\')
		}
		if r == '\n' || r == '\r' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
