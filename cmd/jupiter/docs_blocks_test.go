package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// repository is the root of the source tree, seen from this package's tests.
const repository = "../.."

// document is one Markdown file.
type document struct {
	path   string // relative to the repository, slash-separated
	text   string
	blocks []fenced
}

// fenced is one fenced block of a document.
type fenced struct {
	doc  string
	line int // of the opening fence
	lang string
	text string
}

// documents reads README.md, CONTRIBUTING.md and everything below docs.
func documents(t *testing.T) []document {
	t.Helper()
	paths := []string{"README.md", "CONTRIBUTING.md"}
	err := filepath.WalkDir(filepath.Join(repository, "docs"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".md" {
			return err
		}
		rel, err := filepath.Rel(repository, p)
		paths = append(paths, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var docs []document
	for _, p := range paths {
		b, err := os.ReadFile(filepath.Join(repository, p))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, document{path: p, text: string(b), blocks: blocksOf(t, p, string(b))})
	}
	return docs
}

func blocksOf(t *testing.T, path, text string) (out []fenced) {
	t.Helper()
	var open *fenced
	for i, line := range strings.Split(text, "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &fenced{doc: path, line: i + 1, lang: strings.TrimSpace(info)}
		case fence:
			out, open = append(out, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block is not closed", path, open.line)
	}
	return out
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestLinks follows every link of the docs that leads to a file or a heading of the repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, d := range documents(t) {
		for _, m := range markdownLink.FindAllStringSubmatch(d.text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			seen++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(repository, filepath.Dir(d.path), file)
			if file == "" {
				target = filepath.Join(repository, d.path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", d.path, m[1])
				continue
			}
			if anchor != "" && !hasAnchor(t, target, anchor) {
				t.Errorf("%s: the link %s leads to no heading", d.path, m[1])
			}
		}
	}
	if seen < 30 {
		t.Errorf("found %d links only", seen)
	}
}

// hasAnchor says whether a Markdown file has a heading with this anchor.
func hasAnchor(t *testing.T, path, anchor string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllStringSubmatch(string(b), -1) {
		id := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(id, " ", "-") == anchor {
			return true
		}
	}
	return false
}
