package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// The commands of scripts that make plugins from elsewhere. testdata/wordfilter is built once, and patched.
//
//	plugin PATH NAME VERSION TYPE [bare]   writes an executable: the plugin NAME with the filter TYPE; bare makes no
//	                                       certificates
//	archive ARCHIVE NAME=FILE …            makes an archive, *.zip or *.tar.gz, of files under other names
//	goproxy DIR MODULE VERSION FILE        puts a module into a file-system proxy of Go's, whose package cmd/x starts FILE

type elsewhere struct {
	dir  string
	once sync.Once
	exe  []byte
	err  error
}

func (e *elsewhere) build() ([]byte, error) {
	e.once.Do(func() {
		path := filepath.Join(e.dir, "wordfilter")
		if out, err := exec.Command("go", "build", "-o", path, "./testdata/wordfilter").CombinedOutput(); err != nil {
			e.err = fmt.Errorf("%w\n%s", err, out)
			return
		}
		e.exe, e.err = os.ReadFile(path)
	})
	return e.exe, e.err
}

func (e *elsewhere) plugin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: plugin PATH NAME VERSION TYPE [bare]")
	}
	exe, err := e.build()
	ts.Check(err)
	const begins, room = "IDENTITY:", 88
	i := bytes.Index(exe, []byte(begins+"wordfilter 1.0.0 wordfilter"))
	text := strings.Join(args[1:], " ")
	if i < 0 || len(text) > room {
		ts.Fatalf("no room for %q", text)
	}
	out := bytes.Clone(exe)
	copy(out[i+len(begins):], text+strings.Repeat(" ", room-len(text)))
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.RemoveAll(path))
	ts.Check(os.WriteFile(path, out, 0o755))
}

func archiveFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: archive ARCHIVE NAME=FILE …")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	g := gzip.NewWriter(&b)
	t := tar.NewWriter(g)
	for _, a := range args[1:] {
		name, file, _ := strings.Cut(a, "=")
		text := []byte(ts.ReadFile(file))
		if strings.HasSuffix(args[0], ".zip") {
			w, err := z.Create(name)
			ts.Check(err)
			_, err = w.Write(text)
			ts.Check(err)
			continue
		}
		ts.Check(t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}))
		_, err := t.Write(text)
		ts.Check(err)
	}
	if strings.HasSuffix(args[0], ".zip") {
		ts.Check(z.Close())
	} else {
		ts.Check(t.Close())
		ts.Check(g.Close())
	}
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[0])), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// goproxy publishes a module. Its program is a few lines that become another one: what the SDK needs is in no module
// proxy, and would take long to build.
func goproxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: goproxy DIR MODULE VERSION FILE")
	}
	m := module.Version{Path: args[1], Version: args[2]}
	src := filepath.Join(ts.MkAbs("."), ".module")
	ts.Check(os.MkdirAll(filepath.Join(src, "cmd", "x"), 0o755))
	mod := "module " + m.Path + "\n\ngo 1.24\n"
	ts.Check(os.WriteFile(filepath.Join(src, "go.mod"), []byte(mod), 0o644))
	program := fmt.Sprintf("package main\n\nimport (\n\t\"os\"\n\t\"syscall\"\n)\n\nfunc main() { panic(syscall.Exec(%q, os.Args, os.Environ())) }\n", ts.MkAbs(args[3]))
	ts.Check(os.WriteFile(filepath.Join(src, "cmd", "x", "main.go"), []byte(program), 0o644))
	escaped, err := module.EscapePath(m.Path)
	ts.Check(err)
	dir := filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(escaped), "@v")
	ts.Check(os.MkdirAll(dir, 0o755))
	var b bytes.Buffer
	ts.Check(modzip.CreateFromDir(&b, m, src))
	ts.Check(os.RemoveAll(src))
	list, err := os.ReadFile(filepath.Join(dir, "list"))
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	for name, text := range map[string][]byte{
		"list": append(list, m.Version+"\n"...), m.Version + ".mod": []byte(mod), m.Version + ".zip": b.Bytes(),
		m.Version + ".info": fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, m.Version),
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
}
