package yamlbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang"
)

// Bounds on a YAML file.
const (
	maxSize  = 16 << 20 // bytes
	maxDepth = 100      // nested mappings and sequences
	maxAlias = 100_000  // nodes that aliases add
)

// Options say what the schema of a body cannot.
type Options struct {
	// Unlabelled says whether the mapping below a block type that takes labels is the block itself, going by its keys
	// and by which of them hold mappings. nil: never. Such a block gets empty labels.
	Unlabelled func(blockType string, keys []Key) bool
	// Labels says how many labels a block type at the top of the file takes, for naming blocks. nil: none.
	Labels func(blockType string) int
}

// Key is a key of a mapping, and whether its value is a mapping.
type Key struct {
	Name    string
	Mapping bool
}

// file is what all nodes of one source share.
type file struct {
	name string
	src  []byte
	opts Options
	from map[*yaml.Node]*yaml.Node // what a made node stands for; nil: all nodes are the source's own

	long             tables
	lines, yamlLines []int // byte offset of the beginning of each line, as people and as YAML count them
}

// Parse reads src. The file is never nil, so that a diagnostic can show its source; its Body is nil where the YAML is
// not well-formed.
func Parse(src []byte, filename string, opts Options) (*hcl.File, hcl.Diagnostics) {
	t, out, diags := ParseTree(src, filename)
	if diags.HasErrors() {
		return out, diags
	}
	t.f.opts = opts
	out.Body = &body{f: t.f, node: t.Root}
	out.Nav = nav{f: t.f, root: t.Root}
	return out, nil
}

// parseRoot gives the mapping that a file is.
func (f *file) parseRoot() (*yaml.Node, hcl.Diagnostics) {
	if len(f.src) > maxSize {
		return nil, f.errorAt(1, 1, "File too large", fmt.Sprintf("A YAML file may have %d MiB.", maxSize>>20))
	}
	if i := lang.InvalidUTF8(f.src); i >= 0 {
		p := f.at(i)
		return nil, f.errorAt(p.Line, p.Column, "Invalid encoding", "The file is not UTF-8 text.")
	}
	dec := yaml.NewDecoder(bytes.NewReader(f.src))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		doc = yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	} else if err != nil {
		return nil, f.syntax(err)
	} else {
		var second yaml.Node
		if err := dec.Decode(&second); err == nil {
			return nil, f.errorAt(second.Line, second.Column, "Second document", "A file holds one YAML document.")
		} else if !errors.Is(err, io.EOF) {
			return nil, f.syntax(err)
		}
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode {
		root = doc.Content[0]
	}
	if isNull(root) {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	c := &checker{f: f, sizes: map[*yaml.Node]int{}}
	c.check(root, 1)
	if len(c.diags) > 0 {
		return nil, c.diags
	}
	if root.Kind != yaml.MappingNode {
		return nil, f.errorAt(root.Line, root.Column, "Not a mapping", "The file must be a mapping, from names to what they stand for.")
	}
	return root, nil
}

// parserProblems are the problems that yaml.v3 reports with a line that counts from 0; all others count from 1.
var parserProblems = regexp.MustCompile(`^(did not find expected (',' or|key|node content|'-' indicator|<)|found undefined tag handle)`)

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

var lineInError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax turns the parser's error into a diagnostic at its line.
func (f *file) syntax(err error) hcl.Diagnostics {
	line, msg := 1, err.Error()
	if m := lineInError.FindStringSubmatch(strings.ReplaceAll(msg, "\n", " ")); m != nil {
		msg = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if parserProblems.MatchString(msg) {
				line++
			}
		}
	}
	line = min(max(line, 1), len(f.lines))
	if m := unknownAnchor.FindStringSubmatch(msg); m != nil { // the parser says no line
		if at := regexp.MustCompile(`\*` + regexp.QuoteMeta(m[1]) + `(?:[^\pL\pN_-]|$)`).FindIndex(f.src); at != nil {
			rng := f.span(at[0], at[0]+1+len(m[1]))
			return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid YAML", Subject: &rng,
				Detail: fmt.Sprintf("The alias *%s has no anchor &%s before it. A text that begins with * stands in quotes.", m[1], m[1])}}
		}
	}
	detail := fmt.Sprintf("The YAML is not well-formed: %s.", msg)
	if strings.HasSuffix(msg, "expected key") {
		detail += " The mapping that begins here has a line whose indentation or colon is wrong."
	}
	if text := f.line(line); bytes.Contains(text, []byte("${")) && bytes.ContainsAny(text, "{[") {
		detail += ` Between [ ] and { } a template stands in quotes: "${…}".`
	}
	rng := hcl.Range{Filename: f.name, Start: f.at(f.lines[line-1]), End: f.at(f.lines[line-1] + len(f.line(line)))}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid YAML", Detail: detail, Subject: &rng}}
}

func (f *file) errorAt(line, col int, summary, detail string) hcl.Diagnostics {
	p := f.pos(line, col)
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &hcl.Range{Filename: f.name, Start: p, End: p}}}
}

// checker walks all nodes once, before any of them is used.
type checker struct {
	f     *file
	sizes map[*yaml.Node]int // expanded size; 0: being measured
	extra int                // nodes that aliases add
	diags hcl.Diagnostics
}

// check gives the expanded size of n.
func (c *checker) check(n *yaml.Node, depth int) int {
	if len(c.diags) > 0 {
		return 1
	}
	if depth > maxDepth {
		c.diags = c.f.errorAt(n.Line, n.Column, "Nested too deeply", fmt.Sprintf("Mappings and sequences may be nested %d deep.", maxDepth))
		return 1
	}
	if n.Kind == yaml.AliasNode {
		return c.alias(n)
	}
	if n.Kind == yaml.ScalarNode {
		c.tag(n, "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge")
		return 1
	}
	c.sizes[n] = 0
	size := 1
	for _, e := range n.Content {
		size = min(size+c.check(e, depth+1), maxAlias+1)
	}
	c.sizes[n] = size
	if n.Kind == yaml.MappingNode {
		c.tag(n, "!!map")
		c.keys(n)
	} else {
		c.tag(n, "!!seq")
	}
	return size
}

func (c *checker) alias(n *yaml.Node) int {
	size, seen := c.sizes[n.Alias]
	if n.Alias.Kind == yaml.ScalarNode {
		size, seen = 1, true
	}
	switch {
	case !seen || size == 0:
		c.diags = append(c.diags, c.f.errorAt(n.Line, n.Column, "Endless alias", fmt.Sprintf("The anchor %q contains itself.", n.Value))...)
		return 1
	case c.extra+size > maxAlias:
		c.diags = append(c.diags, c.f.errorAt(n.Line, n.Column, "Aliases expand too far",
			fmt.Sprintf("The aliases of a file may add %d nodes in all.", maxAlias))...)
		return 1
	}
	c.extra += size
	return size
}

// tag refuses tags that the language has no type for.
func (c *checker) tag(n *yaml.Node, known ...string) {
	t := n.ShortTag()
	for _, k := range known {
		if t == k {
			return
		}
	}
	c.diags = append(c.diags, c.f.errorAt(n.Line, n.Column, "Unknown tag", fmt.Sprintf("The tag %s is not understood here.", t))...)
}

// keys refuses keys that are not text, and duplicates.
func (c *checker) keys(n *yaml.Node) {
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode || k.ShortTag() == "!!null" {
			c.diags = append(c.diags, c.f.errorAt(k.Line, k.Column, "Key is not text", "A key of a mapping must be a word or a text in quotes.")...)
			continue
		}
		if isMerge(k) {
			continue
		}
		if first := seen[k.Value]; first != nil {
			r := c.f.rangeOf(n.Content[i])
			c.diags = append(c.diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Duplicate key",
				Detail:  fmt.Sprintf("%q was already given at %s. YAML would take one of the two without a word.", k.Value, c.f.rangeOf(first)),
				Subject: &r,
			})
			continue
		}
		seen[k.Value] = n.Content[i]
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func isMerge(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge" }

// follow gives the node behind an alias.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
