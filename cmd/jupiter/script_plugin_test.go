package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

// The commands of scripts that make plugins from elsewhere. testdata/wordfilter is built once, and patched.
//
//	plugin PATH NAME VERSION TYPE [bare]   writes an executable: the plugin NAME with the filter TYPE; bare makes no
//	                                       certificates
//	archive ARCHIVE NAME=FILE …            makes an archive, *.zip or *.tar.gz, of files under other names
//	goproxy DIR MODULE VERSION [FILE]      puts a module into a file-system proxy of Go's, whose package cmd/x starts FILE;
//	                                       without FILE it is the plugin itself, with an SDK from example.com/jupiter
//	goproxy DIR MODULE VERSION SOURCE/     the same with the module in the directory SOURCE

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

// goproxy publishes a module, whose go.mod and program depend on where its program comes from.
func goproxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: goproxy DIR MODULE VERSION [FILE]")
	}
	m := module.Version{Path: args[1], Version: args[2]}
	if len(args) == 4 && strings.HasSuffix(args[3], "/") {
		publishDir(ts, args[0], m, ts.MkAbs(args[3]))
		return
	}
	if len(args) == 4 { // a few lines that become another program: a plugin takes long to build
		publish(ts, args[0], m, map[string][]byte{
			"go.mod":        []byte("module " + m.Path + "\n\ngo 1.24\n"),
			"cmd/x/main.go": fmt.Appendf(nil, "package main\n\nimport (\n\t\"os\"\n\t\"syscall\"\n)\n\nfunc main() { panic(syscall.Exec(%q, os.Args, os.Environ())) }\n", ts.MkAbs(args[3])),
		})
		return
	}
	// The SDK calls itself jupiter, which no proxy serves; a fork of another path does, and is put in its place.
	sdk := module.Version{Path: "example.com/jupiter", Version: "v0.1.0"}
	mod, sum := string(sourceOf(ts, "go.mod")), string(sourceOf(ts, "go.sum"))
	files := map[string][]byte{"go.mod": []byte(mod)}
	for _, dir := range []string{"plugins/sdk", "plugins/sdk/certificate", "plugins/proto/pluginv1", "plugins/schema"} {
		paths, err := filepath.Glob(filepath.Join(repository, dir, "*.go"))
		ts.Check(err)
		for _, p := range paths {
			if !strings.HasSuffix(p, "_test.go") {
				files[dir+"/"+filepath.Base(p)] = sourceOf(ts, dir+"/"+filepath.Base(p))
			}
		}
	}
	whole, alone := publish(ts, args[0], sdk, files)
	publish(ts, args[0], m, map[string][]byte{
		"go.mod":        []byte(strings.Replace(mod, "module jupiter\n", "module "+m.Path+"\n\nrequire jupiter v0.1.0\n\nreplace jupiter => example.com/jupiter v0.1.0\n", 1)),
		"go.sum":        fmt.Appendf(nil, "%s%s %s %s\n%s %s/go.mod %s\n", sum, sdk.Path, sdk.Version, whole, sdk.Path, sdk.Version, alone),
		"cmd/x/main.go": sourceOf(ts, "cmd/jupiter/testdata/wordfilter/main.go"),
	})
}

func sourceOf(ts *testscript.TestScript, name string) []byte {
	b, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
	ts.Check(err)
	return b
}

// publish writes a version of a module as a proxy serves it, and gives the checksums of the module and of its go.mod as
// go.sum has them.
func publish(ts *testscript.TestScript, proxy string, m module.Version, files map[string][]byte) (whole, alone string) {
	src := filepath.Join(ts.MkAbs("."), ".module")
	for name, text := range files {
		path := filepath.Join(src, filepath.FromSlash(name))
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, text, 0o644))
	}
	defer os.RemoveAll(src)
	return publishDir(ts, proxy, m, src)
}

// publishDir does it with a module that lies in a directory: what belongs to it is what a proxy would take of a repository.
func publishDir(ts *testscript.TestScript, proxy string, m module.Version, src string) (whole, alone string) {
	escaped, err := module.EscapePath(m.Path)
	ts.Check(err)
	mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
	ts.Check(err)
	dir := filepath.Join(ts.MkAbs(proxy), filepath.FromSlash(escaped), "@v")
	ts.Check(os.MkdirAll(dir, 0o755))
	var b bytes.Buffer
	ts.Check(modzip.CreateFromDir(&b, m, src))
	list, err := os.ReadFile(filepath.Join(dir, "list"))
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	for name, text := range map[string][]byte{
		"list": append(list, m.Version+"\n"...), m.Version + ".mod": mod, m.Version + ".zip": b.Bytes(),
		m.Version + ".info": fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, m.Version),
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	whole, err = dirhash.HashZip(filepath.Join(dir, m.Version+".zip"), dirhash.Hash1)
	ts.Check(err)
	alone, err = dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(mod)), nil })
	ts.Check(err)
	return whole, alone
}
