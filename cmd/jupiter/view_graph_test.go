package main

import (
	"bytes"
	"testing"

	"github.com/awalterschulze/gographviz"

	"jupiter/plan"
)

// TestGraphQuoting: whatever an address and a title hold, the graph is well-formed, and each text stays one text.
func TestGraphQuoting(t *testing.T) {
	t.Parallel()
	const odd = `source.web.site["a\\\"b"]`
	g := &plan.Graph{
		Nodes: []plan.Node{
			{ID: odd, Address: odd, Kind: plan.Collect, Op: plan.Create, Title: "into \"real\"; }\n<b> #1 `x` \\"},
			{ID: "sha256:9f", Kind: plan.RecordedArtifact, Title: "generator v2"},
			{ID: "self_improvement.a.promotion", Address: "self_improvement.a.promotion", Kind: plan.Promote, Op: plan.Decide, Unknown: true},
		},
		Edges: []plan.Edge{{From: odd, To: "self_improvement.a.promotion", Input: "records." + odd}, {From: "sha256:9f", To: odd, Input: `"`}},
	}
	var dot bytes.Buffer
	viewDOT(&dot, g)
	read, err := gographviz.Read(dot.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, dot.String())
	}
	if len(read.Nodes.Nodes) != 3 || len(read.Edges.Edges) != 2 || !read.Directed {
		t.Errorf("%d nodes, %d edges:\n%s", len(read.Nodes.Nodes), len(read.Edges.Edges), dot.String())
	}
	if e := read.Edges.Edges[0]; e.Attrs["label"] != `"records"` || e.Src != read.Nodes.Nodes[0].Name {
		t.Errorf("edge %+v", e)
	}
	var mermaid bytes.Buffer
	viewMermaid(&mermaid, g)
	want := "flowchart LR\n" +
		"  n1(\"+ source.web.site[#quot;a\\\\\\#quot;b#quot;]<br>into #quot;real#quot;; } #lt;b#gt; #35;1 #96;x#96; \\\"):::create\n" +
		"  n2[(\"generator v2\")]:::configured\n" +
		"  n3{{\"? self_improvement.a.promotion<br>may run\"}}:::decide\n" +
		"  n1 -->|\"records\"| n3\n  n2 -->|\"#quot;\"| n1\n" +
		"  classDef create stroke:#2e7d32\n  classDef decide stroke:#6a1b9a\n  classDef configured stroke:#9e9e9e\n"
	if mermaid.String() != want {
		t.Errorf("got\n%s\nwant\n%s", mermaid.String(), want)
	}
}
