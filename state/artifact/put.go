package artifact

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"jupiter/state/durable"
)

// PutBytes stores b as a file.
func (s *Store) PutBytes(ctx context.Context, b []byte, mediaType string) (Info, error) {
	digest := Sum(b)
	if ok, err := s.has(ctx, digest); err != nil {
		return Info{}, err
	} else if ok {
		return Info{Digest: digest, Size: int64(len(b)), MediaType: mediaType}, nil
	}
	return s.PutReader(ctx, bytes.NewReader(b), mediaType)
}

// PutReader stores all that r gives as a file.
func (s *Store) PutReader(ctx context.Context, r io.Reader, mediaType string) (Info, error) {
	return s.inTemp(mediaType, func(temp string) (Info, error) {
		f, err := writeFile(ctx, temp, r)
		if err != nil {
			return Info{}, err
		}
		s.hook("artifact.temp")
		return s.keepFile(ctx, temp, f)
	})
}

// PutFile stores a copy of the file src. It fails with ErrRefused where src is a link or no plain file, and with
// ErrChanged where src is being written.
func (s *Store) PutFile(ctx context.Context, src, mediaType string) (Info, error) {
	root, err := os.OpenRoot(filepath.Dir(src))
	if err != nil {
		return Info{}, fmt.Errorf("store %s: %w", src, err)
	}
	defer root.Close()
	name := filepath.Base(src)
	f, err := scanFile(ctx, root, name)
	if err != nil {
		return Info{}, fmt.Errorf("store %s: %w", src, err)
	}
	// Content that is there already costs one read and no write.
	digest := scheme + f.SHA256
	if ok, err := s.has(ctx, digest); err != nil {
		return Info{}, err
	} else if ok {
		return Info{Digest: digest, Size: f.Size, MediaType: mediaType}, nil
	}
	return s.inTemp(mediaType, func(temp string) (Info, error) {
		if err := copyFile(ctx, root, name, temp, f); err != nil {
			return Info{}, fmt.Errorf("store %s: %w", src, err)
		}
		s.hook("artifact.temp")
		return s.keepFile(ctx, temp, File{Size: f.Size, SHA256: f.SHA256})
	})
}

// PutTree stores a copy of the directory src. Errors are those of PutFile.
func (s *Store) PutTree(ctx context.Context, src, mediaType string) (Info, error) {
	root, err := openTree(src)
	if err != nil {
		return Info{}, err
	}
	defer root.Close()
	m, err := scan(ctx, root)
	if err != nil {
		return Info{}, fmt.Errorf("store %s: %w", src, err)
	}
	if info, ok, err := s.hasTree(ctx, m); err != nil || ok {
		info.MediaType = mediaType
		return info, err
	}
	return s.inTemp(mediaType, func(temp string) (Info, error) {
		if err := copyTree(ctx, root, temp, m); err != nil {
			return Info{}, fmt.Errorf("store %s: %w", src, err)
		}
		s.hook("artifact.temp")
		return s.keepTree(ctx, temp, m)
	})
}

// inTemp gives fn a path below tmp to write to, and removes what is left there.
func (s *Store) inTemp(mediaType string, fn func(temp string) (Info, error)) (info Info, err error) {
	tmp := filepath.Join(s.dir, "tmp")
	if err := durable.Mkdir(tmp); err != nil {
		return Info{}, s.explain(err)
	}
	dir, err := os.MkdirTemp(tmp, "put-")
	if err != nil {
		return Info{}, s.explain(err)
	}
	info, err = fn(filepath.Join(dir, "data"))
	if rerr := removeAll(dir); err == nil && rerr != nil {
		err = fmt.Errorf("clean %s: %w", dir, rerr)
	}
	if err != nil {
		return Info{}, s.explain(err)
	}
	info.MediaType = mediaType
	return info, nil
}

func (s *Store) keepFile(ctx context.Context, temp string, f File) (Info, error) {
	info := Info{Digest: scheme + f.SHA256, Size: f.Size}
	if ok, err := s.has(ctx, info.Digest); err != nil || ok {
		return info, err
	}
	return info, s.publish(temp, info.Digest, Manifest{f}, false)
}

func (s *Store) keepTree(ctx context.Context, temp string, m Manifest) (Info, error) {
	info, ok, err := s.hasTree(ctx, m)
	if err != nil || ok {
		return info, err
	}
	return info, s.publish(temp, info.Digest, m, true)
}

func (s *Store) hasTree(ctx context.Context, m Manifest) (Info, bool, error) {
	info := Info{Digest: m.digest(), Tree: true, Size: m.size()}
	ok, err := s.has(ctx, info.Digest)
	return info, ok, err
}

// has reports whether an entry is there and whole. A damaged one is set aside, or what is being stored would be taken
// for it. A tree in the place of a file, and the other way round, does not give the digest and so is damaged too.
func (s *Store) has(ctx context.Context, digest string) (bool, error) {
	c, err := s.Inspect(ctx, digest)
	if err != nil {
		return false, err
	}
	if c == Damaged {
		return false, s.setAside(ctx, digest)
	}
	return c == Present, nil
}

func openTree(src string) (*os.Root, error) {
	st, err := os.Lstat(src)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("store %s as a tree: %w: it is %s", src, ErrRefused, kind(st.Mode()))
	}
	return os.OpenRoot(src)
}

func scanFile(ctx context.Context, root *os.Root, name string) (File, error) {
	st, err := root.Lstat(name)
	if err != nil {
		return File{}, err
	}
	f, err := openPlain(root, name, st)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	return hashFile(ctx, f, st)
}

// copyFile copies a file that was scanned as want to dst, and fails with ErrChanged where it no longer is that.
func copyFile(ctx context.Context, root *os.Root, name, dst string, want File) error {
	st, err := root.Lstat(name)
	if err != nil {
		return err
	}
	f, err := openPlain(root, name, st)
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := writeFile(ctx, dst, f)
	if err != nil {
		return err
	}
	if got.SHA256 != want.SHA256 {
		return fmt.Errorf("%w: %s", ErrChanged, name)
	}
	return nil
}

func copyTree(ctx context.Context, root *os.Root, dst string, m Manifest) error {
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	for _, f := range m {
		to := filepath.Join(dst, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := copyFile(ctx, root, f.Path, to, f); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes all of r to a new file and hashes it on the way.
func writeFile(ctx context.Context, path string, r io.Reader) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return File{}, err
	}
	h := sha256.New()
	n, err := copyContext(ctx, io.MultiWriter(f, h), r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return File{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
