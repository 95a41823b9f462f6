package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// Documents say what a plan from documents, or from conversations, is made for.
type Documents struct {
	Name     string   // of the domain: an identifier
	Language string   // of the documents, such as "en"
	Chats    bool     // they are conversations, and what learns from them is asked as in one
	Paths    []string // of the documents, as paths or globs relative to the plan's directory
	Bad      int      // documents that cannot be read as text, lines that cannot be read as conversations
	Items    int      // that the benchmark aims for
	Subjects []string // that the generator is asked about

	Teacher      string // URL of the server that is the base generator; "": the program trains one
	TeacherModel string // its name there; "": the only one
	Trainer      string // llama, mlx or torch
	Student      string // the model that is fine-tuned, relative to the plan's directory; "": none, with llama
}

// SubjectBytes is how long a subject may be: a model from nothing reads few tokens.
func (d Documents) SubjectBytes() int {
	if d.Teacher == "" {
		return 180
	}
	return 1000
}

// From is what jupiter new calls it.
func (d Documents) From() string {
	if d.Chats {
		return "chat"
	}
	return "docs"
}

// Title is the domain's name in words.
func (d Documents) Title() string { return strings.ReplaceAll(d.Name, "_", " ") }

// Tuned says whether the student is a model from elsewhere.
func (d Documents) Tuned() bool { return d.Trainer != "llama" }

// Files gives the files of the plan's directory, by their paths below it.
func (d Documents) Files() map[string][]byte {
	var subjects bytes.Buffer
	enc := json.NewEncoder(&subjects)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d.Subjects); err != nil {
		panic(err) // texts can be written
	}
	return map[string][]byte{
		d.Name + ".jupiter.hcl":     execute("documents/plan.jupiter.hcl.tmpl", d),
		"domain/domain.jupiter.hcl": execute("documents/domain.jupiter.hcl.tmpl", d),
		"domain/subjects.json":      subjects.Bytes(),
		"README.md":                 execute("documents/README.md.tmpl", d),
		".gitignore":                []byte(".jupiter/\nvenv/\nmodels/\ngenerators/\ndomain/benchmark/lock\n"),
	}
}

// Scratch is a configuration that has the benchmark alone, made without a teacher. Its paths are absolute.
func (d Documents) Scratch(paths []string, directory string) []byte {
	return execute("documents/scratch.jupiter.hcl.tmpl", struct {
		Documents
		Absolute  []string
		Directory string
	}{d, paths, directory})
}

// Text spells a text of somebody else's, in UTF-8, as HCL, so that nothing in it means anything.
func (Documents) Text(s string) string {
	var b strings.Builder
	for i, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteRune('\\')
			b.WriteRune(c)
		case (c == '$' || c == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(c)
			b.WriteRune(c)
		case !unicode.IsPrint(c):
			fmt.Fprintf(&b, `\U%08X`, c)
		default:
			b.WriteRune(c)
		}
	}
	return `"` + b.String() + `"`
}

// List spells texts so.
func (d Documents) List(all []string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = d.Text(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
