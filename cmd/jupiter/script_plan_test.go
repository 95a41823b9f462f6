package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of scripts that do something to plans.
//
//	repack PLAN MEMBER OLD NEW  replaces the one occurrence of a text in a member of a saved plan
//	pack ARCHIVE FILE …         makes a zip archive of files
//	cut FILE N                  leaves the first N bytes of a file
//	mask FILE                   keeps what the last command wrote, without the forecasts of a plan: they come from how
//	                            long things took

func repack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: repack PLAN MEMBER OLD NEW")
	}
	old := ts.ReadFile(args[0])
	r, err := zip.NewReader(strings.NewReader(old), int64(len(old)))
	ts.Check(err)
	var names []string
	members := map[string][]byte{}
	for _, f := range r.File {
		m, err := r.Open(f.Name)
		ts.Check(err)
		b, err := io.ReadAll(m)
		ts.Check(err)
		names, members[f.Name] = append(names, f.Name), b
	}
	if n := bytes.Count(members[args[1]], []byte(args[2])); n != 1 {
		ts.Fatalf("%s has %q %d times in %s", args[0], args[2], n, args[1])
	}
	members[args[1]] = bytes.Replace(members[args[1]], []byte(args[2]), []byte(args[3]), 1)
	archiveOf(ts, args[0], names, members)
}

func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pack ARCHIVE FILE …")
	}
	members := map[string][]byte{}
	for _, name := range args[1:] {
		members[name] = []byte(ts.ReadFile(name))
	}
	archiveOf(ts, args[0], args[1:], members)
}

func archiveOf(ts *testscript.TestScript, path string, names []string, members map[string][]byte) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(filepath.ToSlash(name))
		ts.Check(err)
		_, err = w.Write(members[name])
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(path), b.Bytes(), 0o644))
}

func cutOff(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// forecasts are the two places of a plan's text that hold them: the end of a change's line, and a paragraph.
var forecasts = regexp.MustCompile(`(?m) {2,}(~\d[\d.]* (k |M |)tokens|\d[\d.]*(–[\d.]+)? (ms|s|min|h)\b).*$|^Forecast \((.*\n)+?(\n|\z)`)

// In Markdown they are the last column and quoted lines.
var (
	lastColumn    = regexp.MustCompile("(?m)^(\\| `.*\\|)[^|\n]*\\|$")
	forecastQuote = regexp.MustCompile(`(?m)^> (Forecast|this cycle|all \d+ cycles|jupiter plan --probe).*\n\n?`)
)

func mask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mask FILE")
	}
	text := lastColumn.ReplaceAllString(ts.ReadFile("stdout"), "$1")
	text = forecastQuote.ReplaceAllString(forecasts.ReplaceAllString(text, ""), "")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
