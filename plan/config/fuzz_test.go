package config

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// FuzzLoad looks for a panic, and for a rejection without a place: every diagnostic has a range that lies in a source,
// on the line that it says, and can be shown.
func FuzzLoad(f *testing.F) {
	for path, src := range sources(f) {
		f.Add(src, filepath.Ext(path) == ".yaml")
	}
	schemas := newSchemas()
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte, yaml bool) {
		name := "f.jupiter.hcl"
		if yaml {
			name = "f.jupiter.yaml"
		}
		path := filepath.Join(dir, name)
		_, files, diags := Load(path, Options{Schemas: schemas, Overlay: map[string][]byte{path: src}})
		for _, d := range diags {
			if d.Subject == nil || files[d.Subject.Filename] == nil {
				t.Fatalf("no place in a source: %v", d)
			}
			b, r := files[d.Subject.Filename].Bytes, d.Subject
			if r.Start.Byte < 0 || r.End.Byte < r.Start.Byte || r.End.Byte > len(b) {
				t.Fatalf("%v lies outside of %d bytes: %v", r, len(b), d)
			}
			if line := 1 + bytes.Count(b[:r.Start.Byte], []byte("\n")); line != r.Start.Line {
				t.Fatalf("%v is in line %d: %v", r, line, d)
			}
			if s := Suggest(d, b); s != nil && s.Range != nil && (s.Range.Start.Byte < r.Start.Byte || s.Range.End.Byte > r.End.Byte) {
				t.Fatalf("%v suggests something for %v", d, s.Range)
			}
		}
		text := &strings.Builder{}
		some := diags[:min(len(diags), 50)] // each is shown with its lines, and a line may be long
		if err := hcl.NewDiagnosticTextWriter(text, files, 80, false).WriteDiagnostics(some); err != nil {
			t.Fatal(err)
		}
	})
}
