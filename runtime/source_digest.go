package runtime

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// digestOf names what lies at a path outside the store: a file by its bytes, a directory by its own files. What lies in
// directories below, and what begins with a dot, does not count: a download leaves its notes there. Links are followed,
// because a cache of models is made of them.
func digestOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return digestFile(path)
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return "", err
	}
	h, n := sha256.New(), 0
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return "", err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		d, err := digestFile(file)
		if err != nil {
			return "", err
		}
		n++
		fmt.Fprintf(h, "%s %q\n", d, e.Name())
	}
	if n == 0 {
		return "", fmt.Errorf("%s has no files", path)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func digestFile(path string) (string, error) {
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() { // opening a pipe would wait for its other end
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
