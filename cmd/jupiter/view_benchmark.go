package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"jupiter/runtime"
)

// flat is a text of a document or a model on one line, without what controls a terminal.
func flat(text string) string { return strings.Join(strings.Fields(harmless(text)), " ") }

// viewSkipped warns of what is left out.
func viewSkipped(w *world, all []runtime.Skipped) {
	for _, s := range all {
		if s.Records > 1 { // lines of a file that is read
			fmt.Fprintf(w.err, "Warning: %s %s.\n", flat(s.Document), s.Why)
		} else {
			fmt.Fprintf(w.err, "Warning: the document %s is left out: it %s.\n", flat(s.Document), s.Why)
		}
	}
}

// viewBuilt says what became of a benchmark. at follows the commands that it names.
func viewBuilt(out io.Writer, b *runtime.Built, at string) {
	fmt.Fprintf(out, "domain.%s: %s in %s", b.Domain, plural(b.Passages, "passage"), plural(b.Documents, "document"))
	if b.Asked > 0 {
		fmt.Fprintf(out, "; the teacher was asked about %d", b.Asked)
	}
	fmt.Fprintf(out, ".\n")
	if len(b.Replies) > 0 {
		fmt.Fprintf(out, "Replies without a question: %s.\n", reasons(b.Replies))
	}
	for _, k := range b.Kinds {
		fmt.Fprintf(out, "  %-9s kept %d", k.Kind, k.Kept)
		if len(k.Dropped) > 0 {
			fmt.Fprintf(out, "; dropped: %s", reasons(k.Dropped))
		}
		fmt.Fprintln(out)
	}
	if n := b.Judged[runtime.StatusAccepted] + b.Judged[runtime.StatusEdited] + b.Judged[runtime.StatusRejected]; n > 0 {
		fmt.Fprintf(out, "Reviewed: %s.\n", reasons(b.Judged))
	}
	if t := b.Tokens; t.Prompt+t.Completion > 0 {
		fmt.Fprintf(out, "Tokens: %d read, %d written", t.Prompt, t.Completion)
		if t.USD > 0 {
			fmt.Fprintf(out, ", %.2f US dollars", t.USD)
		}
		fmt.Fprintf(out, ".\n")
	}
	if b.Model != "" {
		fmt.Fprintf(out, "The teacher is another model than the one that gave earlier replies. These are kept; without replies.jsonl in\n%s all is asked for again.\n", b.Directory)
	}
	switch {
	case b.Ended != "":
		fmt.Fprintf(out, "\nNot done: %s. The splits are as they were; jupiter benchmark build%s goes on.\n", b.Ended, at)
	case b.Waits > 0:
		fmt.Fprintf(out, "\nNo splits yet: %s for jupiter benchmark review%s; then jupiter benchmark build%s.\n", waiting(b.Waits), at, at)
	default:
		viewSplits(out, b)
	}
}

func waiting(n int) string {
	if n == 1 {
		return "1 candidate waits"
	}
	return fmt.Sprintf("%d candidates wait", n)
}

func viewSplits(out io.Writer, b *runtime.Built) {
	fmt.Fprintf(out, "\nWritten to %s:\n", b.Directory)
	for _, s := range b.Splits {
		fmt.Fprintf(out, "  %-10s %s of %s\n", s.Name, plural(s.Items, "item"), plural(s.Clusters, "document"))
	}
	for _, g := range b.Gains {
		whose := "A cycle's gate"
		if g.Cycle != "" {
			whose = "The gate of self_improvement." + g.Cycle
		}
		fmt.Fprintf(out, "%s decides on %s: its first decision can show a gain of about %.1f points or more, where no two items share a document.\n", whose, plural(g.Items, "item"), g.Points)
	}
	for _, s := range b.Splits {
		if s.Few {
			fmt.Fprintf(out, "Warning: the gate pool is of %s, and the gate decides on 30 or more: add documents, or cut long ones into files by chapters.\n", plural(s.Clusters, "document"))
		}
	}
}

// reasons writes counts, the largest first.
func reasons(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, n := range names {
		parts = append(parts, fmt.Sprintf("%s %d", n, counts[n]))
	}
	return strings.Join(parts, ", ")
}

// viewCandidate shows a candidate to somebody who is to judge it.
func viewCandidate(w *world, c runtime.Candidate, n, of int) {
	p := w.paint(w.out)
	where := c.Document
	if c.Heading != "" {
		where += ", " + c.Heading
	}
	fmt.Fprintf(w.out, "\n%s  %s of %s\n\n", p.as(bold, fmt.Sprintf("[%d/%d]", n, of)), c.Kind, flat(where))
	width := w.width(w.out)
	if width == 0 || width > 100 {
		width = 100
	}
	for _, line := range wrap(marked(c, p), width-2) {
		fmt.Fprintf(w.out, "  %s\n", line)
	}
	fmt.Fprintf(w.out, "\n%s\n  %s\n", p.as(bold, "Question"), strings.ReplaceAll(harmless(c.Question), "\n", "\n  "))
	fmt.Fprintf(w.out, "%s  %s\n%s   ", p.as(bold, "Answer"), p.as(green, flat(c.Answer)), p.as(bold, "Wrong"))
	for i, d := range c.Distractors {
		if i > 0 {
			fmt.Fprint(w.out, " | ")
		}
		fmt.Fprint(w.out, flat(d))
	}
	fmt.Fprint(w.out, "\n\na accept  e edit  r reject  s skip  u undo  q quit > ")
}

// marked is a candidate's passage with the answer marked where it stands, by colour or by brackets.
func marked(c runtime.Candidate, p painter) string {
	text, answer := flat(c.Passage), flat(c.Answer)
	i := strings.Index(strings.ToLower(text), strings.ToLower(answer))
	if i < 0 || answer == "" || i+len(answer) > len(text) {
		return text
	}
	found := "[" + text[i:i+len(answer)] + "]"
	if p {
		found = p.as(green, text[i:i+len(answer)])
	}
	return text[:i] + found + text[i+len(answer):]
}

// wrap breaks a text into lines of at most so many columns, at spaces.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && columns(line)+1+columns(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
