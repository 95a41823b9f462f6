package yamlbody

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"gopkg.in/yaml.v3"
)

// Tree is a file as nodes, for a reader that makes another tree from it. It has passed all checks of Parse.
type Tree struct {
	Root *yaml.Node // a mapping
	f    *file
}

// ParseTree reads src without a grammar. The file is never nil, so that a diagnostic can show its source; the Tree is
// nil where the YAML is not well-formed.
func ParseTree(src []byte, filename string) (*Tree, *hcl.File, hcl.Diagnostics) {
	f := &file{name: filename, src: src, lines: lineTable(src, false), yamlLines: lineTable(src, true),
		long: tables{chars: map[int][]int{}, marks: map[int][]mark{}}}
	out := &hcl.File{Bytes: src}
	root, diags := f.parseRoot()
	if diags.HasErrors() {
		return nil, out, diags
	}
	out.Nav = nav{f: f, root: root}
	return &Tree{Root: root, f: f}, out, nil
}

// Range is where a node of the tree stands. A collection's range ends with the line that it begins on.
func (t *Tree) Range(n *yaml.Node) hcl.Range { return t.f.rangeOf(n) }

// Body reads another tree as a body with this file's positions. Its nodes are the file's own, or made ones: from says
// which node of the file a made one stands for, and all made ones are in it.
func (t *Tree) Body(root *yaml.Node, from map[*yaml.Node]*yaml.Node, opts Options) hcl.Body {
	f := *t.f
	f.from, f.opts = from, opts
	return &body{f: &f, node: root}
}

// Pair is a key of a mapping with its value.
type Pair struct{ Key, Value *yaml.Node }

// Name is the key's text.
func (p Pair) Name() string { return follow(p.Key).Value }

// Pairs are the keys and values of a mapping in order, merged mappings behind its own keys; none for another node.
func Pairs(n *yaml.Node) []Pair {
	own := pairs(n)
	out := make([]Pair, len(own))
	for i, p := range own {
		out[i] = Pair{p.key, p.val}
	}
	return out
}

// Follow gives the node behind an alias.
func Follow(n *yaml.Node) *yaml.Node { return follow(n) }

// Scalar is the value of a scalar that is taken as it stands, without templates.
func Scalar(n *yaml.Node) (cty.Value, error) {
	v, problem := scalar(n)
	if problem != "" {
		return cty.NilVal, errors.New(problem)
	}
	return v, nil
}
