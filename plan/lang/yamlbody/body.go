package yamlbody

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang"
)

// body is a mapping read as a body.
type body struct {
	f      *file
	node   *yaml.Node // a mapping, or null for an empty body
	def    *hcl.Range // the key that holds it; nil at the top of the file
	hidden map[string]bool
}

type pair struct{ key, val *yaml.Node }

// pairs are the keys and values of a mapping in order, with merged mappings behind its own keys.
func pairs(n *yaml.Node) []pair {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	out := make([]pair, 0, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			merged = append(merged, n.Content[i+1])
			continue
		}
		out = append(out, pair{n.Content[i], n.Content[i+1]})
	}
	if len(merged) == 0 {
		return out
	}
	seen := map[string]bool{}
	for _, p := range out {
		seen[p.name()] = true
	}
	for _, m := range merged {
		sources := []*yaml.Node{m}
		if t := follow(m); t.Kind == yaml.SequenceNode {
			sources = t.Content
		}
		for _, s := range sources {
			for _, p := range pairs(s) {
				if !seen[p.name()] {
					seen[p.name()] = true
					out = append(out, p)
				}
			}
		}
	}
	return out
}

func (p pair) name() string { return follow(p.key).Value }

func (b *body) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, rest, diags := b.PartialContent(schema)
	used := rest.(*body).hidden
	var names []string
	for _, a := range schema.Attributes {
		if !used[a.Name] {
			names = append(names, a.Name)
		}
	}
	for _, bl := range schema.Blocks {
		names = append(names, bl.Type)
	}
	for _, p := range pairs(b.node) {
		if !used[p.name()] {
			rng := b.f.rangeOf(p.key)
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Unsupported argument",
				Detail:  fmt.Sprintf("Nothing named %q is expected here.%s", p.name(), lang.DidYouMean(p.name(), names)),
				Subject: &rng,
			})
		}
	}
	return content, diags
}

func (b *body) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content := &hcl.BodyContent{Attributes: hcl.Attributes{}, MissingItemRange: b.MissingItemRange()}
	rest := &body{f: b.f, node: b.node, def: b.def, hidden: map[string]bool{}}
	for k := range b.hidden {
		rest.hidden[k] = true
	}
	attrs := make(map[string]bool, len(schema.Attributes))
	for _, a := range schema.Attributes {
		attrs[a.Name] = true
	}
	blocks := make(map[string]*hcl.BlockHeaderSchema, len(schema.Blocks))
	for i := range schema.Blocks {
		blocks[schema.Blocks[i].Type] = &schema.Blocks[i]
	}
	var diags hcl.Diagnostics
	for _, p := range pairs(b.node) {
		name := p.name()
		if b.hidden[name] {
			continue
		}
		if attrs[name] {
			content.Attributes[name] = b.attribute(p)
			rest.hidden[name] = true
		} else if bl := blocks[name]; bl != nil {
			u := unpacker{b: b, typ: name, typeRange: b.f.rangeOf(p.key)}
			u.unpack(p.val, bl.LabelNames, u.typeRange)
			content.Blocks = append(content.Blocks, u.blocks...)
			diags = append(diags, u.diags...)
			rest.hidden[name] = true
		}
	}
	for _, a := range schema.Attributes {
		if a.Required && content.Attributes[a.Name] == nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Missing required argument",
				Detail:  fmt.Sprintf("The argument %q is required, but no definition was found.", a.Name),
				Subject: b.MissingItemRange().Ptr(),
			})
		}
	}
	return content, rest, diags
}

func (b *body) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	attrs := hcl.Attributes{}
	for _, p := range pairs(b.node) {
		if !b.hidden[p.name()] {
			attrs[p.name()] = b.attribute(p)
		}
	}
	return attrs, nil
}

func (b *body) MissingItemRange() hcl.Range {
	if b.def != nil {
		return *b.def
	}
	return b.f.span(b.f.lines[0], b.f.lines[0])
}

func (b *body) attribute(p pair) *hcl.Attribute {
	name, val := b.f.rangeOf(p.key), b.f.rangeOf(p.val)
	all := name
	if val.Start.Byte >= name.End.Byte && follow(p.val).Kind == yaml.ScalarNode || val.Start.Line == name.Start.Line {
		all = hcl.RangeBetween(name, val)
	}
	return &hcl.Attribute{Name: p.name(), Expr: &expression{f: b.f, n: p.val, rng: val}, Range: all, NameRange: name}
}

// unpacker turns what stands below a block type into blocks.
type unpacker struct {
	b         *body
	typ       string
	typeRange hcl.Range
	labels    []string
	ranges    []hcl.Range
	blocks    hcl.Blocks
	diags     hcl.Diagnostics
}

func (u *unpacker) unpack(n *yaml.Node, labels []string, def hcl.Range) {
	target := follow(n)
	if len(labels) > 0 && len(u.labels) == 0 && u.unlabelled(target) {
		for range labels {
			u.labels, u.ranges = append(u.labels, ""), append(u.ranges, u.typeRange)
		}
		u.add(target, def)
		u.labels, u.ranges = nil, nil
		return
	}
	if len(labels) > 0 {
		u.label(target, labels, def)
		return
	}
	switch {
	case target.Kind == yaml.MappingNode || isNull(target):
		u.add(target, def)
	case target.Kind == yaml.SequenceNode:
		for _, e := range target.Content {
			e := follow(e)
			if e.Kind != yaml.MappingNode && !isNull(e) {
				u.fail(e, fmt.Sprintf("Each element here is a %s block, which is a mapping.", u.typ))
				continue
			}
			u.add(e, u.b.f.rangeOf(e))
		}
	default:
		u.fail(target, fmt.Sprintf("Here stands the mapping that is the %s block, or a sequence of mappings for several blocks.", u.typ))
	}
}

func (u *unpacker) label(n *yaml.Node, labels []string, def hcl.Range) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		if isNull(n) || n.Kind == yaml.MappingNode {
			u.diags = append(u.diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Missing block label",
				Detail:  fmt.Sprintf("Below %s stands a mapping whose keys are the %s of each block.", u.typ, labels[0]),
				Subject: &def,
			})
			return
		}
		u.fail(n, fmt.Sprintf("Below %s stands a mapping whose keys are the %s of each block.", u.typ, labels[0]))
		return
	}
	for _, p := range pairs(n) {
		rng := u.b.f.rangeOf(p.key)
		u.labels, u.ranges = append(u.labels, p.name()), append(u.ranges, rng)
		u.unpack(p.val, labels[1:], rng)
		u.labels, u.ranges = u.labels[:len(u.labels)-1], u.ranges[:len(u.ranges)-1]
	}
}

func (u *unpacker) unlabelled(n *yaml.Node) bool {
	if u.b.f.opts.Unlabelled == nil || n.Kind != yaml.MappingNode {
		return false
	}
	var keys []Key
	for _, p := range pairs(n) {
		keys = append(keys, Key{Name: p.name(), Mapping: follow(p.val).Kind == yaml.MappingNode})
	}
	return u.b.f.opts.Unlabelled(u.typ, keys)
}

func (u *unpacker) add(n *yaml.Node, def hcl.Range) {
	u.blocks = append(u.blocks, &hcl.Block{
		Type: u.typ, Labels: append([]string(nil), u.labels...), LabelRanges: append([]hcl.Range(nil), u.ranges...),
		TypeRange: u.typeRange, DefRange: def, Body: &body{f: u.b.f, node: n, def: &def},
	})
}

func (u *unpacker) fail(n *yaml.Node, detail string) {
	rng := u.b.f.rangeOf(n)
	u.diags = append(u.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not a block", Detail: detail, Subject: &rng})
}

// nav answers where a byte offset lies, for the head line of a diagnostic.
type nav struct {
	f    *file
	root *yaml.Node
}

// ContextString names the block around offset: trainer "llama" "student".
func (v nav) ContextString(offset int) string {
	n, name, labels := v.root, "", 0
	for {
		var at *pair
		ps := pairs(n)
		for i := range ps {
			if v.f.offset(ps[i].key.Line, ps[i].key.Column) <= offset {
				at = &ps[i]
			}
		}
		if at == nil {
			return name
		}
		if name == "" {
			name = at.name()
			if v.f.opts.Labels != nil {
				labels = v.f.opts.Labels(name)
			}
			var keys []Key
			for _, p := range pairs(at.val) {
				keys = append(keys, Key{p.name(), follow(p.val).Kind == yaml.MappingNode})
			}
			if v.f.opts.Unlabelled != nil && v.f.opts.Unlabelled(name, keys) {
				labels = 0
			}
		} else {
			name += fmt.Sprintf(" %q", strings.TrimSpace(at.name()))
			labels--
		}
		if labels <= 0 {
			return name
		}
		n = at.val
	}
}
