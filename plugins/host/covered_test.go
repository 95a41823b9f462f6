//go:build linux

package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write makes files below a directory, those in bin executable.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// venv makes an environment with one distribution, as pip leaves it.
func venv(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const site = "lib/python3.12/site-packages/"
	write(t, dir, map[string]string{
		"bin/wordfilter":                                   "#!" + dir + "/bin/python3\nfrom wordfilter import main\nmain()\n",
		site + "wordfilter/__init__.py":                    "def main(): pass\n",
		site + "wordfilter/words.py":                       "WORDS = []\n",
		site + "wordfilter/__pycache__/words.pyc":          "compiled",
		site + "other/__init__.py":                         "",
		site + "wordfilter-1.0.dist-info/METADATA":         "Name: wordfilter\n",
		site + "wordfilter-1.0.dist-info/INSTALLER":        "pip\n",
		site + "wordfilter-1.0.dist-info/direct_url.json":  `{"url":"file:///x"}`,
		site + "wordfilter-1.0.dist-info/entry_points.txt": "[console_scripts]\n",
		site + "wordfilter-1.0.dist-info/RECORD": "../../../bin/wordfilter,sha256=x,9\nwordfilter/__init__.py,sha256=x,9\nwordfilter/words.py,sha256=x,9\n" +
			"wordfilter/__pycache__/words.pyc,,\nwordfilter-1.0.dist-info/METADATA,,\nwordfilter-1.0.dist-info/INSTALLER,,\nwordfilter-1.0.dist-info/RECORD,,\nwordfilter-1.0.dist-info/entry_points.txt,,\n",
	})
	return dir
}

func sumOf(t *testing.T, p Program) string {
	t.Helper()
	sum, err := Checksum(p)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestPythonChecksum: the checksum of an installed script is that of the distribution's files, wherever it is installed.
func TestPythonChecksum(t *testing.T) {
	t.Parallel()
	const site = "lib/python3.12/site-packages/"
	at := func(dir string) Program { return Program{Path: filepath.Join(dir, "bin/wordfilter")} }
	same := sumOf(t, at(venv(t)))
	for name, tc := range map[string]struct {
		file, text string
		changes    bool
	}{
		"nothing":                        {"unrelated", "x", false},
		"a module":                       {site + "wordfilter/words.py", "WORDS = ['x']\n", true},
		"a module that nobody lists":     {site + "wordfilter/words/__init__.py", "WORDS = ['x']\n", true},
		"metadata":                       {site + "wordfilter-1.0.dist-info/entry_points.txt", "[x]\n", true},
		"the script":                     {"bin/wordfilter", "#!python3\nimport evil\n", true},
		"another interpreter":            {"bin/wordfilter", "#!/tmp/python3\nfrom wordfilter import main\nmain()\n", true},
		"a compiled file":                {site + "wordfilter/__pycache__/words.pyc", "compiled elsewhere", false},
		"another distribution":           {site + "other/__init__.py", "x", false},
		"the installer's notes on where": {site + "wordfilter-1.0.dist-info/direct_url.json", `{"url":"file:///y"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := venv(t)
			write(t, dir, map[string]string{tc.file: tc.text})
			if got := sumOf(t, at(dir)); (got != same) != tc.changes {
				t.Errorf("changes: %v, want %v", got != same, tc.changes)
			}
		})
	}
	t.Run("editable", func(t *testing.T) {
		t.Parallel()
		dir := venv(t)
		write(t, dir, map[string]string{site + "wordfilter-1.0.dist-info/direct_url.json": `{"dir_info":{"editable":true}}`})
		if _, err := Checksum(at(dir)); err == nil || !strings.Contains(err.Error(), "editable") {
			t.Errorf("%v", err)
		}
		if err := newExecutable(at(dir)).verify(""); err != nil { // nothing is locked: it may change
			t.Error(err)
		}
	})
}

// TestPythonTampered: a module that changes after the first look is found at the next start, also where its time is set back.
func TestPythonTampered(t *testing.T) {
	t.Parallel()
	dir := venv(t)
	p := Program{Path: filepath.Join(dir, "bin/wordfilter")}
	want := sumOf(t, p)
	p.Checksum = want
	e := newExecutable(p)
	if err := e.verify(want); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // a tick of the file system's clock
	write(t, dir, map[string]string{"lib/python3.12/site-packages/wordfilter/words.py": "WORDS = [1]\n"})
	var ce *ChecksumError
	if err := e.verify(want); !errors.As(err, &ce) || ce.Want != want || ce.Have == want {
		t.Errorf("%v", err)
	}
}

// TestTreeChecksum: one file's checksum is its own; of several each byte and each name counts.
func TestTreeChecksum(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := Program{Path: filepath.Join(dir, "bin/x"), Tree: dir}
	write(t, dir, map[string]string{"bin/x": "binary"})
	if one := sumOf(t, p); one != sumOf(t, Program{Path: p.Path}) {
		t.Error("one file in a tree has another checksum than by itself")
	}
	seen := map[string]string{}
	for _, f := range []struct{ name, text string }{{"data/words", "a"}, {"data/words", "b"}, {"data/more", "a"}, {"bin/x", "another"}} {
		write(t, dir, map[string]string{f.name: f.text})
		sum := sumOf(t, p)
		if was := seen[sum]; was != "" {
			t.Errorf("%s and %s give one checksum", was, f.name)
		}
		seen[sum] = f.name
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := Checksum(p); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Errorf("%v", err)
	}
}

// TestDetectTLS: what a plugin can do is found out, and its calls go on under it.
func TestDetectTLS(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]TLS{"bare": TLSGiven, "good": TLSAuto} {
		h, err := New(Options{Plugins: map[string]Program{name: {Path: exe, Args: []string{"plugin", name}, TLS: TLSDetect}}})
		if err != nil {
			t.Fatal(err)
		}
		l := h.pools[name]
		c, err := l.acquire(t.Context(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.release()
		if got := l.tls(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	h, err := New(Options{Plugins: map[string]Program{"bare": {Path: exe, Args: []string{"plugin", "bare"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var pe *ProtocolError
	if _, err := h.Identify(t.Context(), "bare"); !errors.As(err, &pe) || !strings.Contains(pe.Detail, "no certificate") {
		t.Errorf("%v", err)
	}
}
