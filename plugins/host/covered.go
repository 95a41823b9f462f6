package host

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What a checksum covers:
//
//   - An executable by itself: its bytes. The checksum is what sha256sum prints.
//   - A program with a tree: all files of the tree. Where that is one file, its bytes.
//   - A script that pip or another installer has put beside a Python interpreter: the script, and the files of the
//     distribution that it belongs to (see python.go).
//
// The checksum of several files is the SHA-256 of a line for each, sorted by name, as sha256sum writes them: the file's
// SHA-256, two spaces, its name with slashes.

// coveredFile is a file under a checksum.
type coveredFile struct {
	name   string // that enters the checksum
	path   string
	script bool        // its first line may name the interpreter beside it
	info   os.FileInfo // before it was read; nil: it was not read
}

// covered lists what the checksum of a program covers, sorted by name.
func covered(path, tree string) (files []coveredFile, err error) {
	if tree != "" {
		files, err = treeFiles(tree)
	} else {
		files, err = scriptFiles(path)
	}
	slices.SortFunc(files, func(a, b coveredFile) int { return strings.Compare(a.name, b.name) })
	return files, err
}

// treeFiles lists the files of a directory. Only files and directories may be there.
func treeFiles(root string) (files []coveredFile, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		rel, err := filepath.Rel(root, path)
		files = append(files, coveredFile{name: filepath.ToSlash(rel), path: path})
		return err
	})
	return files, err
}

// aloneFile is a program of which only its own file counts.
func aloneFile(path string) []coveredFile {
	return []coveredFile{{name: filepath.Base(path), path: path}}
}

// digestOf gives the SHA-256 of the files of a program, and the files with what the file system said of each before it was
// read.
func digestOf(files []coveredFile) (_ []byte, _ []coveredFile, err error) {
	var lines bytes.Buffer
	var last []byte
	for i := range files {
		if last, err = files[i].digest(); err != nil {
			return nil, nil, err
		}
		fmt.Fprintf(&lines, "%x  %s\n", last, files[i].name)
	}
	if len(files) == 1 {
		return last, files, nil
	}
	sum := sha256.Sum256(lines.Bytes())
	return sum[:], files, nil
}

func (c *coveredFile) digest() ([]byte, error) {
	f, err := os.Open(c.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if c.info, err = f.Stat(); err != nil {
		return nil, err
	}
	var in io.Reader = f
	if c.script {
		if in, err = relocated(f, filepath.Dir(c.path)); err != nil {
			return nil, err
		}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.path, err)
	}
	return sum.Sum(nil), nil
}
