// Package durable changes directories so that the change survives a power cut.
//
// A file's bytes and its name reach the disk apart. Bytes are durable after fsync of the file, a name after fsync of
// the directory that holds it. A rename within one directory is atomic for readers at once, and durable after that
// fsync. The functions here return when their change is durable.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Mkdir makes a directory and the parents that it lacks.
func Mkdir(dir string) error {
	if st, err := os.Stat(dir); err == nil {
		if !st.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return fmt.Errorf("make directory %s: %w", dir, fs.ErrNotExist)
	}
	if err := Mkdir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return Sync(parent)
}

// Sync flushes a file's bytes, or a directory's names.
func Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// Remove removes a file or a link. One that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return Sync(filepath.Dir(path))
}
