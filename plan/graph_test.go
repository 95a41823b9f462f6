package plan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/config"
	"jupiter/state"
)

func graph(t *testing.T, cfg *config.Config, m *memory) *Graph {
	t.Helper()
	g, err := MakeGraph(t.Context(), cfg, m, probe{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// into are the edges that lead to a node.
func (g *Graph) into(id string) (all []string) {
	for _, e := range g.Edges {
		if e.To == id {
			all = append(all, e.Input+" "+e.From)
		}
	}
	return all
}

// TestGraph: the nodes are the plan's changes in their order, each edge leads from an earlier node to a later one, and
// what was recorded before stands at the beginning.
func TestGraph(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	for turn := range 2 {
		p, g := plans(t, cfg, m), graph(t, cfg, m)
		at := map[string]int{}
		var actions []Node
		for i, n := range g.Nodes {
			if _, dup := at[n.ID]; dup {
				t.Errorf("turn %d: two nodes are %s", turn, n.ID)
			}
			at[n.ID] = i
			if n.Kind != RecordedArtifact {
				actions = append(actions, n)
			}
		}
		if len(actions) != len(p.Changes) {
			t.Fatalf("turn %d: %d nodes, %d changes", turn, len(actions), len(p.Changes))
		}
		for i, c := range p.Changes {
			if want := (Node{ID: string(c.Address), Address: c.Address, Kind: c.Kind, Op: c.Op, Unknown: c.Unknown, Title: c.Title}); actions[i] != want {
				t.Errorf("turn %d: node %+v, want %+v", turn, actions[i], want)
			}
		}
		for _, e := range g.Edges {
			from, ok := at[e.From]
			to, ok2 := at[e.To]
			if !ok || !ok2 || from >= to {
				t.Errorf("turn %d: edge %+v does not lead on", turn, e)
			}
		}
		want := []string{"challenger trainer.t.student.select", "incumbent self_improvement.c.base", "benchmark domain.d.benchmark"}
		if turn == 1 {
			want[1] = "incumbent " + m.facts.Generator().Digest
			if i := slices.IndexFunc(g.Nodes, func(n Node) bool { return n.ID == m.facts.Generator().Digest }); i < 0 || g.Nodes[i].Title != "generator v2" {
				t.Errorf("the generator in use is no node: %+v", g.Nodes)
			}
		}
		if d := cmp.Diff(want, g.into("evaluator.t.p")); d != "" {
			t.Errorf("turn %d, what the evaluator reads (-want +got):\n%s", turn, d)
		}
		m.run(t, p, 0)
		m.decide(state.Promote)
	}
}

// TestGraphOfTheEnd: a cycle that has ended is drawn as it is configured, with no operations.
func TestGraphOfTheEnd(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t, "benchmark_samples        = 700", "benchmark_samples        = 700\n  max_cycles = 1"), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	m.decide(state.Promote)
	g := graph(t, cfg, m)
	if g.Cycles[0].Terminal != Done || len(g.Nodes) < 10 || len(g.Edges) < 10 {
		t.Fatalf("%s, %d nodes, %d edges", g.Cycles[0].Terminal, len(g.Nodes), len(g.Edges))
	}
	for _, n := range g.Nodes {
		if n.Op != "" || n.Unknown || n.Kind != RecordedArtifact && n.Title != "" {
			t.Errorf("nothing is planned, and there is %+v", n)
		}
	}
	if d := cmp.Diff([]string{"dataset self_improvement.c.mix"}, g.into("trainer.t.student")[:1]); d != "" {
		t.Error(d)
	}
}
