package install

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// member is an entry of an archive that a test makes.
type member struct {
	name, text string
	mode       fs.FileMode
	link       bool // hard link, in a tar
}

func zipOf(t *testing.T, dir string, members []member) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(m.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return put(t, dir, "a.zip", b.Bytes())
}

func tarOf(t *testing.T, dir string, members []member) string {
	t.Helper()
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: int64(m.mode.Perm()), Size: int64(len(m.text)), Typeflag: tar.TypeReg}
		switch {
		case m.link:
			h.Typeflag, h.Linkname, h.Size, m.text = tar.TypeLink, "x", 0, ""
		case m.mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname, h.Size, m.text = tar.TypeSymlink, m.text, 0, ""
		case m.mode&fs.ModeDevice != 0:
			h.Typeflag, h.Size, m.text = tar.TypeChar, 0, ""
		case m.mode.IsDir():
			h.Typeflag, h.Size, m.text = tar.TypeDir, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return put(t, dir, "a.tar.gz", b.Bytes())
}

func put(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tree lists files as NAME MODE TEXT.
func tree(t *testing.T, dir string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		lines = append(lines, rel+" "+info.Mode().String()+" "+string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestUnpack: what an archive holds is written; what would climb out, be a link, come twice or be too large is refused
// with its name, and nothing is written outside.
func TestUnpack(t *testing.T) {
	t.Parallel()
	good := []member{{"lib/", "", fs.ModeDir | 0o755, false}, {"lib/words.txt", "a", 0o644, false}, {"words", "bin", 0o644, false}, {"tool", "x", 0o755, false}}
	for name, tc := range map[string]struct {
		members []member
		want    string // in the error; "": none
		only    string // "tar"; "": both
	}{
		"good":          {good, "", ""},
		"dot":           {[]member{{"./", "", fs.ModeDir | 0o755, false}, {"./lib/words.txt", "a", 0o644, false}, {"./tool", "x", 0o755, false}, {"./words", "bin", 0o755, false}}, "", ""},
		"climbs":        {[]member{{"../evil", "x", 0o644, false}}, `"../evil" is no path below`, ""},
		"climbs within": {[]member{{"a/../../evil", "x", 0o644, false}}, `"a/../../evil" is no path below`, ""},
		"absolute":      {[]member{{"/tmp/evil", "x", 0o644, false}}, `"/tmp/evil" is no path below`, ""},
		"backslash":     {[]member{{`..\evil`, "x", 0o644, false}}, `is no path below`, ""},
		"symbolic link": {[]member{{"words", "/bin/sh", fs.ModeSymlink | 0o777, false}}, `"words" is a link or a device`, ""},
		"link then in":  {[]member{{"d", "/tmp", fs.ModeSymlink | 0o777, false}, {"d/evil", "x", 0o644, false}}, `"d" is a link`, ""},
		"device":        {[]member{{"null", "", fs.ModeDevice | fs.ModeCharDevice | 0o666, false}}, `"null" is a link or a device`, ""},
		"hard link":     {[]member{{"words", "x", 0o755, true}}, `"words" is a link`, "tar"},
		"twice":         {[]member{{"words", "a", 0o755, false}, {"words", "b", 0o755, false}}, `"words" is there twice`, ""},
		"case":          {[]member{{"words", "a", 0o755, false}, {"Words", "b", 0o755, false}}, `"Words" is there twice`, ""},
		"dot twice":     {[]member{{"words", "a", 0o755, false}, {"./words", "b", 0o755, false}}, `"./words" is there twice`, ""},
		"file as dir":   {[]member{{"words", "a", 0o755, false}, {"words/x", "b", 0o755, false}}, "not a directory", ""},
		"bomb":          {[]member{{"words", strings.Repeat("\x00", slack+1<<20), 0o755, false}}, `"words" makes it larger than`, ""},
		"many files":    {slices.Repeat([]member{{"d/", "", fs.ModeDir | 0o755, false}}, 200), "too many files", ""},
	} {
		for kind, of := range map[string]func(*testing.T, string, []member) string{"zip": zipOf, "tar": tarOf} {
			if tc.only != "" && tc.only != kind {
				continue
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				outer := t.TempDir()
				archive := of(t, t.TempDir(), tc.members)
				into := filepath.Join(outer, "a", "b")
				if err := os.MkdirAll(into, 0o755); err != nil {
					t.Fatal(err)
				}
				err := unpack(archive, into, []string{"words"}, limits{files: 100, bytes: 1 << 30, times: 10})
				if tc.want != "" {
					if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), archive) {
						t.Errorf("%v, want %q", err, tc.want)
					}
					for _, line := range tree(t, outer) {
						if !strings.HasPrefix(line, "a/b/") {
							t.Errorf("written outside: %s", line)
						}
					}
					return
				}
				want := []string{"lib/words.txt -rw-r--r-- a", "tool -rwxr-xr-x x", "words -rwxr-xr-x bin"}
				if got := tree(t, into); err != nil || !slices.Equal(got, want) {
					t.Errorf("%v, %q", err, got)
				}
			})
		}
	}
}

// TestDamaged: an archive that is cut or no archive is an error that names it.
func TestDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{zipOf(t, dir, []member{{"words", strings.Repeat("ab", 1000), 0o755, false}}), tarOf(t, dir, []member{{"words", strings.Repeat("ab", 1000), 0o755, false}})} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"cut": b[:len(b)/2], "none": []byte("hello"), "empty": {}} {
			damaged := put(t, t.TempDir(), name+filepath.Base(path), text)
			if err := unpack(damaged, t.TempDir(), nil, archiveLimits); err == nil || !strings.Contains(err.Error(), damaged) {
				t.Errorf("%s: %v", damaged, err)
			}
		}
	}
}

// TestPack: the same files give the same bytes, which unpack to the same files.
func TestPack(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	if err := unpack(zipOf(t, t.TempDir(), []member{{"z/a", "1", 0o644, false}, {"words", "2", 0o755, false}}), from, nil, archiveLimits); err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	if err := pack(from, &one); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := pack(copied, &two); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("not the same bytes")
	}
	back := t.TempDir()
	if err := unpack(put(t, t.TempDir(), "b.zip", one.Bytes()), back, nil, archiveLimits); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tree(t, back), tree(t, from)) {
		t.Errorf("%q, want %q", tree(t, back), tree(t, from))
	}
}
