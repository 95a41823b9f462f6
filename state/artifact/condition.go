package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jupiter/state/durable"
)

// Condition is how an entry is.
type Condition int

// The conditions.
const (
	Missing Condition = iota // there is no entry of this digest
	Present                  // it is as it was published
	Damaged                  // its bytes do not give its digest
)

func (c Condition) String() string {
	switch c {
	case Present:
		return "present"
	case Damaged:
		return "damaged"
	}
	return "missing"
}

// untouched is the time that publish gives to the files and directories of an entry. Whoever writes to a file, cuts it
// short, or adds or removes one changes a time with it, and what carries another time is read again. A time of whole,
// even seconds is kept by every file system.
func untouched() time.Time { return time.Unix(1_000_000_000, 0) }

// Inspect says how an entry is. It looks at times and permissions, and reads bytes only where one of them is not what
// publish left. An entry that was read and found whole, after a copy of the project for example, gets its times back, so
// that it is read once; where they cannot be set it is read each time. Bytes that a disk changed by itself keep their
// times: Verify finds those.
func (s *Store) Inspect(ctx context.Context, digest string) (Condition, error) {
	path, err := s.Path(digest)
	if err != nil {
		return Missing, err
	}
	before, whole, err := stamps(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Missing, nil
	case err != nil:
		return Missing, fmt.Errorf("look at artifact %s: %w", digest, err)
	case whole:
		return Present, nil
	}
	switch err := s.Verify(ctx, digest); {
	case errors.Is(err, ErrMissing):
		return Missing, nil
	case errors.Is(err, ErrDamaged):
		return Damaged, nil
	case err != nil:
		return Missing, err
	}
	if after, _, err := stamps(path); err == nil && equalStamps(before, after) {
		restamp(path)
	}
	return Present, nil
}

// stamp is what tells whether a file was touched.
type stamp struct {
	path  string
	at    time.Time
	bytes int64
	mode  fs.FileMode
}

// stamps lists the stamps of path and all below it in order, and says whether they are as publish left them.
func stamps(path string) (all []stamp, whole bool, err error) {
	whole = true
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		one := stamp{p, st.ModTime(), 0, st.Mode()}
		if !st.IsDir() {
			one.bytes = st.Size()
		}
		all = append(all, one)
		whole = whole && one.at.Equal(untouched()) && (st.IsDir() || one.mode == 0o444 || one.mode == 0o555)
		return nil
	})
	return all, whole, err
}

func equalStamps(a, b []stamp) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].path != b[i].path || !a[i].at.Equal(b[i].at) || a[i].bytes != b[i].bytes || a[i].mode != b[i].mode {
			return false
		}
	}
	return true
}

// restamp gives an entry that was found whole its times and permissions back. What cannot be set stays: the entry is
// read again the next time.
func restamp(path string) {
	_ = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			st, err := d.Info()
			if err != nil {
				return err
			}
			if err := os.Chmod(p, sealed(st.Mode()&0o111 != 0)); err != nil {
				return err
			}
		}
		return touch(p, untouched())
	})
}

// sealed is the mode of a file in the store.
func sealed(exec bool) fs.FileMode {
	if exec {
		return 0o555
	}
	return 0o444
}

func touch(path string, at time.Time) error { return os.Chtimes(path, time.Time{}, at) }

// Suspect makes Inspect read an entry: Verify found damage that left no trace in the times of its files.
func (s *Store) Suspect(digest string) error {
	path, err := s.Path(digest)
	if err != nil {
		return err
	}
	if err := touch(path, untouched().Add(2*time.Second)); err != nil {
		return fmt.Errorf("mark artifact %s as damaged: %w", digest, err)
	}
	return nil
}

// setAside moves a damaged entry below damaged, so that a good one can have its place. Another Put may have been
// faster: what is good by then stays.
func (s *Store) setAside(ctx context.Context, digest string) error {
	s.aside.Lock()
	defer s.aside.Unlock()
	if c, err := s.Inspect(ctx, digest); err != nil || c != Damaged {
		return err
	}
	path, err := s.Path(digest)
	if err != nil {
		return err
	}
	if err := durable.Mkdir(s.damagedDir()); err != nil {
		return err
	}
	for n := 1; ; n++ {
		to := filepath.Join(s.damagedDir(), fmt.Sprintf("%s-%d", filepath.Base(path), n))
		if _, err := os.Lstat(to); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(path, to); err != nil {
			return fmt.Errorf("set damaged artifact %s aside: %w", digest, err)
		}
		return errors.Join(durable.Sync(filepath.Dir(path)), durable.Sync(s.damagedDir()))
	}
}

func (s *Store) damagedDir() string { return filepath.Join(s.dir, "damaged") }

// Aside is an entry that was found damaged and moved out of the way.
type Aside struct {
	Digest string // that it should have had
	Path   string
	Bytes  int64
}

// Aside lists what was set aside, in order.
func (s *Store) Aside() ([]Aside, error) {
	entries, err := readDir(s.damagedDir())
	if err != nil {
		return nil, fmt.Errorf("list damaged artifacts: %w", err)
	}
	var all []Aside
	for _, e := range entries {
		digits, _, _ := strings.Cut(e.Name(), "-")
		a := Aside{Digest: scheme + digits, Path: filepath.Join(s.damagedDir(), e.Name())}
		if _, err := ParseDigest(a.Digest); err != nil {
			continue
		}
		list, _, err := stamps(a.Path)
		if err != nil {
			return nil, fmt.Errorf("list damaged artifacts: %w", err)
		}
		for _, one := range list {
			a.Bytes += one.bytes
		}
		all = append(all, a)
	}
	return all, nil
}

// RemoveAside deletes what was set aside. The caller holds the operation lock.
func (s *Store) RemoveAside(a Aside) error {
	if filepath.Dir(a.Path) != s.damagedDir() {
		return fmt.Errorf("remove damaged artifact: %s is not one", a.Path)
	}
	if err := s.discard(a.Path); err != nil {
		return fmt.Errorf("remove damaged artifact %s: %w", a.Digest, err)
	}
	return nil
}
