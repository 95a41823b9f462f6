package host

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestVerifyTouched: a program that was written to is read again, whatever its time of writing and its size say.
func TestVerifyTouched(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("one"), 0o755); err != nil {
		t.Fatal(err)
	}
	e := newExecutable(Program{Path: path})
	if _, err := e.checksum(); err != nil {
		t.Fatal(err)
	}
	if err := e.verify(""); err != nil {
		t.Errorf("a program that nobody touched: %v", err)
	}
	// touch writes, puts the time of writing back, and does so until the kernel's clock has moved on.
	touch := func(text string) {
		t.Helper()
		for {
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, e.seen[0].info.ModTime(), e.seen[0].info.ModTime()); err != nil {
				t.Fatal(err)
			}
			now, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if !untouched(e.seen[0].info, now) {
				return
			}
			runtime.Gosched()
		}
	}
	touch("one")
	if err := e.verify(""); err != nil {
		t.Errorf("the same bytes, written again: %v", err)
	}
	touch("two")
	if err := e.verify(""); !isChecksum(err) {
		t.Errorf("other bytes of the same size and time: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := e.verify(""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a program that is gone: %v", err)
	}
}

// TestLockedChecksum: a program with another checksum than the one that was locked is refused, with both.
func TestLockedChecksum(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("one"), 0o755); err != nil {
		t.Fatal(err)
	}
	const one = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
	if err := newExecutable(Program{Path: path}).verify(one); err != nil {
		t.Error(err)
	}
	err := newExecutable(Program{Path: path}).verify(strings.Repeat("0", 64))
	if !isChecksum(err) || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), strings.Repeat("0", 64)) {
		t.Errorf("%v, want both checksums", err)
	}
}

func isChecksum(err error) bool {
	var ce *ChecksumError
	return errors.As(err, &ce)
}
