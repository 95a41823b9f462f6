package state

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

var updateFixtures = flag.Bool("update", false, "write testdata again; a released format's file never changes")

// TestFormat1 reads the file that the first release wrote.
func TestFormat1(t *testing.T) {
	t.Parallel()
	fixture, golden := filepath.Join("testdata", "format1.db"), filepath.Join("testdata", "format1.json")
	if *updateFixtures {
		db := filled(t, t.TempDir())
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, fixture, compact(t, db.Path()))
		writeFile(t, golden, []byte(export(t, db)))
	}
	dir := t.TempDir()
	content := readFile(t, fixture)
	writeFile(t, filepath.Join(dir, "state.db"), content)
	db := openDB(t, dir)
	if got, want := export(t, db), string(readFile(t, golden)); got != want {
		t.Errorf("the fixture reads as\n%s", got)
	}
	if err := db.View(t.Context(), func(tx *Tx) error {
		for _, bucket := range buckets() { // a kind of record that the fixture lacks would be read by no test
			if tx.names(true, bucket) == nil && tx.names(false, bucket) == nil {
				t.Errorf("the fixture has nothing in bucket %s", bucket)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	found, err := db.Check(t.Context()) // decodes every record
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found { // the fixture has no artifacts beside it
		if v.Must() && v.Invariant != "M2" {
			t.Errorf("violated: %s", v)
		}
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if Format == 1 && !bytes.Equal(content, readFile(t, db.Path())) {
		t.Error("a migration to the same format wrote to the file")
	}
	update := func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) }
	if err := db.Update(t.Context(), update); err != nil {
		t.Error(err)
	}
}

// compact copies a file without the room that bbolt keeps free.
func compact(t *testing.T, path string) []byte {
	t.Helper()
	to := filepath.Join(t.TempDir(), "compact.db")
	src, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	dst, err := bbolt.Open(to, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(bbolt.Compact(dst, src, 0), src.Close(), dst.Close()); err != nil {
		t.Fatal(err)
	}
	content := readFile(t, to)
	end, _ := used(t, content)
	return content[:end]
}

// later is a DB of a version whose format is 3.
func later(t *testing.T, dir string, steps ...migration) *DB {
	db := openDB(t, dir)
	db.format, db.steps = 3, steps
	return db
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := filled(t, dir)
	before := readFile(t, old.Path())
	serial := serialOf(t, old)
	var ran []string
	step := func(name string, err error) func(*bbolt.Tx) error {
		return func(b *bbolt.Tx) error {
			ran = append(ran, name)
			return errors.Join(b.Bucket([]byte(bEvents)).Put(u64(9), []byte(`{"seq":9}`)), err)
		}
	}

	// A reader does not migrate.
	db := later(t, dir, migration{1, step("1", nil)}, migration{2, step("2", nil)})
	if err := db.View(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrOlder) {
		t.Errorf("view of an older format: %v, want ErrOlder", err)
	}
	// A step that fails leaves everything as it was.
	boom := errors.New("boom")
	failing := later(t, dir, migration{1, step("1", nil)}, migration{2, step("2", boom)})
	if err := failing.Migrate(t.Context()); !errors.Is(err, boom) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("got %v, want boom and where the backup is", err)
	}
	if err := later(t, dir, migration{1, step("1", nil)}).Migrate(t.Context()); err == nil {
		t.Error("migrated without a step from 2 to 3")
	}
	if !bytes.Equal(before, readFile(t, db.Path())) {
		t.Fatal("a migration that failed changed the file")
	}

	ran = nil
	if err := db.Update(t.Context(), func(tx *Tx) error { ran = append(ran, "update"); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(ran, " "); got != "1 2 update" {
		t.Errorf("ran %s", got)
	}
	if err := db.View(t.Context(), func(tx *Tx) error {
		if tx.Format() != 3 || tx.Serial() != serial+1 {
			t.Errorf("format %d, serial %d", tx.Format(), tx.Serial())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// The version of before refuses it now, and its backup is the file of before.
	if err := old.View(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrNewer) {
		t.Errorf("the older version: %v, want ErrNewer", err)
	}
	backups, err := filepath.Glob(filepath.Join(dir, "backups", "state-*.db"))
	if err != nil || len(backups) == 0 {
		t.Fatalf("backups %v, %v", backups, err)
	}
	again := t.TempDir()
	writeFile(t, filepath.Join(again, "state.db"), readFile(t, backups[len(backups)-1]))
	if serialOf(t, openDB(t, again)) != serial {
		t.Error("the backup is not of before the migration")
	}
}
