package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestMkdir(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 { // making what is there is no error
		if err := Mkdir(dir); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		t.Errorf("%v, %v", st, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if err := Mkdir(path); err == nil {
			t.Errorf("made a directory at %s, which is a file or below one", path)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for range 2 { // removing what is gone is no error
		if err := Remove(link); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("removing a link touched what it leads to: %v", err)
	}
}

func TestSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Sync(dir); err != nil {
		t.Error(err)
	}
	if err := Sync(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := Replace(file, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(file, 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	if err := Replace(link, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	st, statErr := os.Lstat(link)
	if err != nil || statErr != nil || string(b) != "newer" || st.Mode().Type() != fs.ModeSymlink {
		t.Errorf("%q, %v; the link is %v, %v", b, err, st, statErr)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st, err)
	}
	if err := Replace(filepath.Join(file, "below"), nil); err == nil {
		t.Error("replaced a file below a file")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".jupiter-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
