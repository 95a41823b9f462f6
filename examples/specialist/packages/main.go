// Command packages writes what the packages of Go's standard library say of themselves as Markdown, a file for each: the
// documents of the example specialist. They are made of the Go installation of this machine; nothing is fetched.
//
//	go run ./packages -out documents
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A document has whole blocks, paragraphs and the like, up to most bytes; what has fewer than least says too little to ask
// about.
const least, most = 300, 2000

func main() {
	root := flag.String("goroot", build.Default.GOROOT, "the Go installation to read")
	out := flag.String("out", "documents", "the directory to write to, which is not there yet or is empty")
	flag.Parse()
	n, size, err := write(*root, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d documents, %d kB.\n", *out, n, size/1000)
}

func write(root, out string) (n, size int, err error) {
	if there, err := os.ReadDir(out); err == nil && len(there) > 0 {
		return 0, 0, fmt.Errorf("%s is not empty", out)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return 0, 0, err
	}
	src := filepath.Join(root, "src")
	err = filepath.WalkDir(src, func(dir string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		if slices.Contains([]string{"cmd", "internal", "vendor", "testdata"}, e.Name()) {
			return fs.SkipDir
		}
		rel, err := filepath.Rel(src, dir)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		about, err := packageComment(dir)
		if err != nil {
			return err
		}
		text := document(name, about)
		if len(text) < least {
			return nil
		}
		n, size = n+1, size+len(text)
		return os.WriteFile(filepath.Join(out, strings.ReplaceAll(name, "/", "_")+".md"), []byte(text), 0o644)
	})
	if err == nil && n == 0 {
		err = errors.New("no package says anything: is " + root + " a Go installation with its source?")
	}
	return n, size, err
}

// packageComment is the longest comment that a file of a directory has before its package clause; "" where there is none.
func packageComment(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	longest := ""
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		if text := textOf(parsed); len(text) > len(longest) {
			longest = text
		}
	}
	return longest, nil
}

func textOf(f *ast.File) string {
	if f.Name.Name == "main" || f.Doc == nil {
		return ""
	}
	return f.Doc.Text()
}

// document writes the first blocks of a comment under the package's name.
func document(name, about string) string {
	var parser comment.Parser
	printer := comment.Printer{TextWidth: -1} // a paragraph is a line
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Package %s\n", name)
	for _, block := range parser.Parse(about).Content {
		one := printer.Text(&comment.Doc{Content: []comment.Block{block}})
		if text.Len()+1+len(one) > most {
			break
		}
		text.WriteByte('\n')
		text.Write(one)
	}
	return text.String()
}
