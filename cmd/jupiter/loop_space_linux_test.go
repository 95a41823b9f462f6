package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
