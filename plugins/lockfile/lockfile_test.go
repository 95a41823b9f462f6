package lockfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
)

var (
	one = strings.Repeat("1", 64)
	two = strings.Repeat("2", 64)

	noRanges = cmpopts.IgnoreFields(Plugin{}, "Range")
)

const example = `# The plugins of this configuration: their versions, and the checksums that they must have.
# Commit this file. "jupiter init" writes it; "jupiter init --upgrade" chooses anew.
# Only tls is for people to change. Comments are not kept.

plugin "judge" {
  source   = "./bin/judge"
  version  = "0.3.1-rc.1"
  protocol = 1
  tls      = "given"

  hashes = {
    linux_amd64 = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
  }
}

plugin "wordfilter" {
  source      = "example.com/acme/jupiter-wordfilter"
  version     = "1.2.0"
  constraints = ">= 1.0, < 2"
  protocol    = 1
  tls         = "auto"
  toolchain   = "go1.26.8"

  hashes = {
    darwin_arm64 = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
    linux_amd64  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
  }
}
`

func wordfilter() Plugin {
	return Plugin{Name: "wordfilter", Source: "example.com/acme/jupiter-wordfilter", Version: "1.2.0", Constraints: ">= 1.0, < 2", Protocol: 1,
		TLS: "auto", Toolchain: "go1.26.8", Hashes: map[string]string{"linux_amd64": one, "darwin_arm64": two}}
}

func judge() Plugin {
	return Plugin{Name: "judge", Source: "./bin/judge", Version: "0.3.1-rc.1", Protocol: 1, TLS: "given", Hashes: map[string]string{"linux_amd64": two}}
}

// TestBytes: the same plugins give the same bytes in whatever order they are put, and reading gives them back.
func TestBytes(t *testing.T) {
	t.Parallel()
	for _, order := range [][]Plugin{{judge(), wordfilter()}, {wordfilter(), judge()}} {
		f := &File{}
		for _, p := range order {
			f.Put(p)
		}
		if diff := cmp.Diff(example, string(f.Bytes())); diff != "" {
			t.Error(diff)
		}
		back, diags := Parse(f.Bytes(), Name)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if diff := cmp.Diff(f, back, noRanges); diff != "" {
			t.Error(diff)
		}
	}
	empty, diags := Parse((&File{}).Bytes(), Name)
	if diags.HasErrors() || len(empty.Plugins) != 0 {
		t.Errorf("%v, %v", empty, diags)
	}
}

// TestPut: hashes of other platforms stay for as long as they are of the same program.
func TestPut(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Plugin)
		kept   bool
	}{
		"the same":            {func(*Plugin) {}, true},
		"another constraint":  {func(p *Plugin) { p.Constraints = "1.2.0" }, true},
		"other TLS":           {func(p *Plugin) { p.TLS = "off" }, true},
		"another version":     {func(p *Plugin) { p.Version = "1.2.1" }, false},
		"another source":      {func(p *Plugin) { p.Source = "./x" }, false},
		"other bytes":         {func(p *Plugin) { p.Hashes["linux_amd64"] = two }, false},
		"another Go":          {func(p *Plugin) { p.Toolchain = "go1.27.0" }, false},
		"a platform the more": {func(p *Plugin) { p.Hashes = map[string]string{"linux_arm64": two} }, true},
	} {
		f := &File{}
		f.Put(judge())
		f.Put(wordfilter())
		p := wordfilter()
		delete(p.Hashes, "darwin_arm64")
		tc.change(&p)
		f.Put(p)
		if got := f.Find("wordfilter").Hashes["darwin_arm64"] != ""; got != tc.kept {
			t.Errorf("%s: kept %v, want %v", name, got, tc.kept)
		}
		if gone := f.Keep([]string{"judge", "other"}); len(gone) != 1 || gone[0] != "wordfilter" || f.Find("wordfilter") != nil || f.Find("judge") == nil {
			t.Errorf("%s: %v", name, gone)
		}
	}
}

// TestErrors: what is wrong comes with its place.
func TestErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		from, to string // in the example
		line     int
		want     string
	}{
		"no HCL":            {"plugin \"judge\" {", "<<<<<<< HEAD", 5, "Argument or block definition required"},
		"another block":     {"plugin \"judge\"", "provider \"judge\"", 5, "Unsupported block type"},
		"twice":             {"plugin \"judge\"", "plugin \"wordfilter\"", 16, "Locked twice"},
		"name":              {"\"judge\"", "\"a b\"", 5, "Invalid name"},
		"unknown attribute": {"tls      =", "tsl      =", 9, "Unsupported argument"},
		"missing":           {"  version  = \"0.3.1-rc.1\"\n", "", 5, "Missing required argument"},
		"version":           {"0.3.1-rc.1", "newest", 7, "Invalid version"},
		"constraint":        {">= 1.0, < 2", "=> 1", 19, "Invalid version constraint"},
		"tls":               {"\"given\"", "\"none\"", 9, "Unknown word"},
		"protocol":          {"protocol = 1", "protocol = 1.5", 8, "Wrong type"},
		"protocol is text":  {"protocol = 1", "protocol = true", 8, "Wrong type"},
		"no text":           {"\"./bin/judge\"", "upper(\"x\")", 6, "Wrong type"},
		"template":          {"\"./bin/judge\"", "\"${x}\"", 6, "Wrong type"},
		"hashes":            {"hashes = {\n    linux_amd64 = \"sha256:" + two + "\"\n  }", "hashes = []", 11, "Wrong type"},
		"platform":          {"linux_amd64 = \"sha256:2", "linux = \"sha256:2", 12, "Unknown platform"},
		"not a system":      {"linux_amd64 = \"sha256:2", "\"1_amd64\" = \"sha256:2", 12, "Unknown platform"},
		"hash":              {"\"sha256:" + two + "\"\n  }\n}\n\nplugin", "\"sha1:22\"\n  }\n}\n\nplugin", 12, "Invalid hash"},
		"upper case":        {two + "\"\n  }\n}\n\nplugin", strings.Repeat("A", 64) + "\"\n  }\n}\n\nplugin", 12, "Invalid hash"},
		"two hashes":        {"darwin_arm64 =", "linux_amd64 =", 26, "Locked twice"},
		"encoding":          {"./bin", "./b\xffin", 1, "not UTF-8"},
		"deep":              {"\"./bin/judge\"", strings.Repeat("[", 100000), 6, "too deeply"},
		"signs":             {"protocol = 1", "protocol = " + strings.Repeat("-", 100000) + "1", 8, "work out"},
		"a huge number":     {"protocol = 1", "protocol = 1e1000000000", 8, "too long"},
		"size":              {"# Commit", "#" + strings.Repeat(" ", maxSize), 1, "larger"},
	} {
		src := strings.Replace(example, tc.from, tc.to, 1)
		if src == example {
			t.Errorf("%s: nothing was changed", name)
		}
		f, diags := Parse([]byte(src), Name)
		if f != nil || !diags.HasErrors() {
			t.Errorf("%s: %v", name, diags)
			continue
		}
		found := false
		for _, d := range diags {
			found = found || d.Severity == hcl.DiagError && d.Subject.Start.Line == tc.line && d.Subject.Filename == Name && strings.Contains(d.Summary+d.Detail, tc.want)
		}
		if !found {
			t.Errorf("%s: %v, want %q at line %d", name, diags, tc.want, tc.line)
		}
	}
}

// FuzzLock: whatever is read is written in a way that reads as the same, and written again gives the same bytes.
func FuzzLock(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(""))
	f.Add([]byte("plugin \"x\" {\n source = \"./x${\"\n}"))
	for _, platform := range []string{"a_b", "1_b"} {
		f.Add([]byte("plugin \"x\" {\n source=\"\"\n version=\"1\"\n protocol=1\n tls=\"off\"\n hashes={\"" + platform + "\"=\"sha256:" + one + "\"}\n}"))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diags := Parse(src, Name)
		if diags.HasErrors() {
			if file != nil {
				t.Fatal("a file in spite of an error")
			}
			return
		}
		text := file.Bytes()
		back, diags := Parse(text, Name)
		if diags.HasErrors() {
			t.Fatalf("what was written cannot be read: %v\n%s", diags, text)
		}
		if diff := cmp.Diff(file, back, noRanges); diff != "" {
			t.Fatal(diff)
		}
		if string(back.Bytes()) != string(text) {
			t.Fatal("written twice, and not the same")
		}
	})
}
