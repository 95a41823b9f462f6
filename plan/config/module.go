package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"jupiter/plan/lang"
	"jupiter/plan/lang/yamlbody"
)

// module is the parsed files of one directory. Nothing in it is evaluated, so all calls of a module share it.
type module struct {
	dir    string // as diagnostics show it
	abs    string
	blocks map[string][]*hcl.Block // by type, in the order of files and of lines
}

// yamlOptions tell YAML's bodies what a schema cannot: which mappings are blocks without a name.
func yamlOptions() yamlbody.Options {
	labels := map[string]int{}
	own := map[string]map[string]bool{}
	for _, b := range fileForm().blocks {
		labels[b.typ] = len(b.labels)
		if b.bare {
			own[b.typ] = map[string]bool{}
			for _, name := range b.form.own() {
				own[b.typ][name] = true
			}
		}
	}
	return yamlbody.Options{
		Labels: func(t string) int { return labels[t] },
		Unlabelled: func(t string, keys []yamlbody.Key) bool {
			if own[t] == nil {
				return false
			}
			known := true
			for _, k := range keys {
				if !k.Mapping {
					return true // a named block would be a mapping
				}
				known = known && own[t][k.Name]
			}
			return known
		},
	}
}

// module parses the files of a directory, once.
func (l *loader) module(dir, abs string, names []string) *module {
	if m := l.modules[abs]; m != nil {
		return m
	}
	m := &module{dir: dir, abs: abs, blocks: map[string][]*hcl.Block{}}
	l.modules[abs] = m
	schema := fileForm().body()
	for _, name := range names {
		body := l.body(dir, abs, name, IsFile(names[0]))
		if body == nil {
			continue
		}
		content, diags := body.Content(schema)
		l.add(diags...)
		for _, b := range content.Blocks {
			if labelled(l, b) {
				m.blocks[b.Type] = append(m.blocks[b.Type], b)
			}
		}
	}
	return m
}

// body reads one file of a directory. current says that the directory has files of the present form too.
func (l *loader) body(dir, abs, name string, current bool) hcl.Body {
	if IsFile(filepath.Base(name)) {
		return l.parse(filepath.Join(dir, name), filepath.Join(abs, name))
	}
	return l.older(filepath.Join(dir, name), filepath.Join(abs, name), current)
}

// parse reads one file. The body is nil where it cannot be used.
func (l *loader) parse(name, abs string) hcl.Body {
	src, unsaved := l.opts.Overlay[abs]
	var err error
	if !unsaved {
		src, err = ReadFile(abs)
	}
	if err != nil {
		l.add(fileError(name, err))
		return nil
	}
	if strings.HasSuffix(name, ".yaml") {
		f, diags := yamlbody.Parse(src, name, yamlOptions())
		l.files[name] = f
		l.add(diags...)
		if diags.HasErrors() {
			return nil
		}
		return f.Body
	}
	f, diags := parseHCL(src, name)
	l.files[name] = f
	l.add(diags...)
	if diags.HasErrors() {
		return nil
	}
	if b, ok := f.Body.(*hclsyntax.Body); ok {
		nameUnlabelled(b)
		f.Nav = unlabelledNav{f.Nav}
	}
	return f.Body
}

// unlabelledNav names the block around a place without the label that nameUnlabelled has given it.
type unlabelledNav struct{ nav any }

// ContextString is what hcl's writer of diagnostics asks for.
func (n unlabelledNav) ContextString(offset int) string {
	nav, ok := n.nav.(interface{ ContextString(int) string })
	if !ok {
		return ""
	}
	return strings.TrimSuffix(nav.ContextString(offset), ` ""`)
}

// nameUnlabelled gives an empty label to a self_improvement block without one, so that one grammar reads both forms.
func nameUnlabelled(b *hclsyntax.Body) {
	for _, bl := range b.Blocks {
		if bl.Type == "self_improvement" && len(bl.Labels) == 0 {
			bl.Labels, bl.LabelRanges = []string{""}, []hcl.Range{bl.TypeRange}
		}
	}
}

// labelled refuses labels that could not be referred to.
func labelled(l *loader, b *hcl.Block) bool {
	for i, label := range b.Labels {
		if label == "" && b.Type == "self_improvement" {
			continue
		}
		if !utf8.ValidString(label) || !hclsyntax.ValidIdentifier(label) {
			l.add(&hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Invalid name",
				Detail:  fmt.Sprintf("%q cannot be a name: a name starts with a letter and has letters, digits, _ and -.", label),
				Subject: b.LabelRanges[i].Ptr(),
			})
			return false
		}
	}
	return true
}

// parseHCL reads a file in HCL. The file is never nil, so that a diagnostic can show its source; its Body is nil where there
// are errors.
func parseHCL(src []byte, name string) (*hcl.File, hcl.Diagnostics) {
	if d := checkHCL(name, src); d != nil {
		return &hcl.File{Bytes: src}, hcl.Diagnostics{d}
	}
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return &hcl.File{Bytes: src}, lang.FirstErrors(diags)
	}
	return f, diags
}

// checkHCL refuses source that HCL's parser cannot be given: where it is no text HCL counts lines wrongly.
func checkHCL(name string, src []byte) *hcl.Diagnostic {
	if i := lang.InvalidUTF8(src); i >= 0 {
		at := advance(hcl.InitialPos, src, i)
		return problem(hcl.Range{Filename: name, Start: at, End: at}, "Invalid encoding", "The file is not UTF-8 text.")
	}
	if err := lang.CheckNesting(src, false); err != nil {
		return fileError(name, err)
	}
	if at, found := lang.HugeNumber(src, false, name, hcl.InitialPos); found {
		return hugeNumber(at)
	}
	return nil
}

func hugeNumber(at hcl.Range) *hcl.Diagnostic {
	return problem(at, "Number out of range", capital(lang.ErrHugeNumber.Error())+".")
}

func fileError(name string, err error) *hcl.Diagnostic {
	start := hcl.InitialPos
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "File cannot be read", Detail: capital(err.Error()) + ".",
		Subject: &hcl.Range{Filename: name, Start: start, End: start},
	}
}
