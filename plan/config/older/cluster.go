package older

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang/yamlbody"
)

// clusterKeys are the keys of a cluster's file that have the same name in both forms.
func clusterKeys() []string {
	return []string{"backend", "sync_every_n_steps", "gradient_compression", "checkpoint_on_failure", "auto_restart_failed_nodes"}
}

// clusterFile are the keys of a cluster's file but self_improvement.
func clusterFile() []string { return append(clusterKeys(), "use_thunderbolt_bridge", "nodes") }

// clusterName is the label that a cluster gets: the older form had one cluster, and no name for it.
const clusterName = "main"

// cluster translates the machines and how they work together.
func (f *File) cluster(top map[string]yamlbody.Pair) {
	var pairs []yamlbody.Pair
	for _, p := range yamlbody.Pairs(f.tree.Root) {
		if contains(clusterFile(), p.Name()) {
			pairs = append(pairs, p)
		}
	}
	if len(pairs) == 0 {
		return
	}
	b := &Block{Type: "cluster", Labels: []string{clusterName}, from: pairs[0].Key}
	f.take(b, pairs, clusterKeys()...)
	if p, ok := top["use_thunderbolt_bridge"]; ok {
		f.lost(p, &b.notes, "How a node is connected is said by its connection_type.")
	}
	if p, ok := top["nodes"]; ok {
		b.from = p.Key
		list := yamlbody.Follow(p.Value)
		if list.Kind != yaml.SequenceNode && !null(list) {
			f.wrong(list, "nodes is a list of mappings, each with host and role.")
		}
		if list.Kind == yaml.SequenceNode {
			unique := names{}
			for _, e := range list.Content {
				if n := f.node(e, unique); n != nil {
					b.blocks = append(b.blocks, n)
				}
			}
		}
	}
	f.Blocks = append(f.Blocks, b)
}

// node translates one machine. Its name is the one that it has, or the first part of its host's.
func (f *File) node(e *yaml.Node, unique names) *Block {
	if yamlbody.Follow(e).Kind != yaml.MappingNode {
		f.wrong(e, "Each node is a mapping with host and role.")
		return nil
	}
	n := &Block{Type: "node", from: e}
	pairs := yamlbody.Pairs(e)
	name := ""
	for _, p := range pairs {
		v := yamlbody.Follow(p.Value)
		if v.Kind != yaml.ScalarNode || null(v) {
			continue
		}
		switch {
		case p.Name() == "name":
			name, n.name = identifier(v.Value, "node"), v
			if name != v.Value {
				n.notes = append(n.notes, fmt.Sprintf("Its name was %q.", v.Value))
			}
		case p.Name() == "host" && n.name == nil:
			name = v.Value
			if strings.Trim(name, "0123456789.") != "" { // no address
				name, _, _ = strings.Cut(name, ".")
			}
			name = identifier(name, "node")
		}
	}
	if name == "" {
		name = "node"
	}
	n.Labels = []string{unique.unique(name)}
	own := []string{"host", "role", "device_type", "chip", "memory_gb", "connection_type", "ssh_user", "ssh_port", "can_generate", "can_train"}
	f.take(n, pairs, own...)
	f.unknown(pairs, &n.notes, "a node", append(own, "name")...)
	return n
}

// cycle takes the settings of the cycle, which are the present ones: a block without a name.
func (f *File) cycle(top map[string]yamlbody.Pair) {
	p, ok := top["self_improvement"]
	if !ok {
		return
	}
	b := &Block{Type: "self_improvement", from: p.Key}
	pairs := f.fields(p, "the cycle's settings")
	f.grammar(b, pairs, f.opts.Cycle)
	var known []string
	for _, a := range f.opts.Cycle.Attributes {
		known = append(known, a.Name)
	}
	for _, t := range f.opts.Cycle.Blocks {
		known = append(known, t.Type)
	}
	f.unknown(pairs, &b.notes, "self_improvement", known...)
	f.Blocks = append(f.Blocks, b)
}

// grammar takes what a grammar of the present language names, as it is.
func (f *File) grammar(b *Block, pairs []yamlbody.Pair, schema *hcl.BodySchema) {
	nested := map[string]bool{}
	for _, t := range schema.Blocks {
		nested[t.Type] = true
	}
	own := map[string]bool{}
	for _, a := range schema.Attributes {
		own[a.Name] = true
	}
	for _, p := range pairs {
		v := yamlbody.Follow(p.Value)
		switch {
		case null(v):
		case own[p.Name()]:
			b.add(attr{name: p.Name(), from: p.Key, value: p.Value})
		case nested[p.Name()]:
			c := &Block{Type: p.Name(), from: p.Key}
			for _, q := range f.fields(p, "settings") {
				if !hclsyntax.ValidIdentifier(q.Name()) {
					f.wrong(q.Key, "%q cannot be the name of a setting.", q.Name())
					continue
				}
				c.add(attr{name: q.Name(), from: q.Key, value: q.Value})
			}
			b.blocks = append(b.blocks, c)
		}
	}
}
