package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// expectation matches "# ERROR: text" and "# WARNING: text" at the end of a line of a case.
var expectation = regexp.MustCompile(`# (ERROR|WARNING): (.*?)\s*(?:$|# (?:ERROR|WARNING):)`)

type expected struct {
	line     int
	severity hcl.DiagnosticSeverity
	text     string
}

func expectations(src string) (out []expected) {
	for i, line := range strings.Split(src, "\n") {
		for {
			m := expectation.FindStringSubmatchIndex(line)
			if m == nil {
				break
			}
			sev := hcl.DiagError
			if line[m[2]:m[3]] == "WARNING" {
				sev = hcl.DiagWarning
			}
			out = append(out, expected{i + 1, sev, line[m[4]:m[5]]})
			line = line[m[5]:]
		}
	}
	return out
}

// TestInvalid loads each case alone. Each expectation must be met by a diagnostic that begins on its line and has its
// text, and each diagnostic by an expectation.
func TestInvalid(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/invalid/*")
	if err != nil || len(cases) < 40 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.Replace(filepath.Base(path), ".jupiter.", ".", 1), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, files, diags := load(t, path, Options{Version: "0.1.0"})
			want := expectations(string(src))
			if len(want) == 0 {
				t.Fatal("the case expects nothing")
			}
			meet(t, want, path, files, diags)
		})
	}
}

// meet compares diagnostics with the expectations of a file.
func meet(t *testing.T, want []expected, path string, files Files, diags hcl.Diagnostics) {
	t.Helper()
	for _, d := range diags {
		met := false
		for i, w := range want {
			if d.Subject != nil && d.Subject.Filename == path && d.Subject.Start.Line == w.line && d.Severity == w.severity && strings.Contains(d.Summary+"\n"+d.Detail, w.text) {
				want, met = append(want[:i:i], want[i+1:]...), true
				break
			}
		}
		if !met {
			t.Errorf("not expected:\n%s", text(t, files, hcl.Diagnostics{d}))
		}
	}
	for _, w := range want {
		t.Errorf("line %d: no diagnostic with %q", w.line, w.text)
	}
}

// TestMistakes: the cases show at least 60 kinds of mistakes in HCL, and as many in YAML.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, ext := range []string{"hcl", "yaml"} {
		cases, err := filepath.Glob("testdata/invalid/*." + ext)
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]bool{}
		for _, path := range cases {
			_, _, diags := load(t, path, Options{Version: "0.1.0"})
			for _, d := range diags {
				kinds[d.Summary] = true
			}
		}
		t.Logf("%s: %d cases of %d kinds", ext, len(cases), len(kinds))
		if len(kinds) < 60 {
			t.Errorf("%s: %d kinds of mistakes, want 60", ext, len(kinds))
		}
	}
}
