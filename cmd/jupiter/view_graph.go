package main

import (
	"fmt"
	"io"
	"strings"

	"jupiter/plan"
)

// colourOf is the colour of an operation in a graph.
func colourOf(op plan.Op) string {
	switch op {
	case plan.Create:
		return "#2e7d32"
	case plan.Advance:
		return "#1565c0"
	case plan.Rerun:
		return "#ef6c00"
	case plan.Destroy:
		return "#c62828"
	case plan.Decide:
		return "#6a1b9a"
	}
	return "#9e9e9e"
}

// graphOps are the operations that a node may have, in the order of a graph's legend.
func graphOps() []plan.Op {
	return []plan.Op{plan.Create, plan.Advance, plan.Rerun, plan.Decide, plan.Destroy, plan.NoOp, ""}
}

// nodeLines are the text of a node: the mark and the address, and below it the title.
func nodeLines(n plan.Node) []string {
	if n.Address == "" {
		return []string{n.Title}
	}
	first := string(n.Address)
	if mark := n.Op.Symbol(); mark != " " {
		first = mark + " " + first
	}
	lines := []string{first}
	if n.Title != "" {
		lines = append(lines, n.Title)
	}
	if n.Unknown {
		lines = append(lines, "may run")
	}
	return lines
}

// edgeText is what an edge carries, without the address that it comes from.
func edgeText(e plan.Edge) string { return strings.TrimSuffix(e.Input, "."+e.From) }

// viewDOT writes a graph for Graphviz.
func viewDOT(out io.Writer, g *plan.Graph) {
	fmt.Fprintln(out, "digraph jupiter {")
	fmt.Fprintln(out, "  rankdir = \"LR\";")
	fmt.Fprintln(out, "  node [shape = \"box\", fontname = \"sans-serif\"];")
	fmt.Fprintln(out, "  edge [fontname = \"sans-serif\", fontsize = \"10\"];")
	for _, n := range g.Nodes {
		style, shape := "rounded", "box"
		switch {
		case n.Address == "":
			shape, style = "cylinder", "solid"
		case n.Op == plan.Decide:
			shape, style = "diamond", "solid"
		case n.Unknown:
			style = "rounded,dashed"
		}
		fmt.Fprintf(out, "  %s [label = %s, shape = \"%s\", style = \"%s\", color = \"%s\"];\n", dotText(n.ID), dotText(nodeLines(n)...), shape, style, colourOf(n.Op))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(out, "  %s -> %s [label = %s];\n", dotText(e.From), dotText(e.To), dotText(edgeText(e)))
	}
	fmt.Fprintln(out, "}")
}

// dotText is a text of several lines in quotes. In DOT a backslash begins an escape of a label, so it is doubled, and a
// line end is \n.
func dotText(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, l := range lines {
		escaped[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\r", " ").Replace(l)
	}
	return `"` + strings.Join(escaped, `\n`) + `"`
}

// viewMermaid writes a graph as a flowchart of Mermaid. Its names of nodes may not hold dots and quotes, so they are
// numbered.
func viewMermaid(out io.Writer, g *plan.Graph) {
	fmt.Fprintln(out, "flowchart LR")
	names := map[string]string{}
	for i, n := range g.Nodes {
		names[n.ID] = fmt.Sprintf("n%d", i+1)
		left, right := "(", ")"
		switch {
		case n.Address == "":
			left, right = "[(", ")]"
		case n.Op == plan.Decide:
			left, right = "{{", "}}"
		}
		fmt.Fprintf(out, "  %s%s%s%s:::%s\n", names[n.ID], left, mermaidText(nodeLines(n)...), right, className(n.Op))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(out, "  %s -->|%s| %s\n", names[e.From], mermaidText(edgeText(e)), names[e.To])
	}
	for _, op := range graphOps() {
		used := false
		for _, n := range g.Nodes {
			used = used || n.Op == op
		}
		if used {
			fmt.Fprintf(out, "  classDef %s stroke:%s\n", className(op), colourOf(op))
		}
	}
}

// className is an operation as the name of a class.
func className(op plan.Op) string {
	if op == "" {
		return "configured"
	}
	return strings.ReplaceAll(string(op), "-", "")
}

// mermaidText is a text of several lines in quotes. What means something within them is written as its code.
func mermaidText(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, l := range lines {
		escaped[i] = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;", "\n", " ", "\r", " ").Replace(l)
	}
	return `"` + strings.Join(escaped, "<br>") + `"`
}
