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

// Replace gives a file new contents that readers, and whoever comes after a crash or a full disk, see whole, old or new.
// A link stays a link: the file that it leads to is replaced. A new file gets mode 0644, one that is there keeps its own.
func Replace(path string, b []byte) error {
	mode := fs.FileMode(0o644)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
		fi, err := os.Stat(path)
		if err != nil {
			return err
		}
		mode = fi.Mode().Perm()
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".jupiter-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(b)
	if err == nil {
		err = temp.Chmod(mode)
	}
	if err == nil {
		err = temp.Sync()
	}
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return Sync(filepath.Dir(path))
}
