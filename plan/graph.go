package plan

import (
	"context"

	"jupiter/plan/addr"
	"jupiter/plan/config"
)

// Graph is the next turn of every cycle as nodes and edges. A node is an action, or a recorded artifact that the turn
// begins with: the generator in use, the student's checkpoint. An edge leads from what gives an artifact to what reads
// it. Nodes come in an order in which they can run, edges in the order of what reads.
//
// A cycle that has ended plans nothing. Its pipeline is drawn all the same, as one more turn of it would be, with
// neither operations nor titles.
type Graph struct {
	Cycles []*CyclePlan `json:"cycles"`
	Nodes  []Node       `json:"nodes"`
	Edges  []Edge       `json:"edges"`
}

// Node is one node of a graph.
type Node struct {
	ID      string       `json:"id"`      // the address of an action, the digest of an artifact
	Address addr.Address `json:"address"` // "": an artifact
	Kind    Kind         `json:"kind"`
	Op      Op           `json:"op"`      // "": nothing is planned
	Unknown bool         `json:"may_run"` // whether it runs depends on what comes out of another action
	Title   string       `json:"title"`
}

// RecordedArtifact is the kind of a node that is an artifact from before.
const RecordedArtifact Kind = "recorded"

// Edge says that one node reads what another gives.
type Edge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Input string `json:"input"` // what the reader calls it
}

// MakeGraph plans the next turn of every cycle and draws it.
func MakeGraph(ctx context.Context, cfg *config.Config, rec Recorded, probe Probe) (*Graph, error) {
	p, err := Make(ctx, cfg, rec, probe, Options{})
	if err != nil {
		return nil, err
	}
	rec = afterMoves(rec, p.Moves)
	changes := map[addr.Address]Change{}
	for _, c := range p.Changes {
		changes[c.Address] = c
	}
	x := &expander{probe: probe, single: len(cfg.Cycles) == 1, domains: map[string]*ground{}}
	d := &graphing{Graph: &Graph{Cycles: p.Cycles, Nodes: []Node{}, Edges: []Edge{}}, changes: changes, seen: map[string]bool{}}
	for i, c := range cfg.Cycles {
		actions := p.Cycles[i].Actions
		if p.Cycles[i].Terminal != Running {
			x.out = &actions
			if err := x.cycle(ctx, c, rec.Facts(c.Addr)); err != nil {
				return nil, err
			}
		}
		for _, a := range actions {
			d.draw(a)
		}
	}
	return d.Graph, nil
}

// graphing is one call of MakeGraph.
type graphing struct {
	*Graph
	changes map[addr.Address]Change
	seen    map[string]bool // IDs of nodes
}

// draw adds an action with the edges that lead to it. One that two cycles share is drawn once.
func (d *graphing) draw(a *Action) {
	n := Node{ID: string(a.Address), Address: a.Address, Kind: a.Kind}
	if ch, ok := d.changes[a.Address]; ok {
		n.Op, n.Unknown, n.Title = ch.Op, ch.Unknown, ch.Title
	}
	if d.seen[n.ID] {
		return
	}
	for _, in := range a.Inputs {
		switch {
		case in.From != nil:
			d.Edges = append(d.Edges, Edge{From: string(in.From.Address), To: n.ID, Input: in.Name})
		case in.Label != "":
			d.node(Node{ID: in.Digest, Kind: RecordedArtifact, Title: in.Name + " " + in.Label})
			d.Edges = append(d.Edges, Edge{From: in.Digest, To: n.ID, Input: in.Name})
		}
	}
	for _, before := range a.After {
		d.Edges = append(d.Edges, Edge{From: string(before.Address), To: n.ID, Input: "depends_on"})
	}
	d.node(n)
}

func (d *graphing) node(n Node) {
	if !d.seen[n.ID] {
		d.seen[n.ID] = true
		d.Nodes = append(d.Nodes, n)
	}
}
