package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jupiter/state/artifact"
)

const little = 1 << 20 // bytes of the file system, or of the largest file

// TestNoSpace runs out of space in a child: on a file system of one megabyte, and under a limit on file sizes.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	t.Run("small file system", func(t *testing.T) {
		t.Parallel()
		cmd := command(t, "full", t.TempDir(), "tmpfs")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), cannotMount) {
			t.Skipf("NOT TESTED: a full disk. This machine lets no user mount a tmpfs: %v %s", err, out)
		}
		passed(t, err, out)
	})
	t.Run("limit on file sizes", func(t *testing.T) {
		t.Parallel()
		out, err := command(t, "full", t.TempDir(), "limit").CombinedOutput()
		passed(t, err, out)
	})
}

const cannotMount = "cannot mount"

func passed(t *testing.T, err error, out []byte) {
	t.Helper()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%s", out)
	} else if err != nil {
		t.Fatal(err)
	}
}

// workInLittleSpace is the child. It returns what was wrong.
func workInLittleSpace(ctx context.Context, dir, how string) error {
	if how == "tmpfs" {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", little)); err != nil {
			return fmt.Errorf("%s: %w", cannotMount, err)
		}
	} else {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: little, Max: little}); err != nil {
			return err
		}
	}
	db, err := Open(dir, options(dir))
	if err != nil {
		return err
	}
	for n := range uint64(3) {
		if err := epoch(ctx, db, n); err != nil {
			return err
		}
	}
	before, err := everything(ctx, db)
	if err != nil {
		return err
	}
	unchanged := func(what string) error {
		now, err := everything(ctx, db)
		if err == nil && now != before {
			err = fmt.Errorf("after %s the state is\n%s\nand was\n%s", what, now, before)
		}
		return err
	}

	_, err = db.Artifacts().PutBytes(ctx, make([]byte, 3*little), "")
	var space *artifact.SpaceError
	if !errors.As(err, &space) || !strings.Contains(err.Error(), db.Artifacts().Dir()) {
		return fmt.Errorf("storing too much gives %v, want a SpaceError that names the store", err)
	}
	if err := unchanged("an artifact that is too large"); err != nil {
		return err
	}
	if how == "tmpfs" { // not a byte more
		err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 2*little), 0o600)
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("fill the disk: %v", err)
		}
	}
	err = db.Update(ctx, func(tx *Tx) error {
		return tx.PutRun(Run{ID: "large", Error: string(bytes.Repeat([]byte("x"), 3*little))})
	})
	if !artifact.IsSpace(err) || !strings.Contains(err.Error(), "as before") {
		return fmt.Errorf("a large transaction gives %v, want that there is no space and that nothing changed", err)
	}
	if err := unchanged("a transaction that is too large"); err != nil {
		return err
	}

	// Removing works without space, and gives it back.
	var digest string
	err = db.View(ctx, func(tx *Tx) error {
		a, _, err := tx.Action("action-2")
		digest = a.Outputs["model"].Digest
		return err
	})
	if err != nil {
		return err
	}
	return db.Artifacts().Remove(ctx, digest)
}

// everything is the exported state and the store's digests, and fails where a check does.
func everything(ctx context.Context, db *DB) (string, error) {
	found, err := db.Check(ctx)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("check: %v", found)
	}
	if err != nil {
		return "", err
	}
	var text strings.Builder
	if err := db.Export(ctx, &text); err != nil {
		return "", err
	}
	all, err := db.Artifacts().Digests()
	return fmt.Sprint(text.String(), all), err
}
