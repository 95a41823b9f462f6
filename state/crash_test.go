package state

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// The test binary is also the process that is killed: with childEnv set it does what the variable says.
const childEnv = "JUPITER_STATE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := child(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child: "work DIR STEP N" works and kills itself the N-th time that STEP is reached; "lock DIR" takes the operation
// lock and holds it until its input ends; "run DIR" works and says so; "full DIR HOW" runs out of
// space (space_linux_test.go).
func child(args []string) error {
	ctx, dir := context.Background(), args[1]
	o := options(dir)
	switch args[0] {
	case "work":
		left, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		o.Hook = func(step string) {
			if step != args[2] {
				return
			}
			if left--; left == 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // the signal may take a moment
			}
		}
		db, err := Open(dir, o)
		if err != nil {
			return err
		}
		return work(ctx, db, io.Discard)
	case "run":
		db, err := Open(dir, o)
		if err != nil {
			return err
		}
		return work(ctx, db, os.Stdout)
	case "full":
		return workInLittleSpace(ctx, dir, args[2])
	case "lock":
		l, err := Lock(ctx, dir, Holder{Who: "ann", PID: os.Getpid(), Host: "here", Since: noon, Command: "jupiter apply"}, 0)
		if err != nil {
			return err
		}
		fmt.Println("locked")
		_, _ = io.ReadAll(os.Stdin)
		return l.Unlock()
	}
	return fmt.Errorf("unknown child %q", args)
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	return cmd
}

const epochs = 5

// work does what is not done yet, as the next apply does after a crash: recover, back up, and cycle by cycle up to
// epochs, with a gc of what a cycle no longer needs. It writes a line after each cycle.
func work(ctx context.Context, db *DB, progress io.Writer) error {
	if _, err := db.Recover(ctx); err != nil {
		return err
	}
	if _, err := db.BackupBeforeApply(ctx); err != nil {
		return err
	}
	for {
		var next uint64
		err := db.View(ctx, func(tx *Tx) (err error) {
			generators, err := tx.Generators(cycle)
			if err != nil {
				return err
			}
			decisions, err := tx.Decisions(cycle)
			if len(generators) > 0 {
				next = uint64(len(decisions)) + 1
			}
			return err
		})
		if err != nil {
			return err
		}
		if next > epochs {
			break
		}
		if _, err := store(db, fmt.Sprintf("junk %d", next)); err != nil {
			return err
		}
		if err := epoch(ctx, db, next); err != nil {
			return err
		}
		if err := collectGarbage(ctx, db); err != nil {
			return err
		}
		fmt.Fprintln(progress, next)
	}
	return collectGarbage(ctx, db) // a crash right after the last transaction leaves this to do
}

func collectGarbage(ctx context.Context, db *DB) error {
	var live map[string][]string
	if err := db.View(ctx, func(tx *Tx) (err error) { live, err = tx.Live(); return err }); err != nil {
		return err
	}
	_, err := db.Artifacts().GC(ctx, func(d string) bool { return live[d] != nil }, false)
	return err
}

// snapshots is the exported state after each serial of an undisturbed run, and how often each step was reached.
func snapshots(t *testing.T) (map[uint64]string, map[string]int) {
	t.Helper()
	dir := t.TempDir()
	o := options(dir)
	reached := map[string]int{}
	var files [][]byte
	o.Hook = func(step string) {
		reached[step]++
		if step == "state.create" || step == "tx.committed" {
			b, err := os.ReadFile(filepath.Join(dir, "state.db"))
			if err != nil {
				t.Error(err)
			}
			files = append(files, b)
		}
	}
	db, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := work(t.Context(), db, io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := db.BackupBeforeApply(t.Context()); err != nil { // the run's own found nothing to copy
		t.Fatal(err)
	}
	all := map[uint64]string{}
	for i, b := range files {
		copied := t.TempDir()
		writeFile(t, filepath.Join(copied, "state.db"), b)
		all[uint64(i)] = export(t, openDB(t, copied))
	}
	return all, reached
}

// afterCrash proves that the state is one of those that an undisturbed run goes through, that every must holds, and
// that the next apply ends where the undisturbed run ended, with nothing left to tidy.
func afterCrash(t *testing.T, dir string, want map[uint64]string) (serial uint64) {
	t.Helper()
	db := openDB(t, dir)
	ok, err := db.Exists()
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		if err := db.View(t.Context(), func(tx *Tx) error { serial = tx.Serial(); return nil }); err != nil {
			t.Fatal(err)
		}
		if got := export(t, db); got != want[serial] {
			t.Fatalf("serial %d is between two states:\n%s", serial, got)
		}
	}
	mustHold(t, db)
	if err := work(t.Context(), db, io.Discard); err != nil {
		t.Fatal(err)
	}
	found, err := db.Check(t.Context())
	if err != nil || len(found) > 0 {
		t.Fatalf("after the next apply: %v, %v", found, err)
	}
	if damaged, err := db.CheckContents(t.Context()); err != nil || len(damaged) > 0 {
		t.Fatalf("after the next apply: %v, %v", damaged, err)
	}
	if got := export(t, db); got != want[uint64(len(want))-1] {
		t.Fatalf("the next apply ended elsewhere:\n%s", got)
	}
	return serial
}

// TestKilledAtEachStep kills a working process at every step that it names, several times each.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	want, reached := snapshots(t)
	for _, step := range Steps() {
		if reached[step] == 0 {
			t.Errorf("the work never reaches step %s", step)
		}
	}
	for _, step := range Steps() {
		for i, nth := range []int{1, 2, reached[step]} {
			if nth > reached[step] || i == 2 && nth <= 2 || step == "backup.rename" && nth > 1 {
				continue
			}
			t.Run(fmt.Sprintf("%s_%d", step, nth), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if step == "backup.rename" { // there must be something to back up
					if err := epoch(t.Context(), openDB(t, dir), 0); err != nil {
						t.Fatal(err)
					}
				}
				killed(t, command(t, "work", dir, step, strconv.Itoa(nth)).Run())
				afterCrash(t, dir, want)
			})
		}
	}
}

// TestKilledAnywhere kills the process while it does whatever it does.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	want, _ := snapshots(t)
	rng := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	serials := map[uint64]bool{}
	t.Run("runs", func(t *testing.T) {
		for i := range 8 {
			lines, spins := rng.IntN(epochs-1), rng.IntN(20_000)
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				cmd := command(t, "run", dir)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				in := bufio.NewReader(out)
				for range lines {
					if _, err := in.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
				}
				for range spins { // some microseconds further on
					_ = bytes.Count([]byte("aaaaaaaaaaaaaaaa"), []byte("a"))
				}
				_ = cmd.Process.Kill()
				if err := cmd.Wait(); err != nil { // nil: it was done before the signal came
					killed(t, err)
				}
				serial := afterCrash(t, dir, want)
				mu.Lock()
				serials[serial] = true
				mu.Unlock()
			})
		}
	})
	if len(serials) < 2 {
		t.Errorf("every kill met the same state: %v", serials)
	}
}

// killed wants a process that a SIGKILL ended.
func killed(t *testing.T, err error) {
	t.Helper()
	exit, ok := err.(*exec.ExitError)
	if !ok {
		t.Fatalf("the child ended by itself: %v", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v: %s", err, exit.Stderr)
	}
}
