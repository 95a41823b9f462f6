package older

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang"
	"jupiter/plan/lang/yamlbody"
)

// Options are what Read must know besides the file.
type Options struct {
	// Name is the file's, for positions and notes.
	Name string
	// Cycle is the grammar of a self_improvement block, whose keys are the same in both forms.
	Cycle *hcl.BodySchema
	// Base is the path, with slashes, from the directory of the module that is made to the one that paths in the file
	// are relative to: "." where they are the same.
	Base string
}

// topKeys are those by which a file is known to be of the older form.
const topKeys = "domain|data_sources|generation|nodes|self_improvement"

var topKey = regexp.MustCompile(`(?m)^(` + topKeys + `)[ \t]*:`)

// Read translates an older file. The file of hcl is never nil, so that a diagnostic can show its source. The File is
// nil where the source is no YAML, or no key at its top is the older form's, in which case it is not recognised.
func Read(src []byte, o Options) (f *File, source *hcl.File, recognised bool, diags hcl.Diagnostics) {
	tree, source, diags := yamlbody.ParseTree(src, o.Name)
	if diags.HasErrors() {
		return nil, source, topKey.Match(src), diags
	}
	f = &File{name: filepath.ToSlash(o.Name), tree: tree, made: map[*yaml.Node]*yaml.Node{}, opts: o}
	top := map[string]yamlbody.Pair{}
	for _, p := range yamlbody.Pairs(tree.Root) {
		top[p.Name()] = p
	}
	for _, key := range strings.Split(topKeys, "|") {
		_, found := top[key]
		recognised = recognised || found
	}
	if !recognised {
		return nil, source, false, nil
	}
	f.domain(top)
	f.cluster(top)
	f.cycle(top)
	f.unknown(yamlbody.Pairs(tree.Root), &f.notes, "a file", append(append(domainFile(), clusterFile()...), "self_improvement")...)
	return f, source, true, f.diags
}

// wrong says what cannot be understood.
func (f *File) wrong(at *yaml.Node, format string, args ...any) {
	rng := f.tree.Range(at)
	f.diags = append(f.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Not in the older form", Detail: fmt.Sprintf(format, args...), Subject: &rng})
}

// lost says what the present language has no word for, in a warning and in a note.
func (f *File) lost(p yamlbody.Pair, notes *[]string, why string) {
	rng := f.tree.Range(p.Key)
	f.diags = append(f.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Not carried over", Detail: fmt.Sprintf("%s: %s", p.Name(), why), Subject: &rng})
	*notes = append(*notes, fmt.Sprintf("Not carried over: %s (%s, line %d). %s", spelled(p), f.name, rng.Start.Line, why))
}

// unknown reports the keys of a mapping that the older form does not have.
func (f *File) unknown(pairs []yamlbody.Pair, notes *[]string, where string, known ...string) {
	for _, p := range pairs {
		if contains(known, p.Name()) {
			continue
		}
		rng := f.tree.Range(p.Key)
		f.diags = append(f.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Unknown older key",
			Detail:  fmt.Sprintf("%s is no key of %s in the older form, so it is not read.%s", p.Name(), where, lang.DidYouMean(p.Name(), known)),
			Subject: &rng})
		*notes = append(*notes, fmt.Sprintf("Not carried over: %s (%s, line %d), which the older form does not have.", spelled(p), f.name, rng.Start.Line))
	}
}

// spelled is a key with its value, where that is short.
func spelled(p yamlbody.Pair) string {
	v := yamlbody.Follow(p.Value)
	if v.Kind != yaml.ScalarNode || len(v.Value) > 40 || strings.ContainsAny(v.Value, "\r\n") {
		return p.Name()
	}
	return p.Name() + " = " + v.Value
}

// fields gives the pairs of a mapping; none, and an error, for anything else but null.
func (f *File) fields(p yamlbody.Pair, what string) []yamlbody.Pair {
	v := yamlbody.Follow(p.Value)
	if v.Kind != yaml.MappingNode && !null(v) {
		f.wrong(v, "%s is a mapping of %s.", p.Name(), what)
	}
	return yamlbody.Pairs(v)
}

// texts gives the elements of a list of texts, and an error for anything else but null.
func (f *File) texts(p yamlbody.Pair) []*yaml.Node {
	v := yamlbody.Follow(p.Value)
	if null(v) {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		f.wrong(v, "%s is a list of texts.", p.Name())
		return nil
	}
	for _, e := range v.Content {
		if t := yamlbody.Follow(e); t.Kind != yaml.ScalarNode || null(t) {
			f.wrong(e, "Each element of %s is a text.", p.Name())
			return nil
		}
	}
	return v.Content
}

// take copies the attributes that have the same name in both forms. Nulls are as good as nothing.
func (f *File) take(b *Block, pairs []yamlbody.Pair, names ...string) {
	for _, p := range pairs {
		if contains(names, p.Name()) && !null(yamlbody.Follow(p.Value)) {
			b.add(attr{name: p.Name(), from: p.Key, value: f.literal(p.Value)})
		}
	}
}

// literal gives a value in whose texts ${ and %{ have no meaning: the node itself where there are none.
func (f *File) literal(n *yaml.Node) *yaml.Node {
	t := yamlbody.Follow(n)
	switch t.Kind {
	case yaml.ScalarNode:
		if s := escape(t.Value); s != t.Value {
			return f.scalar(s, t)
		}
	case yaml.SequenceNode:
		out, changed := make([]*yaml.Node, len(t.Content)), false
		for i, e := range t.Content {
			out[i] = f.literal(e)
			changed = changed || out[i] != e
		}
		if changed {
			return f.list(out, t)
		}
	case yaml.MappingNode:
		m, changed := f.mapping(t), false
		for _, p := range yamlbody.Pairs(t) {
			k, v := f.literal(p.Key), f.literal(p.Value)
			changed = changed || k != p.Key || v != p.Value
			m.Content = append(m.Content, k, v)
		}
		if changed {
			return m
		}
	}
	return n
}

func escape(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

// path gives a path of the file as the present language spells it.
func (f *File) path(n *yaml.Node) *yaml.Node {
	p := filepath.ToSlash(yamlbody.Follow(n).Value)
	if filepath.IsAbs(filepath.FromSlash(p)) {
		return f.scalar(escape(p), n)
	}
	if f.opts.Base != "." && f.opts.Base != "" {
		p = f.opts.Base + "/" + p
	}
	return f.scalar("${path.module}/"+escape(p), n)
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// identifier makes a name of a text: lower case, with what a name cannot have as _.
func identifier(text, otherwise string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(strings.TrimSpace(text)) {
		if c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' {
			b.WriteRune(c)
		} else {
			b.WriteByte('_')
		}
	}
	s := strings.Trim(b.String(), "_-")
	if s == "" {
		return otherwise
	}
	if '0' <= s[0] && s[0] <= '9' {
		return otherwise + "_" + s
	}
	return s
}

// names gives each name once: a second one gets a number.
type names map[string]int

func (n names) unique(name string) string {
	n[name]++
	if n[name] == 1 {
		return name
	}
	return n.unique(fmt.Sprintf("%s_%d", name, n[name]))
}
