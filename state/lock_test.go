package state

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lockedBy starts a process that holds the operation lock of dir, and gives what kills it.
func lockedBy(t *testing.T, dir string) (pid int, kill func()) {
	t.Helper()
	cmd := command(t, "lock", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return cmd.Process.Pid, func() {
		_ = cmd.Process.Kill()
		_ = in.Close()
		killed(t, cmd.Wait())
	}
}

func TestLockIsHeldAndDies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filled(t, dir)
	pid, kill := lockedBy(t, dir)
	want := Holder{Who: "ann", PID: pid, Host: "here", Since: noon, Command: "jupiter apply"}

	_, err := Lock(t.Context(), dir, Holder{Who: "bob"}, 0)
	var locked *LockedError
	if !errors.As(err, &locked) || !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v, want a LockedError", err)
	}
	if diff := cmp.Diff(want, locked.Holder); diff != "" {
		t.Error(diff)
	}
	for _, word := range []string{"ann", "jupiter apply", "here", "2026-01-02T12:00:00Z", "--lock-timeout"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if h, held, err := LockHolder(dir); !held || err != nil || cmp.Diff(want, h) != "" {
		t.Errorf("holder: %+v %t %v", h, held, err)
	}
	if err := db.View(t.Context(), func(tx *Tx) error { _, err := tx.Generators(cycle); return err }); err != nil {
		t.Errorf("a reader while an apply holds the lock: %v", err)
	}

	kill()
	if _, held, err := LockHolder(dir); held || err != nil {
		t.Errorf("the holder was killed: held %t, %v", held, err)
	}
	l, err := Lock(t.Context(), dir, Holder{Who: "bob", PID: 1}, 0)
	if err != nil {
		t.Fatalf("the holder was killed: %v", err)
	}
	if err := errors.Join(l.Unlock(), l.Unlock()); err != nil {
		t.Error(err)
	}
}

func TestLockWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Lock(t.Context(), dir, Holder{Who: "ann"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(t.Context(), dir, Holder{}, 60*time.Millisecond); !errors.Is(err, ErrLocked) {
		t.Errorf("after the wait: %v, want ErrLocked", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := Lock(ctx, dir, Holder{}, time.Hour); !errors.Is(err, stop) {
		t.Errorf("with an ended context: %v, want its cause", err)
	}
	got := make(chan error)
	go func() {
		second, err := Lock(context.Background(), dir, Holder{Who: "bob"}, time.Minute)
		if err == nil {
			err = second.Unlock()
		}
		got <- err
	}()
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("the one who waited: %v", err)
	}
}

func TestUnsupportedFileSystemSaysWhereToGo(t *testing.T) {
	t.Parallel()
	err := unsupported("/mnt/nfs/.jupiter/lock", "ENOLCK")
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "state_dir") || !strings.Contains(err.Error(), "/mnt/nfs") {
		t.Errorf("%v", err)
	}
}

// TestLockRefusesFileSystem: a file system that does not suit is refused before anything is written, one whose lock
// proves to be none is refused with the lock given back.
func TestLockRefusesFileSystem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	fine := func(string) error { return nil }
	network := func(path string) error { return unsupported(path, "it is NFS") }
	if _, err := lockOn(t.Context(), dir, Holder{}, 0, network, fine); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "NFS") || !strings.Contains(err.Error(), "state_dir") {
		t.Errorf("on a network: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "lock")); !os.IsNotExist(err) {
		t.Errorf("a lock was made all the same: %v", err)
	}
	twice := func(path string) error { return unsupported(path, "it grants one lock twice") }
	if _, err := lockOn(t.Context(), dir, Holder{}, 0, fine, twice); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "twice") {
		t.Errorf("with locks that do not hold: %v", err)
	}
	l, err := Lock(t.Context(), dir, Holder{}, 0)
	if err != nil {
		t.Fatalf("after a refusal: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockFileGarbage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := Lock(t.Context(), dir, Holder{Who: "ann", PID: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", "null garbage"} {
		if err := os.WriteFile(filepath.Join(dir, "lock"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Lock(t.Context(), dir, Holder{}, 0)
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "another command") {
			t.Errorf("with %q in the file: %v", text, err)
		}
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || len(b) > 0 {
		t.Errorf("a lock that was given back names %q, %v", b, err)
	}
}
