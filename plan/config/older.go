package config

import (
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/config/older"
)

// OlderFiles are the names of a directory's files in the older form, relative to it.
func OlderFiles(dir string) (names []string) {
	for _, pattern := range []string{"config/cluster.yaml", "config/domains/*.yaml"} {
		found, err := filepath.Glob(filepath.Join(escapeGlob(dir), filepath.FromSlash(pattern)))
		if err != nil {
			continue // the patterns are well-formed
		}
		sort.Strings(found)
		for _, path := range found {
			if name, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(filepath.Base(path), ".") {
				names = append(names, name)
			}
		}
	}
	return names
}

// escapeGlob gives a directory as a pattern that matches it and nothing else.
func escapeGlob(dir string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(dir)
}

// Older translates a file of the older form. base is the path from the module that is made to the directory that paths
// in the file are relative to, with slashes. The File is nil where nothing could be read.
func Older(src []byte, name, base string) (*older.File, *hcl.File, hcl.Diagnostics) {
	f, source, _, diags := readOlder(src, name, base)
	return f, source, diags
}

// readOlder also says whether the file is of the older form at all; where it is not, a diagnostic says so.
func readOlder(src []byte, name, base string) (f *older.File, source *hcl.File, recognised bool, diags hcl.Diagnostics) {
	f, source, recognised, diags = older.Read(src, older.Options{Name: name, Cycle: cycleForm.body(), Base: base})
	if !recognised && !diags.HasErrors() {
		start := hcl.InitialPos
		diags = hcl.Diagnostics{problem(hcl.Range{Filename: name, Start: start, End: start}, "Not in the older form",
			"A file of the older form has domain, data_sources and generation, or nodes and self_improvement, at its top. This one has none of them.")}
	}
	return f, source, recognised, diags
}

// older reads a file of the older form as a body of the present one, with the positions of the older file. Beside files
// of the present form, one that is not of the older form either belongs to something else, and is left alone.
func (l *loader) older(name, abs string, current bool) hcl.Body {
	src, err := ReadFile(abs)
	if err != nil {
		l.add(fileError(name, err))
		return nil
	}
	f, source, recognised, diags := readOlder(src, name, ".")
	if !recognised && current {
		return nil
	}
	l.files[name] = source
	l.add(diags...)
	if f == nil {
		return nil
	}
	return f.Body(yamlOptions())
}
