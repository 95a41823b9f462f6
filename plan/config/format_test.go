package config

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// sources are the configuration files of the examples, the domains and the tests.
func sources(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, root := range []string{"../../examples", "../../domains", "../../cmd/jupiter/testdata", "testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !IsFile(d.Name()) {
				return err
			}
			all[path], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 50 {
		t.Fatalf("%d files", len(all))
	}
	return all
}

// checkFormat: what is formatted says the same, has all its comments, and stays when it is formatted again.
func checkFormat(t *testing.T, src []byte, name string) {
	t.Helper()
	out, _, diags := Format(src, name)
	if diags.HasErrors() {
		return
	}
	again, _, diags := Format(out, name)
	if diags.HasErrors() || !bytes.Equal(out, again) {
		t.Fatalf("%s: formatting again changes it: %v\n%s\n%s", name, diags, out, again)
	}
	if filepath.Ext(name) != ".hcl" {
		return
	}
	was, is := words(t, src), words(t, out)
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || !bytes.Equal(was[i], is[i]) {
			t.Fatalf("%s: word %d differs:\n%s\n%s", name, i, src, out)
		}
	}
}

// words are the tokens of a file without its layout.
func words(t *testing.T, src []byte) [][]byte {
	t.Helper()
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var all [][]byte
	for _, tok := range tokens {
		if b := bytes.TrimSpace(tok.Bytes); len(b) > 0 {
			all = append(all, b)
		}
	}
	return all
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for path, src := range sources(t) {
		checkFormat(t, src, path)
		if filepath.Dir(filepath.Dir(path)) == "../../examples" {
			if out, _, _ := Format(src, path); !bytes.Equal(out, src) {
				t.Errorf("%s is not laid out in the usual way", path)
			}
		}
	}
	block := []byte("a: |\n  ends in spaces  \nb: 1   \n")
	if out, _, diags := Format(block, "x.jupiter.yaml"); diags.HasErrors() || !bytes.Equal(out, block) {
		t.Errorf("spaces that are part of a text were taken away: %q, %v", out, diags)
	}
}

func TestFormatEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"x.jupiter.hcl", "", ""},
		{"x.jupiter.hcl", "\n \n", ""},
		{"x.jupiter.hcl", "a=1", "a = 1\n"},
		{"x.jupiter.hcl", "a=1\r\nb = <<E\r\nx\r\nE\r\n\r\n", "a = 1\r\nb = <<E\r\nx\r\nE\r\n"},
		{"x.jupiter.yaml", "", ""},
		{"x.jupiter.yaml", "\n\n", ""},
		{"x.jupiter.yaml", "a: 1   \r\nb:\t2\r\n# c  \r\n\r\n", "a: 1\nb:\t2\n# c\n"},
		{"x.jupiter.yaml", "a: 1\rb: 2\r", "a: 1\nb: 2\n"},
	} {
		checkFormat(t, []byte(tt.src), tt.name)
		if got, _, diags := Format([]byte(tt.src), tt.name); diags.HasErrors() || string(got) != tt.want {
			t.Errorf("%s: %q becomes %q, %v; want %q", tt.name, tt.src, got, diags, tt.want)
		}
	}
}

func FuzzFormat(f *testing.F) {
	for path, src := range sources(f) {
		f.Add(src, filepath.Ext(path) == ".yaml")
	}
	f.Fuzz(func(t *testing.T, src []byte, yaml bool) {
		name := "x.jupiter.hcl"
		if yaml {
			name = "x.jupiter.yaml"
		}
		checkFormat(t, src, name)
	})
}
