package install

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"

	"jupiter/plugins/lockfile"
)

// origin is where the files of a plugin come from. A file that is used where it lies has none.
type origin interface {
	// versions lists the versions that there are for a platform, in any order, without a leading v.
	versions(ctx context.Context, platform string) ([]string, error)
	// fetch writes the files of a version into an empty directory. toolchain is what built the program before, "" where
	// that does not matter; the result is what built it now.
	fetch(ctx context.Context, version, platform, toolchain, into string) (string, error)
	String() string
}

// mirror is a directory of archives, NAME_VERSION_OS_ARCH.zip or .tar.gz.
type mirror struct{ dir, plugin string }

func (m mirror) String() string { return m.dir }

// archive is one of a mirror.
type archive struct{ file, version, platform string }

// suffixes of archives.
var suffixes = []string{".zip", ".tar.gz"}

// archiveName is how the archive of a plugin is called.
func archiveName(plugin, version, platform string) string {
	return plugin + "_" + version + "_" + platform + ".zip"
}

// archives lists those of the plugin, in the order of names.
func (m mirror) archives() (all []archive, err error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, fmt.Errorf("read the mirror: %w", err)
	}
	for _, e := range entries {
		for _, suffix := range suffixes {
			rest, ok := strings.CutSuffix(e.Name(), suffix)
			if rest, ours := strings.CutPrefix(rest, m.plugin+"_"); ok && ours {
				v, platform, _ := strings.Cut(rest, "_")
				if _, err := version.NewVersion(v); err == nil && lockfile.IsPlatform(platform) {
					all = append(all, archive{e.Name(), v, platform})
				}
			}
		}
	}
	return all, nil
}

func (m mirror) versions(_ context.Context, platform string) ([]string, error) {
	all, err := m.archives()
	if err != nil {
		return nil, err
	}
	var out, elsewhere []string
	for _, a := range all {
		if a.platform == platform {
			out = append(out, a.version)
		} else if !slices.Contains(elsewhere, a.platform) {
			elsewhere = append(elsewhere, a.platform)
		}
	}
	if len(out) == 0 && len(elsewhere) > 0 {
		return nil, fmt.Errorf("the mirror %s has %s for %s, and not for %s", m.dir, m.plugin, strings.Join(elsewhere, ", "), platform)
	} else if len(out) == 0 {
		return nil, fmt.Errorf("the mirror %s has no archive %s", m.dir, archiveName(m.plugin, "VERSION", platform))
	}
	return out, nil
}

func (m mirror) fetch(_ context.Context, v, platform, toolchain, into string) (string, error) {
	all, err := m.archives()
	if err != nil {
		return "", err
	}
	var found []string
	for _, a := range all {
		if a.platform == platform && sameVersion(a.version, v) {
			found = append(found, a.file)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("the mirror %s has no archive %s", m.dir, archiveName(m.plugin, v, platform))
	case 1:
		return toolchain, unpack(filepath.Join(m.dir, found[0]), into, executables(m.plugin), archiveLimits)
	}
	return "", fmt.Errorf("the mirror %s has several archives of one version: %s", m.dir, strings.Join(found, ", "))
}

func sameVersion(a, b string) bool {
	x, err := version.NewVersion(a)
	if err != nil {
		return a == b
	}
	y, err := version.NewVersion(b)
	return err == nil && x.Equal(y)
}

// newest gives the highest version that meets a constraint. Without one, a pre-release is taken only where there is
// nothing else.
func newest(all []string, constraint string) (string, error) {
	var best, pre *version.Version
	for _, s := range all {
		v, err := version.NewVersion(s)
		if err != nil || !meets(s, constraint) {
			continue
		}
		if constraint == "" && v.Prerelease() != "" {
			if pre == nil || v.GreaterThan(pre) {
				pre = v
			}
		} else if best == nil || v.GreaterThan(best) {
			best = v
		}
	}
	switch {
	case best != nil:
		return best.Original(), nil
	case pre != nil:
		return pre.Original(), nil
	case len(all) == 0:
		return "", fmt.Errorf("there is no version of it")
	}
	return "", fmt.Errorf("no version meets %s; there is %s", constraint, listed(all))
}

// listed are versions in order, the newest first, and not too many.
func listed(all []string) string {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b string) int {
		x, errX := version.NewVersion(a)
		y, errY := version.NewVersion(b)
		if errX != nil || errY != nil {
			return strings.Compare(b, a)
		}
		return y.Compare(x)
	})
	sorted = slices.Compact(sorted)
	if len(sorted) > 10 {
		sorted = append(sorted[:10], "…")
	}
	return strings.Join(sorted, ", ")
}
