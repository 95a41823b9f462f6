package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// form is the grammar of one block's body: one table that the decoder and the JSON Schema both read. A decoder takes its
// hcl.BodySchema from it, and asks its attributes for their bounds and words by name, so what is in no table cannot be
// decoded. grammar_*.go have the tables.
type form struct {
	doc    string
	attrs  []attribute
	blocks []nested
	names  *attribute // attributes of any other name, as in locals; nil: there are none
	plugin string     // kind of the stage whose schema has the rest; "": there is none
}

// attribute is one attribute of a block.
type attribute struct {
	name      string
	kind      valueKind
	required  bool
	def       any    // what it is where nothing is said; nil: see otherwise
	otherwise string // the same in words, where it is no constant: "the only one"
	doc       string

	lo, hi float64  // of a number or count, both included; hi 0: none
	above  bool     // the number is above lo, and not lo itself
	words  []string // of a choice or a list of choices; of shares, limits and weights: the keys that there are
	refs   []string // of a reference or a list of them: the kinds that it may lead to
}

// valueKind says what an attribute takes. There is one decoder a kind, in fields.go.
type valueKind int

const (
	anyValue     valueKind = iota // anything that an expression gives
	textValue                     // str
	flagValue                     // flag
	numberValue                   // num, within, positive
	countValue                    // count
	textsValue                    // strs
	choiceValue                   // choice
	spanValue                     // duration
	sharesValue                   // shares: numbers from 0 to 1 by name
	partsValue                    // an object of numbers, all optional, with the keys in words
	listsValue                    // lists: lists of texts by name
	wordsValue                    // choices: a list of words
	headersValue                  // hiddenTexts: texts by name, which may be sensitive
	refValue                      // ref
	refsValue                     // refList
	modelValue                    // trainerOrPath: a trainer, or the path of a model from elsewhere
	domainValue                   // domain
	typeValue                     // a type constraint: list(string)
	stageValue                    // the address of a stage, which is not evaluated
	namesValue                    // names: attributes of the block around, bare or as texts
	pluginValue                   // { source, version }
)

// nested is a type of block within another one, or in a file.
type nested struct {
	typ    string
	labels []string
	form   *form
	many   bool     // without labels: it may stand several times
	bare   bool     // it may do without its label
	only   []string // the names that there are; nil: any
	need   []string // attributes that a block with a label needs, and one without does not
}

// body is what HCL needs to know of a form. What belongs to a plugin, or has a name of its own, is left over.
func (g *form) body() *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, a := range g.attrs {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: a.name, Required: a.required})
	}
	for _, b := range g.blocks {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: b.typ, LabelNames: b.labels})
	}
	return s
}

// attr gives the attribute of a name that a decoder decodes as kind.
func (g *form) attr(name string, kind valueKind) attribute {
	for _, a := range g.attrs {
		if a.name == name && a.kind == kind {
			return a
		}
	}
	if g.names != nil && g.names.kind == kind {
		return *g.names
	}
	panic(fmt.Sprintf("no table of the grammar has %s as kind %d", name, kind)) // a decoder and its table do not agree
}

// own are the names of a form's attributes and blocks.
func (g *form) own() (names []string) {
	for _, a := range g.attrs {
		names = append(names, a.name)
	}
	for _, b := range g.blocks {
		names = append(names, b.typ)
	}
	return names
}
