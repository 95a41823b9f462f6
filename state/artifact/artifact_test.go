package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes files with the given content; a name that ends in * is executable, one that ends in / a directory.
func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, strings.TrimSuffix(name, "*"))
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, "*") {
			mode = 0o755
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), mode)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read gives the content of every file of a tree, with * behind the names of executable ones.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		if st.Mode().Perm()&0o222 != 0 {
			t.Errorf("%s can be written: %s", path, st.Mode())
		}
		b, err := os.ReadFile(path)
		name := strings.TrimPrefix(strings.TrimPrefix(path, dir), "/")
		if st.Mode()&0o111 != 0 {
			name += "*"
		}
		all[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func newStore(t *testing.T) *Store {
	t.Helper()
	return New(filepath.Join(t.TempDir(), "artifacts"), nil)
}

// clean wants an empty tmp.
func clean(t *testing.T, s *Store) {
	t.Helper()
	left, err := readDir(filepath.Join(s.Dir(), "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left below tmp: %v, %v", left, err)
	}
}

func pathOf(t *testing.T, s *Store, digest string) string {
	t.Helper()
	path, err := s.Path(digest)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var tree = map[string]string{"model.gguf": "weights", "a/b/tokenizer.json": "{}", "a/run*": "#!/bin/sh\n", "a.txt": "", "empty/": ""}

func stored() map[string]string {
	want := map[string]string{}
	for name, content := range tree {
		if !strings.HasSuffix(name, "/") {
			want[name] = content
		}
	}
	return want
}

// TestEveryWayGivesTheSameDigest puts one content by every method.
func TestEveryWayGivesTheSameDigest(t *testing.T) {
	t.Parallel()
	// sha256("weights"), from coreutils.
	const digest = "sha256:9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
	src := func(t *testing.T) string { return filepath.Join(write(t, t.TempDir(), tree), "model.gguf") }
	for name, put := range map[string]func(t *testing.T, s *Store) (Info, error){
		"bytes": func(t *testing.T, s *Store) (Info, error) { return s.PutBytes(t.Context(), []byte("weights"), "m") },
		"reader": func(t *testing.T, s *Store) (Info, error) {
			return s.PutReader(t.Context(), strings.NewReader("weights"), "m")
		},
		"file": func(t *testing.T, s *Store) (Info, error) { return s.PutFile(t.Context(), src(t), "m") },
		"move": func(t *testing.T, s *Store) (Info, error) { return s.MoveFile(t.Context(), src(t), "m") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			want := Info{Digest: digest, Size: 7, MediaType: "m"}
			for range 2 { // what is there is put again
				info, err := put(t, s)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, info); diff != "" {
					t.Fatal(diff)
				}
			}
			if diff := cmp.Diff(map[string]string{"": "weights"}, read(t, pathOf(t, s, digest))); diff != "" {
				t.Error(diff)
			}
			if err := s.Verify(t.Context(), digest); err != nil {
				t.Error(err)
			}
			clean(t, s)
		})
	}
}

func TestTrees(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(s *Store, dir string) (Info, error){
		"put":  func(s *Store, dir string) (Info, error) { return s.PutTree(context.Background(), dir, "d") },
		"move": func(s *Store, dir string) (Info, error) { return s.MoveTree(context.Background(), dir, "d") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			var digest string
			for range 2 {
				dir := write(t, filepath.Join(t.TempDir(), "tree"), tree)
				info, err := put(s, dir)
				if err != nil {
					t.Fatal(err)
				}
				// The digest is part of the format: it must not change.
				want := Info{Digest: "sha256:" + treeDigest, Tree: true, Size: 19, MediaType: "d"}
				if diff := cmp.Diff(want, info); diff != "" {
					t.Fatal(diff)
				}
				digest = info.Digest
				if _, err := os.Stat(dir); (name == "move") != errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s, and the source: %v", name, err)
				}
			}
			if diff := cmp.Diff(stored(), read(t, pathOf(t, s, digest))); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Stat(filepath.Join(pathOf(t, s, digest), "empty")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("an empty directory is stored: %v", err)
			}
			info, err := s.Stat(digest)
			if diff := cmp.Diff(Info{Digest: digest, Tree: true, Size: 19}, info); diff != "" || err != nil {
				t.Error(diff, err)
			}
			if err := s.Verify(t.Context(), digest); err != nil {
				t.Error(err)
			}
			if _, err := s.Open(digest); err == nil {
				t.Error("a tree was opened as a file")
			}
			clean(t, s)
		})
	}
}

// treeDigest is that of tree, from its manifest written with printf and hashed with coreutils.
const treeDigest = "f45acaaf8d8ce501da5c0ef4b90a873640da8e48798235074600bd8cc2b79757"

// TestTreeDigestsDiffer changes one thing at a time.
func TestTreeDigestsDiffer(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	seen := map[string]string{}
	for _, files := range []map[string]string{
		{"a": "1"}, {"a": "2"}, {"b": "1"}, {"a*": "1"}, {"a": "1", "b": ""}, {"d/a": "1"}, {"a\n": "1"}, {"a": ""}, {"x/": ""},
	} {
		info, err := s.PutTree(t.Context(), write(t, t.TempDir(), files), "")
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(files)
		if other := seen[info.Digest]; other != "" {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[info.Digest] = name
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	make := map[string]func(path string) error{
		"link":        func(path string) error { return os.Symlink("/etc/hostname", path) },
		"broken link": func(path string) error { return os.Symlink("nowhere", path) },
		"pipe":        func(path string) error { return syscall.Mkfifo(path, 0o644) },
	}
	for name, make := range make {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			dir := write(t, filepath.Join(t.TempDir(), "tree"), tree)
			odd := filepath.Join(dir, "a", "odd")
			if err := make(odd); err != nil {
				t.Fatal(err)
			}
			for put, err := range map[string]error{
				"PutFile":        second(s.PutFile(t.Context(), odd, "")),
				"MoveFile":       second(s.MoveFile(t.Context(), odd, "")),
				"PutTree":        second(s.PutTree(t.Context(), dir, "")),
				"MoveTree":       second(s.MoveTree(t.Context(), dir, "")),
				"PutTree alone":  second(s.PutTree(t.Context(), odd, "")),
				"MoveTree alone": second(s.MoveTree(t.Context(), odd, "")),
			} {
				if !errors.Is(err, ErrRefused) {
					t.Errorf("%s: %v, want ErrRefused", put, err)
				}
			}
			if _, err := os.Lstat(odd); err != nil {
				t.Errorf("a move that was refused did not put back the source: %v", err)
			}
			if all, err := s.Digests(); len(all) > 0 || err != nil {
				t.Errorf("stored %v, %v", all, err)
			}
			clean(t, s)
		})
	}
	s := newStore(t)
	if _, err := s.PutFile(t.Context(), t.TempDir(), ""); !errors.Is(err, ErrRefused) {
		t.Errorf("a directory as a file: %v", err)
	}
	if _, err := s.PutFile(t.Context(), filepath.Join(t.TempDir(), "none"), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func second(_ Info, err error) error { return err }

// TestMoveKeepsOtherNamesOut: what can be written through a second name is copied.
func TestMoveKeepsOtherNamesOut(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"file": "one", "tree/file": "two"})
	if err := errors.Join(os.Link(filepath.Join(dir, "file"), filepath.Join(dir, "other")),
		os.Link(filepath.Join(dir, "tree", "file"), filepath.Join(dir, "other2"))); err != nil {
		t.Fatal(err)
	}
	file, err := s.MoveFile(t.Context(), filepath.Join(dir, "file"), "")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := s.MoveTree(t.Context(), filepath.Join(dir, "tree"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "other2"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("changed"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Verify(t.Context(), file.Digest), s.Verify(t.Context(), tree.Digest)); err != nil {
		t.Error(err)
	}
}

// TestMoveThatFailsPutsBack: a file that cannot be moved leaves the whole source in place.
func TestMoveThatFailsPutsBack(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir := write(t, filepath.Join(t.TempDir(), "tree"), map[string]string{"a": "1", "b": "2", "c": "3"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	m, err := scan(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	m[2].Path = "gone"
	if err := moveTree(t.Context(), root, dir, filepath.Join(t.TempDir(), "clean"), m); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	info, err := s.PutTree(t.Context(), dir, "")
	if err != nil || info.Size != 3 {
		t.Errorf("what is left: %+v, %v", info, err)
	}
}

func TestVerifyNotices(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(tree string) error{
		"a byte": func(tree string) error {
			path := filepath.Join(tree, "model.gguf")
			return errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("Weights"), 0o444))
		},
		"a file more":    func(tree string) error { return os.WriteFile(filepath.Join(tree, "more"), nil, 0o444) },
		"a file less":    func(tree string) error { return os.Remove(filepath.Join(tree, "a.txt")) },
		"executable bit": func(tree string) error { return os.Chmod(filepath.Join(tree, "a.txt"), 0o555) },
		"a link instead": func(tree string) error {
			path := filepath.Join(tree, "a.txt")
			return errors.Join(os.Remove(path), os.Symlink("/dev/null", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			info, err := s.PutTree(t.Context(), write(t, t.TempDir(), tree), "")
			if err != nil {
				t.Fatal(err)
			}
			path := pathOf(t, s, info.Digest)
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(t.Context(), info.Digest); !errors.Is(err, ErrDamaged) {
				t.Errorf("got %v, want ErrDamaged", err)
			}
		})
	}
	s := newStore(t)
	file, err := s.PutBytes(t.Context(), []byte("abc"), "")
	if err != nil {
		t.Fatal(err)
	}
	path := pathOf(t, s, file.Digest)
	if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("abd"), 0o444)); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), file.Digest); !errors.Is(err, ErrDamaged) {
		t.Errorf("a file: %v, want ErrDamaged", err)
	}
	if err := s.Verify(t.Context(), Sum([]byte("none"))); !errors.Is(err, ErrMissing) {
		t.Errorf("no file: %v, want ErrMissing", err)
	}
	for _, bad := range []string{"", "sha256:", "sha256:../../../etc/passwd", strings.ToUpper(file.Digest), file.Digest + "0", "md5:" + treeDigest} {
		for _, err := range []error{second(s.Stat(bad)), s.Verify(t.Context(), bad), s.Remove(t.Context(), bad)} {
			if !errors.Is(err, ErrDigest) {
				t.Errorf("digest %q: %v, want ErrDigest", bad, err)
			}
		}
	}
}

func TestGC(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var all []string
	for _, content := range []string{"a", "b", "c"} {
		info, err := s.PutBytes(t.Context(), []byte(content), "")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Digest)
	}
	dir, err := s.PutTree(t.Context(), write(t, t.TempDir(), tree), "")
	if err != nil {
		t.Fatal(err)
	}
	keep := func(digest string) bool { return digest == all[0] || digest == all[1] }
	for _, dryRun := range []bool{true, false} {
		got, err := s.GC(t.Context(), keep, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		if got.Kept != 2 || len(got.Removed) != 2 || got.Bytes != 20 {
			t.Errorf("dry run %t: %+v", dryRun, got)
		}
		ok, err := s.Has(dir.Digest)
		if ok != dryRun || err != nil {
			t.Errorf("dry run %t: the tree is there: %t, %v", dryRun, ok, err)
		}
	}
	left, err := s.Digests()
	if err != nil || !slices.Equal(left, sortedCopy(all[:2])) {
		t.Errorf("left %v, %v", left, err)
	}
	clean(t, s)
	if err := s.Remove(t.Context(), dir.Digest); err != nil {
		t.Errorf("remove what is gone: %v", err)
	}
}

func sortedCopy(all []string) []string {
	all = slices.Clone(all)
	slices.Sort(all)
	return all
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if n, err := s.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("sweep of nothing: %d, %v", n, err)
	}
	write(t, filepath.Join(s.Dir(), "tmp"), map[string]string{"put-1/data/deep/file": "x", "gone-abc": "y"})
	if err := os.Chmod(filepath.Join(s.Dir(), "tmp", "put-1", "data", "deep"), 0o555); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	clean(t, s)
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir := write(t, filepath.Join(t.TempDir(), "tree"), tree)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	for name, err := range map[string]error{
		"PutFile":  second(s.PutFile(ctx, filepath.Join(dir, "model.gguf"), "")),
		"PutTree":  second(s.PutTree(ctx, dir, "")),
		"MoveFile": second(s.MoveFile(ctx, filepath.Join(dir, "model.gguf"), "")),
		"MoveTree": second(s.MoveTree(ctx, dir, "")),
		"PutBytes": second(s.PutBytes(ctx, []byte("x"), "")),
	} {
		if !errors.Is(err, stop) {
			t.Errorf("%s: %v, want the context's cause", name, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "model.gguf")); string(b) != "weights" || err != nil {
		t.Errorf("the source is %q, %v", b, err)
	}
	if all, err := s.Digests(); len(all) > 0 || err != nil {
		t.Errorf("stored %v, %v", all, err)
	}
	clean(t, s)
}

// TestTwoPutsAtOnce stores one tree from many goroutines and two Stores.
func TestTwoPutsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	other := New(s.Dir(), nil)
	dir := write(t, t.TempDir(), tree)
	var wg sync.WaitGroup
	for i := range 8 {
		store := []*Store{s, other}[i%2]
		wg.Go(func() {
			info, err := store.PutTree(context.Background(), dir, "")
			file, err2 := store.PutFile(context.Background(), filepath.Join(dir, "model.gguf"), "")
			if err != nil || err2 != nil {
				t.Error(err, err2)
				return
			}
			if err := errors.Join(store.Verify(context.Background(), info.Digest), store.Verify(context.Background(), file.Digest)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	clean(t, s)
}
