package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"jupiter/plugins/host"
	"jupiter/plugins/lockfile"
)

// Shared is what Lock or Mirror did for one plugin on one platform.
type Shared struct {
	Plugin, Version, Platform string
	Checksum                  string
	File                      string // of the mirror; "": none
	New                       bool   // the lock, or the mirror, did not have it
}

// Lock adds the checksums of platforms to a lock, without starting anything. Errors are *Error, joined; lock is not
// changed.
func (in *Installer) Lock(ctx context.Context, required []Requirement, lock *lockfile.File, platforms []string) (*lockfile.File, []Shared, error) {
	next := lock.Clone()
	done, err := in.each(ctx, required, lock, platforms, func(p *lockfile.Plugin, platform, dir, sum string) (Shared, error) {
		added := *next.Find(p.Name)
		s := Shared{New: added.Hashes[platform] == ""}
		added.Hashes[platform] = sum
		next.Put(added)
		return s, nil
	})
	return next, done, err
}

// Mirror writes archives of the locked plugins into a directory, from which Init can take them. Errors are *Error,
// joined.
func (in *Installer) Mirror(ctx context.Context, required []Requirement, lock *lockfile.File, platforms []string, into string) ([]Shared, error) {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return nil, err
	}
	return in.each(ctx, required, lock, platforms, func(p *lockfile.Plugin, platform, dir, sum string) (s Shared, err error) {
		if p.Hashes[platform] == "" {
			return s, fmt.Errorf("it is not locked for %s: jupiter plugin lock --platform %s", platform, platform)
		}
		s.File = filepath.Join(into, archiveName(p.Name, p.Version, platform))
		s.New, err = putFile(s.File, func(w io.Writer) error { return pack(dir, w) })
		return s, err
	})
}

// each fetches every required plugin for every platform into a directory of its own, compares it with the lock where that
// knows the platform, and hands it to use.
func (in *Installer) each(ctx context.Context, required []Requirement, lock *lockfile.File, named []string, use func(p *lockfile.Plugin, platform, dir, sum string) (Shared, error)) ([]Shared, error) {
	platforms, err := in.platforms(named)
	if err == nil {
		err = sweep(in.Store)
	}
	if err != nil {
		return nil, err
	}
	var done []Shared
	var errs []error
	for _, r := range required {
		for _, platform := range platforms {
			s, err := in.one(ctx, r, lock.Find(r.Name), platform, use)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			} else if err != nil {
				errs = append(errs, &Error{r.Name, err})
				continue
			}
			done = append(done, s)
		}
	}
	return done, errors.Join(errs...)
}

func (in *Installer) one(ctx context.Context, r Requirement, p *lockfile.Plugin, platform string, use func(p *lockfile.Plugin, platform, dir, sum string) (Shared, error)) (Shared, error) {
	known := platform
	if p != nil && p.Hashes[platform] == "" && len(p.Hashes) > 0 {
		known = slices.Sorted(maps.Keys(p.Hashes))[0] // the rest of the lock must fit none the less
	}
	if refusal := fits(r, p, known); refusal != nil {
		return Shared{}, refusal
	}
	dir, remove, err := draft(in.Store)
	if err != nil {
		return Shared{}, err
	}
	defer remove()
	by, from, err := in.fetchLocked(ctx, r, p, platform, dir)
	if err != nil {
		return Shared{}, err
	}
	program, err := in.fetched(r, from, dir, p.Version, p.Hashes[platform], by)
	if err != nil {
		return Shared{}, err
	}
	if by != p.Toolchain {
		return Shared{}, fmt.Errorf("it was locked as built by %s, and %s has built it: jupiter init --upgrade locks that", p.Toolchain, by)
	}
	s, err := use(p, platform, dir, program.Checksum)
	s.Plugin, s.Version, s.Platform, s.Checksum = r.Name, p.Version, platform, program.Checksum
	return s, err
}

// fetchLocked writes the files of a locked version into a directory: what is installed here, or from its origin.
func (in *Installer) fetchLocked(ctx context.Context, r Requirement, p *lockfile.Plugin, platform, dir string) (by, from string, err error) {
	o, err := in.origin(r)
	if err != nil {
		return "", "", err
	}
	at := place(in.Store, r.Name, p.Version, platform)
	if program, err := find(at, r.Name); err == nil && p.Hashes[platform] != "" {
		if sum, err := host.Checksum(program); err == nil && sum == p.Hashes[platform] {
			return p.Toolchain, at, os.CopyFS(dir, os.DirFS(at))
		}
	}
	if o == nil {
		return "", local(in.Dir, r.Source), in.copyFile(r, platform, dir)
	}
	if err := in.reachable(o); err != nil {
		return "", "", err
	}
	by, err = o.fetch(ctx, p.Version, platform, p.Toolchain, dir)
	return by, o.String(), err
}

// copyFile copies a file that is used where it lies, under the name that an archive has it by.
func (in *Installer) copyFile(r Requirement, platform, dir string) error {
	path := local(in.Dir, r.Source)
	if platform != in.Platform {
		return fmt.Errorf("its source is the file %s, which is for %s: run jupiter init on a machine of %s, or take the plugin from a mirror", path, in.Platform, platform)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	to := filepath.Join(dir, r.Name)
	if err := os.WriteFile(to, b, 0o755); err != nil {
		return err
	}
	whole, err := host.Checksum(host.Program{Path: path})
	if err != nil {
		return err
	}
	if alone, err := host.Checksum(host.Program{Path: to, Tree: dir}); err != nil || alone != whole {
		return errors.Join(err, fmt.Errorf("its source %s is the script of a Python distribution, which is more than the script: an archive has to be made from the distribution", path))
	}
	return nil
}
