package older

import (
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang/yamlbody"
)

// Block is a block of the present language, made from nodes of an older file.
type Block struct {
	Type   string
	Labels []string
	from   *yaml.Node // what it was made from
	name   *yaml.Node // what its last label was made from; nil: from
	attrs  []attr
	blocks []*Block
	notes  []string // what a reader of the written block should know
}

// attr is an attribute. Its value is a node of the file or a made one.
type attr struct {
	name  string
	from  *yaml.Node // its key, or what stands for it
	value *yaml.Node
}

// File is what an older file says, in the present language.
type File struct {
	Blocks []*Block

	name  string
	tree  *yamlbody.Tree
	made  map[*yaml.Node]*yaml.Node // made nodes, and the node of the file that each stands for
	notes []string                  // about the whole file
	opts  Options
	diags hcl.Diagnostics
}

func (b *Block) add(a ...attr) { b.attrs = append(b.attrs, a...) }

// Names are the labels of the file's blocks of a type.
func (f *File) Names(typ string) (labels []string) {
	for _, b := range f.Blocks {
		if b.Type == typ {
			labels = append(labels, b.Labels...)
		}
	}
	return labels
}

// Publish adds an output with the domain, so that a plan can use the file's module.
func (f *File) Publish() {
	for _, b := range f.Blocks {
		if b.Type == "domain" {
			o := &Block{Type: "output", Labels: []string{"domain"}, from: f.mapping(b.from)}
			o.add(attr{name: "value", from: o.from, value: f.scalar("${domain."+b.Labels[0]+"}", b.from)})
			f.Blocks = append(f.Blocks, o)
			return
		}
	}
}

// scalar makes a text, or a number, that stands for a node of the file.
func (f *File) scalar(text string, from *yaml.Node) *yaml.Node {
	return f.keep(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, from)
}

func (f *File) number(x float64, from *yaml.Node) *yaml.Node {
	return f.keep(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: strconv.FormatFloat(x, 'f', -1, 64)}, from)
}

func (f *File) list(elements []*yaml.Node, from *yaml.Node) *yaml.Node {
	return f.keep(&yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: elements, LineComment: from.LineComment}, from)
}

func (f *File) keep(n, from *yaml.Node) *yaml.Node {
	if o := f.made[from]; o != nil {
		from = o
	}
	f.made[n] = from
	return n
}

// Body reads the file as a body of the present language. opts are those of the language's grammar.
func (f *File) Body(opts yamlbody.Options) hcl.Body {
	root := f.mapping(f.tree.Root)
	for _, b := range f.Blocks {
		f.place(root, b)
	}
	return f.tree.Body(root, f.made, opts)
}

func (f *File) mapping(from *yaml.Node) *yaml.Node {
	return f.keep(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, from)
}

// place puts a block into the mapping of its parent: below its type, and below one key a label.
func (f *File) place(parent *yaml.Node, b *Block) {
	at := parent
	for i, key := range append([]string{b.Type}, b.Labels...) {
		from := b.from
		if i > 0 && i == len(b.Labels) && b.name != nil {
			from = b.name
		}
		at = f.below(at, key, from)
	}
	for _, a := range b.attrs {
		at.Content = append(at.Content, f.scalar(a.name, a.from), a.value)
	}
	for _, c := range b.blocks {
		f.place(at, c)
	}
}

// below gives the mapping at a key of a made mapping, which it adds where it is not there.
func (f *File) below(m *yaml.Node, key string, from *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	v := f.mapping(from)
	m.Content = append(m.Content, f.scalar(key, from), v)
	return v
}
