package install

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// limits bound what an archive may become.
type limits struct {
	files int
	bytes int64
	times int64 // how often larger than the archive, above slack
}

// slack is what any archive may become.
const slack = 16 << 20

var archiveLimits = limits{files: 50_000, bytes: 8 << 30, times: 200}

// unpacker writes the files of one archive into an empty directory. It makes files and directories, and no links, so a
// name that stays below the directory by its form stays below it.
type unpacker struct {
	into    string
	runs    []string // names of files that are executable whatever the archive says
	left    int64    // bytes that may still come
	files   int      // files that may still come
	seen    map[string]bool
	archive string
}

// unpack writes the files of an archive, *.zip or *.tar.gz, into an empty directory.
func unpack(archive, into string, runs []string, l limits) error {
	info, err := os.Stat(archive)
	if err != nil {
		return err
	}
	u := &unpacker{into: into, runs: runs, files: l.files, left: min(l.bytes, info.Size()*l.times+slack), seen: map[string]bool{}, archive: filepath.Base(archive)}
	if strings.HasSuffix(archive, ".zip") {
		err = u.zip(archive)
	} else {
		err = u.tar(archive)
	}
	if err != nil {
		return fmt.Errorf("archive %s: %w", archive, err)
	}
	return nil
}

func (u *unpacker) zip(archive string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		if err := u.entry(f.Name, f.Mode(), f.Open); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) tar(archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeLink {
			return fmt.Errorf("%q is a link; only files and directories are unpacked", h.Name)
		}
		open := func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
		if err := u.entry(h.Name, h.FileInfo().Mode(), open); err != nil {
			return err
		}
	}
}

// entry writes one file, or makes one directory.
func (u *unpacker) entry(raw string, mode fs.FileMode, open func() (io.ReadCloser, error)) error {
	if u.files--; u.files < 0 {
		return errors.New("it has too many files")
	}
	name := strings.TrimPrefix(raw, "./")
	if mode.IsDir() {
		name = strings.TrimSuffix(name, "/")
	}
	if mode.IsDir() && (name == "" || name == ".") {
		return nil
	}
	if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00") {
		return fmt.Errorf("%q is no path below the archive's root", raw)
	}
	if !mode.IsDir() && !mode.IsRegular() {
		return fmt.Errorf("%q is a link or a device; only files and directories are unpacked", raw)
	}
	key := strings.ToLower(name) // as file systems see it that do not tell case apart
	if u.seen[key] && !mode.IsDir() {
		return fmt.Errorf("%q is there twice", raw)
	}
	u.seen[key] = true
	path := filepath.Join(u.into, filepath.FromSlash(name))
	if mode.IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	in, err := open()
	if err != nil {
		return err
	}
	defer in.Close()
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 || slices.Contains(u.runs, filepath.Base(path)) {
		perm = 0o755
	}
	return u.write(path, raw, perm, in)
}

func (u *unpacker) write(path, raw string, perm fs.FileMode, in io.Reader) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, u.left+1))
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%q: %w", raw, err)
	}
	if u.left -= n; u.left < 0 {
		return fmt.Errorf("%q makes it larger than an archive of its size may become", raw)
	}
	return nil
}
