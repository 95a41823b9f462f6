package host

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
)

// executable is a program that serves plugins, as it was when the host first looked.
type executable struct {
	path     string
	checksum func() ([]byte, error) // SHA-256, computed once
	seen     os.FileInfo            // of the bytes that the checksum is of; valid after checksum
}

func newExecutable(path string) *executable {
	e := &executable{path: path}
	e.checksum = sync.OnceValues(func() (sum []byte, err error) {
		sum, e.seen, err = digestOf(path)
		return sum, err
	})
	return e
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
	if now, err := os.Stat(e.path); err == nil && untouched(e.seen, now) {
		return nil
	}
	again, _, err := digestOf(e.path)
	if err != nil {
		return fmt.Errorf("verify %s: %w", e.path, err)
	}
	if !bytes.Equal(sum, again) {
		return &ChecksumError{Path: e.path, Want: cmp.Or(want, hex.EncodeToString(sum)), Have: hex.EncodeToString(again), Locked: want != ""}
	}
	return nil
}

// digestOf gives the SHA-256 of a file with what the file system said of it before it was read.
func digestOf(path string) ([]byte, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return sum.Sum(nil), info, nil
}
