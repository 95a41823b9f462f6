package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

// littleSpace applies in a small file system that has less and less in it: each apply but the last runs out of space. $1
// is where it is mounted, $2 the project. What it writes is judged by the test.
const littleSpace = `
set -u
mount -t tmpfs -o size=16m tmpfs "$1" || { echo cannot mount; exit 77; }
cp -R "$2"/. "$1"
cd "$1" || exit 1
for free in 8 60 160 320 640; do
	rm -f ballast
	have=$(df -Pk . | awk 'NR == 2 { print $4 }')
	dd if=/dev/zero of=ballast bs=1024 count=$((have - free)) 2>/dev/null
	jupiter apply --auto-approve >apply.out 2>apply.err
	echo "apply $free: $?"
	rm -f ballast
	cat apply.err 2>/dev/null
	jupiter state check --contents
	echo "check $free: $?"
done
jupiter apply --auto-approve >apply.out
echo "apply with space: $?"
jupiter state check --contents
echo "check with space: $?"
echo HISTORY
jupiter history --json
`

// TestNoSpace: an apply on a full disk stops with an error that says so, nothing that was recorded is lost, and once that
// there is space the next apply goes on to the same history.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	quiet := loopFake(t, nil)
	loopApply(t, quiet)
	want, _ := loopOutput(t, quiet, exitDone, "history", "--json")

	cmd := loopCommand(t, t.TempDir())
	shell := exec.Command("sh", "-c", littleSpace, "sh", t.TempDir(), loopFake(t, nil))
	shell.Env = cmd.Env
	shell.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	var errs bytes.Buffer
	shell.Stderr = &errs
	b, err := shell.Output()
	out := string(b)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(out, "cannot mount") {
		t.Skipf("NOT TESTED: a full disk. This machine lets no user mount a tmpfs: %v %s", err, &errs)
	}
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, &errs)
	}
	out, history, _ := strings.Cut(out, "HISTORY\n")
	failed := 0
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "apply ") && strings.HasSuffix(line, ": 1"):
			failed++
		case strings.HasPrefix(line, "check ") && !strings.HasSuffix(line, ": 0"):
			t.Errorf("an invariant is broken: %s", line)
		}
	}
	if said := strings.Count(strings.ToLower(out), "no space left"); failed < 3 || said < failed {
		t.Errorf("%d applies failed, and %d say why", failed, said)
	}
	if !strings.Contains(out, "apply with space: 0") || strings.Contains(out, "panic") {
		t.Error("the apply does not go on after there is space")
	}
	if d := cmp.Diff(want, history); d != "" {
		t.Errorf("history, undisturbed (-) and after running out of space (+):\n%s", d)
	}
	if t.Failed() {
		t.Logf("%s%s", out, &errs)
	}
}
