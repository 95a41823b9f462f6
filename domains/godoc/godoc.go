// Package godoc is a domain over the documentation and code of Go's standard library, as it lies in a GOROOT.
//
// An example is a package clause, the doc comment of one declaration, and the declaration: with its body where the whole is
// short, else its signature alone.
//
//	package bytes
//
//	// Clone returns a copy of b[:len(b)].
//	// The result may have additional unused capacity.
//	// Clone(nil) returns nil.
//	func Clone(b []byte) []byte {
//	…
//
// Where an import path does not end with the package's name alone, Go's own import comment says which package is meant:
//
//	package rand // import "math/rand"
//
// MakeDataset makes the data, Library checks a declaration's types in the package that it names, and Judge says what is wrong
// with an example or an answer.
//
// # Caveats
//
// The platform is linux/amd64 without cgo and without experiments, whatever machine this is, so that a version of Go gives one set
// of data. Generated files are left out, and so are "builtin" and "unsafe", which are documentation and do not type-check.
//
// That an example type-checks says that it could stand in its package. It does not say that it does what its comment says.
package godoc

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
)

// Bounds of an example, in bytes: with a vocabulary of 2,048 tokens nearly all fit 256 tokens, and hardly any is above 384.
const (
	maxExample = 700
	maxDoc     = 360
)

// Families of examples, by what is declared.
const (
	Func   = "func"
	Method = "method"
	Type   = "type"
	Const  = "const"
	Var    = "var"
)

// Example is one documented declaration.
type Example struct {
	Path   string // import path
	Name   string // of what is declared; the first of a group
	Family string
	Prompt string // package clause and doc comment, with the line break after it
	Text   string // the declaration

	// Of functions and methods: Text up to the name's end, then parameters and results as they are written, and these as types alone.
	head, tail, types string
}

// clause is the first line of an example of a package.
func clause(path, name string) string {
	if path == name {
		return "package " + name + "\n\n"
	}
	return fmt.Sprintf("package %s // import %q\n\n", name, path)
}

var clauseForm = regexp.MustCompile(`^package ([a-z][a-z0-9_]*)(?: // import "((?:[a-z0-9_]+/)*[a-z0-9_]+)")?\n\n`)

// readClause gives the import path and the name of an example's package, and what follows the clause.
func readClause(text string) (path, name, rest string, ok bool) {
	m := clauseForm.FindStringSubmatch(text)
	if m == nil {
		return "", "", "", false
	}
	name, path = m[1], m[2]
	if path == "" {
		path = name
	}
	return path, name, text[len(m[0]):], m[0] == clause(path, name)
}

// readDoc splits what follows the clause into the lines of the doc comment and the declaration.
func readDoc(rest string) (doc, decl string) {
	for n := 0; ; {
		line, _, more := strings.Cut(rest[n:], "\n")
		if !more || !strings.HasPrefix(line, "//") {
			return rest[:n], rest[n:]
		}
		n += len(line) + 1
	}
}

// draw is a number that depends on its words alone: the randomness of the data, which stays where it is when others come or go.
func draw(words ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return binary.BigEndian.Uint64(sum[:8])
}
