package host

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// executable is a program that serves plugins, as it was when the host first looked.
type executable struct {
	path     string
	tree     string
	free     bool                   // nothing is locked of it; see Program.Checksum
	checksum func() ([]byte, error) // SHA-256, computed once
	seen     []coveredFile          // the files that the checksum is of; valid after checksum
}

func newExecutable(p Program) *executable {
	e := &executable{path: p.Path, tree: p.Tree, free: p.Checksum == ""}
	e.checksum = sync.OnceValues(func() (sum []byte, err error) {
		sum, e.seen, err = e.digest()
		return sum, err
	})
	return e
}

// covered lists what the checksum is of.
func (e *executable) covered() ([]coveredFile, error) {
	if e.free && e.tree == "" {
		return aloneFile(e.path), nil
	}
	return covered(e.path, e.tree)
}

func (e *executable) digest() ([]byte, []coveredFile, error) {
	files, err := e.covered()
	if err != nil {
		return nil, nil, err
	}
	return digestOf(files)
}

// hidden says whether the program can change without its checksum: a script of which nothing is locked.
func (e *executable) hidden() bool {
	script, err := isScript(e.path)
	return e.free && e.tree == "" && (script || err != nil)
}

// verify compares the program with what it was, and with want unless that is "". Its bytes are read again unless the file system says that nobody has
// touched them: a plan starts a process or two, and to read fifty megabytes for each takes longer than all that they do.
// What is written within one tick of the file system's clock, a few milliseconds, looks untouched.
func (e *executable) verify(want string) error {
	sum, err := e.checksum()
	if err != nil {
		return fmt.Errorf("verify %s: %w", e.path, err)
	}
	if want != "" && want != hex.EncodeToString(sum) {
		return &ChecksumError{Path: e.path, Want: want, Have: hex.EncodeToString(sum), Locked: true}
	}
	if e.untouched() {
		return nil
	}
	again, _, err := e.digest()
	if err != nil {
		return fmt.Errorf("verify %s: %w", e.path, err)
	}
	if !bytes.Equal(sum, again) {
		return &ChecksumError{Path: e.path, Want: cmp.Or(want, hex.EncodeToString(sum)), Have: hex.EncodeToString(again), Locked: want != ""}
	}
	return nil
}

// untouched says whether the checksum would be of the same files, and nobody has written to one of them.
func (e *executable) untouched() bool {
	now, err := e.covered()
	if err != nil || len(now) != len(e.seen) {
		return false
	}
	for i, f := range now {
		info, err := os.Stat(f.path)
		if err != nil || f.name != e.seen[i].name || !untouched(e.seen[i].info, info) {
			return false
		}
	}
	return true
}

// Checksum is the SHA-256 of a program, in hexadecimal: what Program.Checksum is compared with. Checksum itself is not
// looked at.
func Checksum(p Program) (string, error) {
	files, err := covered(p.Path, p.Tree)
	var sum []byte
	if err == nil {
		sum, _, err = digestOf(files)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", err
	} else if err != nil {
		return "", fmt.Errorf("checksum of %s: %w", p.Path, err)
	}
	return hex.EncodeToString(sum), nil
}
