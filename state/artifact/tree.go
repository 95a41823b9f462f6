package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// File is one file of a tree. The manifest of a single-file entry is one File without a path.
type File struct {
	Path   string // below the tree's root, with slashes
	Size   int64  // bytes
	Exec   bool   // some executable bit is set
	SHA256 string // 64 hex digits

	links uint64 // names of the inode when it was scanned
}

// Manifest is the files of a tree, sorted by path in byte order.
//
// The digest of a tree is the SHA-256 of this text, one line a file after the first:
//
//	jupiter tree 1
//	<sha256> <size in decimal> <x or -> <path, quoted as a Go string>
//
// The first line keeps a tree apart from a file that holds the rest.
type Manifest []File

func (m Manifest) digest() string {
	h := sha256.New()
	io.WriteString(h, "jupiter tree 1\n")
	for _, f := range m {
		exec := "-"
		if f.Exec {
			exec = "x"
		}
		fmt.Fprintf(h, "%s %d %s %s\n", f.SHA256, f.Size, exec, strconv.Quote(f.Path))
	}
	return digestOf(h)
}

func (m Manifest) size() int64 {
	var n int64
	for _, f := range m {
		n += f.Size
	}
	return n
}

// dirs lists the directories that hold the files, each after everything below it and the root, ".", last.
func (m Manifest) dirs() []string {
	seen := map[string]bool{".": true}
	for _, f := range m {
		for dir := path.Dir(f.Path); !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
		}
	}
	all := make([]string, 0, len(seen))
	for dir := range seen {
		all = append(all, dir)
	}
	slices.SortFunc(all, func(a, b string) int {
		if d := depth(b) - depth(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return all
}

func depth(dir string) int {
	if dir == "." {
		return 0
	}
	return strings.Count(dir, "/") + 1
}

// scan hashes every file of a tree. It fails with ErrRefused for anything but directories and plain files, and never
// leaves the tree: a directory that another process turns into a link while it runs is an error.
func scan(ctx context.Context, root *os.Root) (Manifest, error) {
	var m Manifest
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := root.Lstat(name)
		if err != nil {
			return err
		}
		f, err := openPlain(root, name, st)
		if err != nil {
			return err
		}
		defer f.Close()
		file, err := hashFile(ctx, f, st)
		file.Path = name
		m = append(m, file)
		return err
	})
	slices.SortFunc(m, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return m, err
}

// openPlain opens what st, an Lstat of name, described, and refuses anything but a plain file.
func openPlain(root *os.Root, name string, st fs.FileInfo) (*os.File, error) {
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is %s", ErrRefused, name, kind(st.Mode()))
	}
	// Not blocking: the name may have become a pipe since.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if now, err := f.Stat(); err != nil || !os.SameFile(st, now) {
		f.Close()
		if err == nil {
			err = fmt.Errorf("%w: %s", ErrChanged, name)
		}
		return nil, err
	}
	return f, nil
}

// hashFile reads all of f, which st describes.
func hashFile(ctx context.Context, f io.Reader, st fs.FileInfo) (File, error) {
	h := sha256.New()
	n, err := copyContext(ctx, h, f)
	if err != nil {
		return File{}, err
	}
	if n != st.Size() {
		return File{}, fmt.Errorf("%w: %s", ErrChanged, st.Name())
	}
	return File{
		Size:   n,
		Exec:   st.Mode()&0o111 != 0,
		SHA256: hex.EncodeToString(h.Sum(nil)),
		links:  linksOf(st),
	}, nil
}

func linksOf(st fs.FileInfo) uint64 {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return uint64(sys.Nlink)
	}
	return 1
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

const chunk = 1 << 20 // bytes copied between two looks at the context

// copyContext is io.Copy that stops when ctx ends.
func copyContext(ctx context.Context, dst io.Writer, src io.Reader) (int64, error) {
	buf := make([]byte, chunk)
	var total int64
	for {
		if err := context.Cause(ctx); err != nil {
			return total, err
		}
		n, err := src.Read(buf)
		if n > 0 {
			if _, werr := dst.Write(buf[:n]); werr != nil {
				return total, werr
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
	}
}
