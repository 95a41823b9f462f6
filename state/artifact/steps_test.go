package artifact

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestNothingHalfWrittenIsVisible looks at the store at each step of every method: what is visible verifies.
func TestNothingHalfWrittenIsVisible(t *testing.T) {
	t.Parallel()
	var s *Store
	var steps []string
	s = New(filepath.Join(t.TempDir(), "artifacts"), func(step string) {
		steps = append(steps, step)
		all, err := s.Digests()
		if err != nil {
			t.Error(err)
		}
		for _, digest := range all {
			if err := s.Verify(t.Context(), digest); err != nil {
				t.Errorf("at %s: %v", step, err)
			}
		}
	})
	dir := write(t, filepath.Join(t.TempDir(), "tree"), tree)
	want := []string{"artifact.temp", "artifact.fsync", "artifact.rename", "artifact.syncdir"}
	var last Info
	for _, put := range []struct {
		name string
		do   func() (Info, error)
	}{
		{"PutTree", func() (Info, error) { return s.PutTree(t.Context(), dir, "") }},
		{"PutFile", func() (Info, error) { return s.PutFile(t.Context(), filepath.Join(dir, "model.gguf"), "") }},
		{"MoveFile", func() (Info, error) { return s.MoveFile(t.Context(), filepath.Join(dir, "a", "run"), "") }},
		{"MoveTree", func() (Info, error) { return s.MoveTree(t.Context(), dir, "") }},
		{"PutBytes", func() (Info, error) { return s.PutBytes(t.Context(), []byte("bytes"), "") }},
	} {
		steps = nil
		info, err := put.do()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(steps, want) {
			t.Errorf("%s took the steps %v, want %v", put.name, steps, want)
		}
		last = info
	}
	steps = nil
	if err := s.Remove(t.Context(), last.Digest); err != nil || !slices.Equal(steps, []string{"artifact.remove"}) {
		t.Errorf("remove took the steps %v, %v", steps, err)
	}
}

// TestMoveAcrossFileSystems copies where a rename cannot reach, and removes the source all the same.
func TestMoveAcrossFileSystems(t *testing.T) {
	t.Parallel()
	far, err := os.MkdirTemp("/dev/shm", "artifact-test-")
	if err != nil {
		t.Skipf("no second file system to move from: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(far) })
	s := newStore(t)
	write(t, far, map[string]string{"probe": "", "file": "far", "tree/a": "far away"})
	if err := os.Rename(filepath.Join(far, "probe"), filepath.Join(t.TempDir(), "probe")); err == nil {
		t.Skip("/dev/shm and the temporary directory are one file system")
	}
	file, err := s.MoveFile(t.Context(), filepath.Join(far, "file"), "")
	tree, err2 := s.MoveTree(t.Context(), filepath.Join(far, "tree"), "")
	if err := errors.Join(err, err2, s.Verify(t.Context(), file.Digest), s.Verify(t.Context(), tree.Digest)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "tree"} {
		if _, err := os.Lstat(filepath.Join(far, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	clean(t, s)
}
