package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestInspect: what nobody touched is not read; what somebody touched is, and found damaged or whole.
func TestInspect(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		touch func(root string) error
		want  Condition
	}{
		{"untouched", func(string) error { return nil }, Present},
		{"copied", func(root string) error { return os.Chtimes(filepath.Join(root, "a.txt"), time.Time{}, time.Now()) }, Present},
		{"made writable", func(root string) error { return os.Chmod(filepath.Join(root, "a.txt"), 0o644) }, Present},
		{"written to", func(root string) error {
			path := filepath.Join(root, "model.gguf")
			return errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("Weights"), 0), os.Chmod(path, 0o444))
		}, Damaged},
		{"cut short", func(root string) error {
			path := filepath.Join(root, "model.gguf")
			return errors.Join(os.Chmod(path, 0o644), os.Truncate(path, 3), os.Chmod(path, 0o444))
		}, Damaged},
		{"a file less", func(root string) error { return os.Remove(filepath.Join(root, "a", "b", "tokenizer.json")) }, Damaged},
		{"a file more", func(root string) error { return os.WriteFile(filepath.Join(root, "a", "more"), nil, 0o444) }, Damaged},
		{"a link instead", func(root string) error {
			path := filepath.Join(root, "a.txt")
			return errors.Join(os.Remove(path), os.Symlink("/dev/null", path))
		}, Damaged},
		{"a file instead", func(root string) error {
			return errors.Join(os.RemoveAll(root), os.WriteFile(root, []byte("x"), 0o444))
		}, Damaged},
		{"gone", os.RemoveAll, Missing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			src := write(t, t.TempDir(), tree)
			info, err := s.PutTree(t.Context(), src, "")
			if err != nil {
				t.Fatal(err)
			}
			root := pathOf(t, s, info.Digest)
			if err := tc.touch(root); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Inspect(t.Context(), info.Digest); got != tc.want || err != nil {
				t.Fatalf("got %s, %v; want %s", got, err, tc.want)
			}
			if tc.want == Present {
				if _, whole, err := stamps(root); !whole || err != nil {
					t.Errorf("it would be read again: %v", err)
				}
			}
			// What is stored again takes the place of what is damaged, which is kept beside it.
			if _, err := s.PutTree(t.Context(), src, ""); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(t.Context(), info.Digest); err != nil {
				t.Errorf("stored again: %v", err)
			}
			aside, err := s.Aside()
			if err != nil || (tc.want == Damaged) != (len(aside) == 1) {
				t.Fatalf("set aside: %v, %v", aside, err)
			}
			for _, a := range aside {
				if err := s.RemoveAside(a); err != nil || a.Digest != info.Digest {
					t.Errorf("remove %+v: %v", a, err)
				}
			}
			if left, err := s.Aside(); len(left) > 0 || err != nil {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

// TestSuspect: bytes that a disk changed keep their times. Verify finds them; from then on Inspect does.
func TestSuspect(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	info, err := s.PutBytes(t.Context(), []byte("abc"), "")
	if err != nil {
		t.Fatal(err)
	}
	path := pathOf(t, s, info.Digest)
	if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("abd"), 0), os.Chmod(path, 0o444), touch(path, untouched())); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Inspect(t.Context(), info.Digest); got != Present || err != nil {
		t.Errorf("before: %s, %v", got, err)
	}
	if err := s.Verify(t.Context(), info.Digest); !errors.Is(err, ErrDamaged) {
		t.Errorf("verify: %v", err)
	}
	if err := s.Suspect(info.Digest); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Inspect(t.Context(), info.Digest); got != Damaged || err != nil {
		t.Errorf("after: %s, %v", got, err)
	}
	if _, err := s.PutBytes(t.Context(), []byte("abc"), ""); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Inspect(t.Context(), info.Digest); got != Present || err != nil {
		t.Errorf("stored again: %s, %v", got, err)
	}
}
