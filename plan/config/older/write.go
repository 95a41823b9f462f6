package older

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang/yamlbody"
)

// HCL writes the file in the present language. Comments say what could not be carried over, and the older file's own
// comments stay.
func (f *File) HCL() []byte {
	out := hclwrite.NewEmptyFile()
	comment(out.Body(), "Made from "+f.name+".")
	for _, n := range f.notes {
		comment(out.Body(), n)
	}
	for _, b := range f.Blocks {
		out.Body().AppendNewline()
		f.write(out.Body(), b)
	}
	return append(bytes.TrimRight(hclwrite.Format(out.Bytes()), "\n"), '\n')
}

// write appends a block: its notes, its attributes, its blocks.
func (f *File) write(into *hclwrite.Body, b *Block) {
	for _, text := range comments(b.from) {
		comment(into, text)
	}
	for _, n := range b.notes {
		comment(into, n)
	}
	body := into.AppendNewBlock(b.Type, b.Labels).Body()
	for _, a := range b.attrs {
		var above []string
		if a.from != b.from {
			above = comments(a.from)
		}
		for _, text := range append(above, comments(&yaml.Node{LineComment: yamlbody.Follow(a.value).LineComment})...) {
			comment(body, text)
		}
		body.SetAttributeRaw(a.name, value(a.value))
	}
	for i, c := range b.blocks {
		if i > 0 || len(b.attrs) > 0 {
			body.AppendNewline()
		}
		f.write(body, c)
	}
}

func comment(body *hclwrite.Body, text string) {
	body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + strings.Join(strings.Fields(text), " ") + "\n")}})
}

// comments are those above a node and behind it.
func comments(n *yaml.Node) (out []string) {
	for _, text := range []string{n.HeadComment, n.LineComment} {
		for _, line := range strings.Split(text, "\n") {
			if line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#")); line != "" {
				out = append(out, line)
			}
		}
	}
	return out
}

// value spells a value. All texts of the translation are templates: where ${ has no meaning it is escaped.
func value(n *yaml.Node) hclwrite.Tokens {
	n = yamlbody.Follow(n)
	switch n.Kind {
	case yaml.SequenceNode:
		elements := make([]hclwrite.Tokens, len(n.Content))
		for i, e := range n.Content {
			elements[i] = value(e)
		}
		return hclwrite.TokensForTuple(elements)
	case yaml.MappingNode:
		var attrs []hclwrite.ObjectAttrTokens
		for _, p := range yamlbody.Pairs(n) {
			key := text(p.Name())
			if hclsyntax.ValidIdentifier(p.Name()) {
				key = hclwrite.TokensForIdentifier(p.Name())
			}
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: key, Value: value(p.Value)})
		}
		return hclwrite.TokensForObject(attrs)
	}
	if v, err := yamlbody.Scalar(n); err == nil && (v.IsNull() || v.Type() != cty.String) {
		return hclwrite.TokensForValue(v)
	}
	return text(n.Value)
}

// text spells a template: as an expression where it is one ${…} and nothing else, over several lines where it has some,
// and in quotes otherwise.
func text(s string) hclwrite.Tokens {
	if inner, ok := strings.CutPrefix(s, "${"); ok && strings.HasSuffix(inner, "}") {
		inner = strings.TrimSuffix(inner, "}")
		if _, diags := hclsyntax.ParseExpression([]byte(inner), "", hcl.InitialPos); !diags.HasErrors() {
			return raw(inner)
		}
	}
	if doc := heredoc(s); doc != "" {
		return raw(doc)
	}
	tokens := hclwrite.TokensForValue(cty.StringVal(s))
	for _, t := range tokens { // which escapes them once more
		t.Bytes = []byte(strings.NewReplacer("$${", "${", "%%{", "%{").Replace(string(t.Bytes)))
	}
	return tokens
}

func raw(s string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(s)}}
}

// heredoc spells a text of several lines; "" where it is none, or would not read back as it is.
func heredoc(s string) string {
	if strings.Count(s, "\n") < 2 || !strings.HasSuffix(s, "\n") {
		return ""
	}
	doc := "<<EOT\n" + s + "EOT"
	want, diags := hclsyntax.ParseTemplate([]byte(s), "", hcl.InitialPos)
	got, more := hclsyntax.ParseExpression([]byte(doc+"\n"), "", hcl.InitialPos)
	if diags.HasErrors() || more.HasErrors() {
		return ""
	}
	a, diags := want.Value(nil)
	b, more := got.Value(nil)
	if diags.HasErrors() || more.HasErrors() || !a.RawEquals(b) {
		return ""
	}
	return doc
}
