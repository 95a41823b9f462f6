package main

import (
	"fmt"
	"io"
	"strings"

	"jupiter/plan"
)

// markdownSize is how many bytes a comment has at most: GitHub refuses one of more than 65,536 characters.
const markdownSize = 65000

// viewMarkdown writes a plan as a comment for a pull request: changes, reasons, envelope, and what is noteworthy. Where it
// would be too long for a comment, it says how much is not shown.
func viewMarkdown(out io.Writer, made *plan.Plan) {
	var notes strings.Builder
	viewForecast(&notes, made)
	viewDrift(&notes, false, made.Drift)
	viewEnds(&notes, made)
	var quoted []string
	for _, line := range strings.Split(notes.String(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			quoted = append(quoted, "\n> "+markdown(line)+"\n")
		}
	}
	tail := fitting(quoted, markdownSize/3, "\n> %s not shown.\n", "more note")

	fmt.Fprintf(out, "### Jupiter plan: %s\n", markdownTitle(made))
	if !made.Empty() {
		head := "\n" + markdown(summaryLine(made)) + "\n"
		var rows []string
		for _, c := range made.Changes {
			if c.Op != plan.NoOp {
				rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", c.Op.Symbol(), markdownCode(string(c.Address)), markdown(c.Title), markdown(because(c)), markdown(changeCost(c.Forecast))))
			}
		}
		if len(rows) > 0 {
			head += "\n| | address | what | why | takes |\n|---|---|---|---|---|\n"
		}
		fmt.Fprint(out, head, fitting(rows, markdownSize-len(head)-len(tail)-1000, "\n%s not shown.\n", "more change"))
		if made.Envelope.Cycles > 0 {
			fmt.Fprintf(out, "\n**An apply approves:** %s.\n", markdown(envelopeText(made)))
		}
	}
	fmt.Fprint(out, tail)
}

// fitting is as many of the parts as fit into so many bytes, and how many more there are.
func fitting(parts []string, room int, more, what string) string {
	var b strings.Builder
	for i, p := range parts {
		if b.Len()+len(p) > room {
			fmt.Fprintf(&b, more, plural(uint64(len(parts)-i), what))
			break
		}
		b.WriteString(p)
	}
	return b.String()
}

// markdownCode is an address within a row of a table, where a bar ends the cell within code too.
func markdownCode(address string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(oneLine(address)) + "`"
}

// markdownTitle says in a few words what the plan comes to.
func markdownTitle(made *plan.Plan) string {
	if made.Empty() && made.NeedsPerson() {
		return "something was changed from outside and needs a person"
	}
	if made.Empty() {
		word, _ := standing(made)
		return word + markdown(partly(made.Options))
	}
	return markdown(turns(made))
}

// markdown takes from a text what would be read as markup. Addresses and reasons hold what users and files say. Hosts of
// code look for names of people and numbers of issues in what was rendered, where a backslash is gone: there an invisible
// character stands in between.
func markdown(text string) string {
	var b strings.Builder
	for _, r := range oneLine(text) {
		if strings.ContainsRune("\\`*_{}[]<>#|~!&$", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' || r == '#' {
			b.WriteRune(wordJoiner)
		}
	}
	return b.String()
}

const wordJoiner = '\u2060'
