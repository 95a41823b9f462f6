package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// file is a file to be read.
type file struct {
	path    string // to open it
	rel     string // with slashes; relative to the directory or glob that found it
	pattern int    // index of that in the configuration
	size    int64
}

// order is the order of files: by relative path, then by pattern.
func order(a, b file) int {
	return cmp.Or(strings.Compare(a.rel, b.rel), cmp.Compare(a.pattern, b.pattern))
}

// find expands paths into files, in order, each file once: under the first pattern that found it.
func find(paths []string) ([]file, error) {
	seen := map[string]bool{}
	var out []file
	for i, p := range paths {
		found, err := expand(p)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s matches no files", p)
		}
		for _, f := range found {
			if clean := filepath.Clean(f.path); !seen[clean] {
				seen[clean] = true
				f.pattern = i
				out = append(out, f)
			}
		}
	}
	slices.SortFunc(out, order)
	return out, nil
}

// expand gives the files of one path. A path that exists is taken as it stands, whatever characters it has.
func expand(p string) ([]file, error) {
	info, err := os.Stat(p)
	switch {
	case err == nil && info.IsDir():
		return below(p)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a file nor a directory", p)
	case err == nil:
		return []file{{path: p, rel: filepath.Base(p), size: info.Size()}}, nil
	case !strings.ContainsAny(p, "*?[{"):
		return nil, err
	}
	matches, err := doublestar.FilepathGlob(p, doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors())
	if err != nil {
		return nil, fmt.Errorf("glob %s: %w", p, err)
	}
	base, _ := doublestar.SplitPattern(filepath.ToSlash(p))
	var out []file
	for _, m := range matches {
		if info, err = os.Stat(m); err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(filepath.FromSlash(base), m)
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			out = append(out, file{path: m, rel: filepath.ToSlash(rel), size: info.Size()})
		}
	}
	return out, nil
}

// below gives the regular files below a directory, but for hidden files and directories. Links to files are followed,
// links to directories are not.
func below(dir string) ([]file, error) {
	var out []file
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p != dir && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := os.Stat(p)
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		out = append(out, file{path: p, rel: filepath.ToSlash(rel), size: info.Size()})
		return err
	})
	return out, err
}

// Fingerprint is a digest of the contents of all files and their relative paths: it changes exactly when a collection
// would read other bytes.
func (c Config) Fingerprint(ctx context.Context) (string, error) {
	found, err := find(c.Paths)
	if err != nil {
		return "", err
	}
	all := sha256.New()
	for _, f := range found {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		sum, err := digest(f.path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%q %d %x\n", f.rel, f.pattern, sum)
	}
	return "sha256:" + hex.EncodeToString(all.Sum(nil)), nil
}

func digest(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return h.Sum(nil), nil
}
