package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readLinks(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = to
	}
	return all
}

func TestLinksFollowTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filled(t, dir)
	l, _ := db.Links(cycle)
	target := func(n string) string {
		path, err := db.Artifacts().Path(mustStore(t, db, n).Digest)
		if err != nil {
			t.Fatal(err)
		}
		to, err := filepath.Rel(l.Dir, path)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	want := map[string]string{"current": "generator_v3", "generator_v1": target("model 0"), "generator_v2": target("model 1"),
		"generator_v3": target("model 4")}
	if diff := cmp.Diff(want, readLinks(t, l.Dir)); diff != "" {
		t.Error(diff)
	}
	if b := readFile(t, filepath.Join(l.Dir, "current")); string(b) != "model 4" {
		t.Errorf("current leads to %q", b)
	}
	// The directory may move as a whole.
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if b := readFile(t, filepath.Join(moved, "generators", "generator_v1")); string(b) != "model 0" {
		t.Errorf("after a move generator_v1 leads to %q", b)
	}
	if err := os.Rename(moved, dir); err != nil {
		t.Fatal(err)
	}

	update(t, db, func(tx *Tx) error {
		return errors.Join(tx.SetCurrent(cycle, 1), tx.ReleaseGenerator(cycle, 2))
	})
	changed, err := db.RepairLinks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if names := []string{filepath.Join(l.Dir, "current"), filepath.Join(l.Dir, "generator_v2")}; !slices.Equal(changed, names) {
		t.Errorf("changed %v, want %v", changed, names)
	}
	delete(want, "generator_v2")
	want["current"] = "generator_v1"
	if diff := cmp.Diff(want, readLinks(t, l.Dir)); diff != "" {
		t.Error(diff)
	}
	if n, ok, err := l.Current(); n != 1 || !ok || err != nil {
		t.Errorf("current: %d %t %v", n, ok, err)
	}
	if changed, err := db.RepairLinks(t.Context()); err != nil || len(changed) > 0 {
		t.Errorf("a second repair changed %v, %v", changed, err)
	}
}

func TestLinksLeaveOtherFilesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := Links{Dir: dir}
	writeFile(t, filepath.Join(dir, "generator_v1"), []byte("mine"))
	writeFile(t, filepath.Join(dir, "notes.tmp"), []byte("mine"))
	if err := l.Ensure(1, "/store/a"); err == nil {
		t.Error("a file was replaced by a link")
	}
	if _, err := l.Repair(nil, 0); err == nil {
		t.Error("a file was removed as a link")
	}
	for _, name := range []string{"generator_v1", "notes.tmp"} {
		if b := readFile(t, filepath.Join(dir, name)); string(b) != "mine" {
			t.Errorf("%s is now %q", name, b)
		}
	}
	if _, ok, err := l.Current(); ok || err != nil {
		t.Errorf("no link: %t, %v", ok, err)
	}
	if err := os.Symlink("elsewhere", filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Current(); err == nil {
		t.Error("a link to no generator is no version")
	}
}

func TestRepairRemovesALinkWithoutCurrent(t *testing.T) {
	t.Parallel()
	l := Links{Dir: t.TempDir()}
	if err := errors.Join(l.Ensure(1, "/store/a"), l.SetCurrent(1)); err != nil {
		t.Fatal(err)
	}
	changed, err := l.Repair(map[uint64]string{}, 0)
	if err != nil || !slices.Equal(changed, []string{"current", "generator_v1"}) {
		t.Errorf("changed %v, %v", changed, err)
	}
	if left := readLinks(t, l.Dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
