package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"jupiter/plan/addr"
	"jupiter/state"
)

// The commands of scripts that do something to a state from outside.
//
//	damage PATH                 changes a byte of an artifact, of the first file in a directory; a second time changes it
//	                            back
//	damage result ADDRESS       the same, of the last result of an address
//	damage partial ADDRESS      the same, of the checkpoint that an unfinished try left
//	damage base ADDRESS         the same, of the model that its last result was trained from
//	rot PATH                    damage as a disk does it: the file's time stays
//	lock                        holds the operation lock of the project in the current directory; ! lock gives it back

func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: damage PATH, or damage result|partial|base ADDRESS")
	}
	path := ts.MkAbs(args[0])
	if len(args) == 2 {
		path = artifactOf(ts, args[0], args[1])
	}
	ts.Check(flip(ts, path).err)
}

func rot(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rot PATH")
	}
	f := flip(ts, ts.MkAbs(args[0]))
	ts.Check(errors.Join(f.err, os.Chtimes(f.path, f.was, f.was)))
}

// artifactOf is the path of an artifact that an address has.
func artifactOf(ts *testscript.TestScript, what, address string) string {
	db, err := state.Open(ts.MkAbs(".jupiter"), state.Options{ReadOnly: true})
	ts.Check(err)
	digest := ""
	ts.Check(db.View(context.Background(), func(tx *state.Tx) error {
		for p, err := range tx.Partials() {
			if err != nil {
				return err
			}
			if what == "partial" && p.Address == address {
				digest = p.Checkpoint
			}
		}
		last, ok, err := tx.Stage(addr.Address(address))
		if err != nil || !ok || what == "partial" {
			return err
		}
		a, _, err := tx.Action(last.Action)
		if what == "base" {
			digest = a.Parts["input.base"]
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
			digest = a.Outputs[name].Digest
		}
		return err
	}))
	path, err := db.Artifacts().Path(digest)
	ts.Check(err)
	return path
}

type flipped struct {
	path string
	was  time.Time // of its last change
	err  error
}

// flip changes a byte of the first file below a path.
func flip(ts *testscript.TestScript, path string) flipped {
	root, err := filepath.EvalSymlinks(path)
	ts.Check(err)
	first := ""
	ts.Check(filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && first == "" {
			first = path
		}
		return err
	}))
	b, err := os.ReadFile(first)
	ts.Check(err)
	b[0] ^= 0x20
	st, err := os.Stat(first)
	ts.Check(err)
	return flipped{first, st.ModTime(), errors.Join(os.Chmod(first, 0o644), os.WriteFile(first, b, 0), os.Chmod(first, 0o444))}
}

// held is the key of the lock that a script holds.
type held struct{}

func lock(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: lock")
	}
	if neg {
		ts.Check(ts.Value(held{}).(*holding).lock.Unlock())
		return
	}
	l, err := state.Lock(context.Background(), ts.MkAbs(".jupiter"), state.Holder{Who: "ann@there", PID: 7, Host: "there", Since: time.Unix(0, 0), Command: "jupiter apply"}, 0)
	ts.Check(err)
	ts.Value(held{}).(*holding).lock = l
	ts.Defer(func() { _ = l.Unlock() })
}

// holding is the lock of one script.
type holding struct{ lock *state.OperationLock }
