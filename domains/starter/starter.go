// Package starter is what a new domain begins with: a definition, a plan that uses it, and data that are honest and small.
//
// The data ask which of two numbers is the larger; they are computed, and known to be right. They are there so that a new domain can be checked,
// planned and applied before its own data are at hand, and they show the form that its own data have. Nothing about them
// depends on the domain's name: they are meant to be replaced.
//
// No question is in two of the files, whichever way round its numbers stand, and none of the prompts that the generator is
// asked with is in any of them.
package starter

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"
	"text/template"
)

// Options say what the files are made for.
type Options struct {
	Name     string // of the domain: an identifier
	Language string // of its texts, such as "en"
	Dir      string // the domain's directory, relative to the plan's, with slashes; begins with ./ or ../
}

//go:embed *.tmpl documents/*.tmpl
var templates embed.FS

// Domain gives the files of the domain's directory, by name.
func Domain(o Options) map[string][]byte {
	d := deal()
	files := map[string][]byte{
		"domain.jupiter.hcl": fill("domain.jupiter.hcl.tmpl", o, d),
		"README.md":          fill("README.md.tmpl", o, d),
		"real.jsonl":         records(d.real),
	}
	for name, pairs := range map[string][]pair{"validation.jsonl": d.validation, "dev.jsonl": d.dev, "gate.jsonl": d.gate} {
		files[name] = items(pairs)
	}
	return files
}

// Plan gives the plan that uses the domain.
func Plan(o Options) []byte { return fill("plan.jupiter.hcl.tmpl", o, deal()) }

// fill writes a template out, with what was dealt.
func fill(name string, o Options, d dealt) []byte {
	return execute(name, struct {
		Options
		Left, Right                 string
		Real, Validation, Dev, Gate int
		Prompts, Lowest, Highest    int
	}{o, quoted(d.left), quoted(d.right), len(d.real), len(d.validation), len(d.dev), len(d.gate), len(d.left) * len(d.right), lowest, highest})
}

// execute writes a template out. The templates are part of the program, and what fills them has no way to fail.
func execute(name string, values any) []byte {
	t := template.Must(template.New(path.Base(name)).Delims("<<", ">>").ParseFS(templates, name))
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		panic(fmt.Sprintf("template %s: %v", name, err))
	}
	return b.Bytes()
}

// quoted spells numbers as the elements of a list of texts.
func quoted(numbers []int) string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = strconv.Quote(strconv.Itoa(n))
	}
	return strings.Join(out, ", ")
}
