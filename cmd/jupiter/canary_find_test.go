package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// spellings are the ways in which a program might write a secret, by name. Base64 comes in three: where a text begins
// within a group of three bytes decides how it is written.
func spellings(secret string) map[string][]byte {
	all := map[string][]byte{
		"plain":   []byte(secret),
		"hex":     []byte(hex.EncodeToString([]byte(secret))),
		"HEX":     []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		"Go":      []byte(strings.Trim(strconv.Quote(secret), `"`)),
		"URL":     []byte(url.QueryEscape(secret)),
		"UTF-16":  []byte(strings.Join(strings.Split(secret, ""), "\x00")),
		"JSON":    jsonText(secret, true),
		"no HTML": jsonText(secret, false),
		"a part":  []byte(unescaped(secret)), // whatever escaped the rest, and how often
	}
	for shift := range 3 {
		whole := append(make([]byte, shift), secret...)
		for name, e := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			b := []byte(e.EncodeToString(whole[:len(whole)/3*3]))
			all[fmt.Sprint(name, shift)] = b[(shift*8+5)/6:] // without what the bytes before it have a part in
		}
	}
	return all
}

// unescaped is the end of a secret that nothing has a reason to escape.
func unescaped(secret string) string {
	return secret[strings.LastIndexAny(secret, "<\"&\\>")+1:]
}

func jsonText(s string, html bool) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	if e.Encode(s) != nil {
		panic("a text has no JSON")
	}
	return bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(b.Bytes()), []byte(`"`)), []byte(`"`))
}

// found says where data shows one of the secrets: in itself, or in what it unpacks to.
func found(name string, data []byte, secrets ...string) (where []string) {
	for _, s := range secrets {
		ways := spellings(s)
		for _, way := range slices.Sorted(maps.Keys(ways)) {
			if bytes.Contains(data, ways[way]) {
				where = append(where, fmt.Sprintf("%s has %s (%s)", name, s, way))
			}
		}
	}
	// A frame of zstd may stand anywhere, as in a record of the state.
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	for at := bytes.Index(data, magic); at >= 0; {
		if d, err := zstd.NewReader(bytes.NewReader(data[at:]), zstd.WithDecoderConcurrency(1)); err == nil {
			plain, _ := io.ReadAll(d) // as far as it goes: what follows a frame need not be one
			d.Close()
			where = append(where, found(name+", unpacked", plain, secrets...)...)
		}
		next := bytes.Index(data[at+1:], magic)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	if z, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
		for _, f := range z.File {
			r, err := z.Open(f.Name)
			if err != nil {
				continue
			}
			plain, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err == nil {
				where = append(where, found(name+", "+f.Name, plain, secrets...)...)
			}
		}
	}
	return where
}

// foundBelow searches every file below a directory: its bytes, its name, and where a link leads. It says how many
// files it has read.
func foundBelow(t *testing.T, dir string, skip []string, secrets ...string) (where []string, files int) {
	t.Helper()
	skipped := map[string]bool{}
	for _, s := range skip {
		skipped[filepath.Join(dir, s)] = true
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || skipped[path] {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		where = append(where, found("the name "+rel, []byte(rel), secrets...)...)
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			where = append(where, found("the link "+rel, []byte(to), secrets...)...)
			return err
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		files++
		where = append(where, found(rel, b, secrets...)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where, files
}

// TestFoundFinds: a copy of the secret that is planted in any of the ways is found, so that finding none says something.
func TestFoundFinds(t *testing.T) {
	t.Parallel()
	const secret = `canary<"&\>0123456789abcdef`
	for way, b := range spellings(secret) {
		if len(b) < 16 {
			t.Errorf("%s: %q is so short that it could stand anywhere", way, b)
		}
	}
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := e.EncodeAll([]byte("records "+secret+" more"), []byte("a record, and then "))
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte(secret), 50)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(map[string]string{"key": "Bearer " + secret})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(string(jsonText(secret, false))) // as a JSON text within another, escaped otherwise
	if err != nil {
		t.Fatal(err)
	}
	for name, planted := range map[string][]byte{
		"plain": []byte("x" + secret + "y"), "hex": []byte("ff" + hex.EncodeToString([]byte(secret))),
		"JSON": asJSON, "JSON in JSON": twice, "Go": fmt.Appendf(nil, "%q", secret),
		"base64, first": []byte(base64.StdEncoding.EncodeToString([]byte(secret + "y"))), "base64, second": []byte(base64.StdEncoding.EncodeToString([]byte("x" + secret + "y"))),
		"base64, third": []byte(base64.URLEncoding.EncodeToString([]byte("xx" + secret + "y"))), "zstd": packed, "zip": archive.Bytes(),
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, ".a", "b"), 0o755); err != nil {
			t.Fatal(err)
		}
		loopWrite(t, dir, filepath.Join(".a", "b", "c"), string(planted))
		if where, files := foundBelow(t, dir, nil, "something else entirely", secret); len(where) == 0 || files != 1 {
			t.Errorf("%s: nothing is found in %d files with %q", name, files, planted)
		}
		if where, _ := foundBelow(t, dir, nil, "something else entirely"); len(where) > 0 {
			t.Errorf("%s: found what is not there: %v", name, where)
		}
		if where, _ := foundBelow(t, dir, []string{".a/b/c"}, secret); len(where) > 0 {
			t.Errorf("%s: the file that was left out was searched", name)
		}
	}
}
