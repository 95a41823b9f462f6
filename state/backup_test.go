package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	before := export(t, db)
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := db.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), copied); err == nil {
		t.Error("a backup replaced a file")
	}
	update(t, db, func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin", Who: "later"}) })
	later := serialOf(t, db)

	replaced, err := db.Restore(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, db)
	if got := serialOf(t, db); got != later+1 {
		t.Errorf("serial %d after a restore over %d: it must go on", got, later)
	}
	if got, want := withoutSerial(export(t, db)), withoutSerial(before); got != want {
		t.Errorf("restored\n%s\nwant\n%s", got, want)
	}
	aside := t.TempDir()
	writeFile(t, filepath.Join(aside, "state.db"), readFile(t, replaced))
	if !strings.Contains(export(t, openDB(t, aside)), `"who": "later"`) {
		t.Error("what was replaced is not kept")
	}
}

func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	before := export(t, db)
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := db.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	damaged := []byte("damaged")
	writeFile(t, db.Path(), damaged)
	replaced, err := db.Restore(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	mustHold(t, db)
	if got := export(t, db); withoutSerial(got) != withoutSerial(before) {
		t.Errorf("restored\n%s", got)
	}
	if !bytes.Equal(readFile(t, replaced), damaged) {
		t.Error("the damaged file is not kept as it was")
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	dir := t.TempDir()
	other, err := Open(dir, Options{Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	update(t, other, func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) })
	short := filepath.Join(dir, "short.db")
	writeFile(t, short, readFile(t, db.Path())[:5000])
	before := readFile(t, db.Path())
	for name, path := range map[string]string{"another lineage": other.Path(), "damaged": short, "missing": filepath.Join(dir, "no.db")} {
		if _, err := db.Restore(t.Context(), path); err == nil {
			t.Errorf("%s: restored", name)
		}
		if !bytes.Equal(before, readFile(t, db.Path())) {
			t.Fatalf("%s: the state changed", name)
		}
	}
	found, err := db.Check(t.Context())
	if err != nil || len(found) > 0 {
		t.Errorf("refused restores left %v, %v", found, err)
	}
}

// TestWriterMeetsRestore: a DB that had the old file open must not write to it after a restore.
func TestWriterMeetsRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, other := filled(t, dir), openDB(t, dir)
	update(t, other, func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) })
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := db.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Restore(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	update(t, other, func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin", Who: "after"}) })
	if !strings.Contains(export(t, db), `"who": "after"`) {
		t.Error("a write after the restore went to the replaced file")
	}
}

func TestBackupBeforeApplyKeepsFive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := options(dir)
	now := noon
	o.Clock = func() time.Time { now = now.Add(time.Second); return now }
	db, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if path, err := db.BackupBeforeApply(t.Context()); path != "" || err != nil {
		t.Errorf("backup of no state: %q, %v", path, err)
	}
	var made []string
	for i := range 8 {
		update(t, db, func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin", Who: fmt.Sprint(i)}) })
		path, err := db.BackupBeforeApply(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, path)
	}
	for i, path := range made {
		_, err := os.Stat(path)
		if kept := err == nil; kept != (i >= 3) || err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("backup %d of 8: kept %t", i+1, kept)
		}
	}
	// A clock that goes back must not make the newest backup the one to go.
	now = noon.Add(-time.Hour)
	path, err := db.BackupBeforeApply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func serialOf(t *testing.T, db *DB) (serial uint64) {
	t.Helper()
	if err := db.View(t.Context(), func(tx *Tx) error { serial = tx.Serial(); return nil }); err != nil {
		t.Fatal(err)
	}
	return serial
}

func withoutSerial(exported string) string {
	head, rest, _ := strings.Cut(exported, `"serial"`)
	_, rest, _ = strings.Cut(rest, "\n")
	return head + rest
}
