package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestSuggest: in each bad file, what a diagnostic suggests mends what it complains of.
func TestSuggest(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/invalid/*")
	if err != nil {
		t.Fatal(err)
	}
	offers, mended := 0, 0
	for _, path := range cases {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		_, files, diags := load(t, path, Options{Version: "0.1.0"})
		for _, d := range diags {
			if d.Subject == nil || d.Subject.Filename != path {
				continue
			}
			s := Suggest(d, src)
			if s == nil {
				continue
			}
			offers++
			if s.Range == nil {
				t.Errorf("no place for %q in:\n%s", s.Text, text(t, files, hcl.Diagnostics{d}))
				continue
			}
			better := append(append(append([]byte{}, src[:s.Range.Start.Byte]...), s.Text...), src[s.Range.End.Byte:]...)
			_, _, after := load(t, path, Options{Version: "0.1.0", Overlay: map[string][]byte{abs: better}})
			left := false
			for _, a := range after {
				left = left || a.Summary+a.Detail == d.Summary+d.Detail && a.Subject != nil && a.Subject.Start == d.Subject.Start
			}
			if left {
				t.Errorf("%q at %s mends nothing:\n%s", s.Text, s.Range, text(t, files, hcl.Diagnostics{d}))
			}
			mended++
		}
	}
	if offers < 10 || mended != offers {
		t.Errorf("%d suggestions, %d with a place", offers, mended)
	}
	t.Logf("%d suggestions", offers)
}
