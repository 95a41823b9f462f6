package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBadState: a state that cannot be trusted is refused by every command that reads it, with the reason, and nothing in
// its directory is touched.
func TestBadState(t *testing.T) {
	t.Parallel()
	good := loopFake(t, nil)
	loopApply(t, good)
	for _, tc := range []struct {
		name   string
		damage func([]byte) []byte
		say    string
	}{
		{"cut short", func(b []byte) []byte { return b[:len(b)/2] }, "damaged"},
		{"empty", func([]byte) []byte { return nil }, ""},
		{"corrupt", func(b []byte) []byte {
			for i := range b[8192 : len(b)-4096] {
				b[8192+i] = 0xa5
			}
			return b
		}, "damaged"},
		{"not a state", func([]byte) []byte { return bytes.Repeat([]byte("{}\n"), 10000) }, ""},
		{"newer", func(b []byte) []byte {
			n := bytes.Count(b, []byte("format1"))
			if n == 0 {
				panic("the format is not where this test looks for it")
			}
			return bytes.ReplaceAll(b, []byte("format1"), []byte("format9"))
		}, "newer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := copyTree(good, dir); err != nil {
				t.Fatal(err)
			}
			db := filepath.Join(dir, ".jupiter", "state.db")
			b, err := os.ReadFile(db)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(db, tc.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			before := badDigests(t, dir)
			for _, args := range [][]string{{"plan"}, {"apply", "--auto-approve"}, {"status"}, {"history"}, {"generators"}, {"state", "check"},
				{"rollback", "--reason", "x"}, {"approve"}, {"resume", "--ack", "x"}} {
				out := loopRun(t, dir, exitError, args...)
				if !strings.Contains(out, "Error: ") || !strings.Contains(out, "state.db") && !strings.Contains(out, filepath.Base(db)) || !strings.Contains(out, tc.say) {
					t.Errorf("%v says:\n%s", args, out)
				}
				if strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
					t.Errorf("%v dies:\n%s", args, out)
				}
			}
			if d := cmp.Diff(before, badDigests(t, dir)); d != "" {
				t.Errorf("the refused state was touched:\n%s", d)
			}
		})
	}
}

// badDigests are the digests of the files of a project, but for the lock, which a command takes before it looks.
func badDigests(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "lock" {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all[rel] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
