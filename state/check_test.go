package state

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestCheckFinds breaks each invariant behind the back of the typed methods and wants its number, and no must that the
// change did not break.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	set := func(record any, key []byte, path ...string) func(*testing.T, *DB, *Tx) error {
		return func(_ *testing.T, _ *DB, tx *Tx) error { return put(tx, record, key, path...) }
	}
	// edit reads a record, changes its JSON object and writes it back.
	edit := func(change func(map[string]any), key []byte, path ...string) func(*testing.T, *DB, *Tx) error {
		return func(t *testing.T, _ *DB, tx *Tx) error {
			var m map[string]any
			raw := tx.bucket(path...).Get(key)
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			return reencode(tx, m, key, path)
		}
	}
	drop := func(key []byte, path ...string) func(*testing.T, *DB, *Tx) error {
		return func(_ *testing.T, _ *DB, tx *Tx) error { return tx.del(key, path...) }
	}
	c := string(cycle)
	tests := []struct {
		want []string
		name string
		fn   func(*testing.T, *DB, *Tx) error
	}{
		{[]string{"M1"}, "output of a retained action is not recorded",
			edit(func(m map[string]any) { m["outputs"] = map[string]any{"o": Output{Digest: "sha256:none"}} }, []byte("action-2"), bActions)},
		{[]string{"M2"}, "recorded bytes are gone", func(t *testing.T, db *DB, _ *Tx) error {
			return db.Artifacts().Remove(t.Context(), mustStore(t, db, "model 2").Digest)
		}},
		{[]string{"M2"}, "recorded with another size", func(t *testing.T, db *DB, tx *Tx) error {
			a := mustStore(t, db, "model 2")
			return edit(func(m map[string]any) { m["size"] = 1 }, []byte(a.Digest), bArtifacts)(t, db, tx)
		}},
		{[]string{"M3"}, "pin of what is not recorded",
			set(Pin{Digest: "sha256:none", Address: "a"}, []byte("a"), bPins, "sha256:none")},
		{[]string{"M4"}, "stage without its action", set(StageRecord{Action: "none"}, []byte("a"), bStages)},
		{[]string{"M5"}, "progress without its shard",
			set(Partial{Lineage: "x", Shards: []string{"sha256:none"}}, []byte("x"), bPartials)},
		{[]string{"M6", "M10", "S1"}, "gap in the versions", drop(u64(2), bGenerators, c)},
		{[]string{"M6", "M10", "S1"}, "version under another number",
			edit(func(m map[string]any) { m["version"] = 9 }, u64(2), bGenerators, c)},
		{[]string{"M7"}, "base is no base", edit(func(m map[string]any) { m["base"] = false }, u64(1), bGenerators, c)},
		{[]string{"M7"}, "base lost its pin", func(t *testing.T, db *DB, tx *Tx) error {
			return tx.Unpin(mustStore(t, db, "model 0").Digest, cycle)
		}},
		{[]string{"M8", "S1"}, "current is not in the history", func(_ *testing.T, _ *DB, tx *Tx) error {
			return tx.putRaw(u64(8), []byte(c), bCurrent)
		}},
		{[]string{"M8"}, "current was withdrawn", edit(func(m map[string]any) { m["withdrawn"] = true }, u64(3), bGenerators, c)},
		{[]string{"M8"}, "current is no number", func(_ *testing.T, _ *DB, tx *Tx) error {
			return tx.putRaw([]byte("three"), []byte(c), bCurrent)
		}},
		{[]string{"M9", "M13"}, "gap in the decisions", drop(u64(3), bDecisions, c)},
		{[]string{"M10"}, "generator of a decision that promoted none",
			edit(func(m map[string]any) { m["epoch"] = 2 }, u64(2), bGenerators, c)},
		{[]string{"M10", "M13"}, "gap in the looks", drop(u64(2), bLooks, c)},
		{[]string{"M10"}, "look and decision disagree", edit(func(m map[string]any) { m["verdict"] = Reject }, u64(2), bLooks, c)},
		{[]string{"M13"}, "one evaluation, two looks", edit(func(m map[string]any) { m["evaluation"] = "evaluation-1" }, u64(2), bLooks, c)},
		{[]string{"M14"}, "seal under another number", edit(func(m map[string]any) { m["version"] = 4 }, u64(1), bSeals, "domain.d")},
		{[]string{"M14"}, "seal without its index", edit(func(m map[string]any) { m["index"] = "sha256:none" }, u64(1), bSeals, "domain.d")},
		{[]string{"M15"}, "lineage is no UUID", func(_ *testing.T, _ *DB, tx *Tx) error {
			return tx.putRaw([]byte("mine"), []byte(kLineage), bMeta)
		}},
		{[]string{"M17"}, "unknown field", edit(func(m map[string]any) { m["later"] = 1 }, []byte("run-1"), bRuns)},
		{[]string{"M17"}, "not canonical", func(_ *testing.T, _ *DB, tx *Tx) error {
			raw := tx.bucket(bRuns).Get([]byte("run-1"))
			return tx.putRaw(append([]byte(" "), raw...), []byte("run-1"), bRuns)
		}},
		{[]string{"M18"}, "record under another's key", set(Run{ID: "run-7"}, []byte("run-2"), bRuns)},
		{[]string{"M19"}, "gap in a journal", drop(u64(1), bJournal, "run-1")},
		{[]string{"M19"}, "journal of no run", set(Entry{Seq: 1}, u64(1), bJournal, "run-9")},
		{[]string{"M19"}, "gap in the events", set(Event{Seq: 3}, u64(3), bEvents)},
		{[]string{"S1"}, "current link is behind", func(_ *testing.T, db *DB, _ *Tx) error {
			l, _ := db.Links(cycle)
			return l.SetCurrent(1)
		}},
		{[]string{"S1"}, "link of no version", func(_ *testing.T, db *DB, _ *Tx) error {
			l, _ := db.Links(cycle)
			return l.Ensure(9, db.Dir())
		}},
		{[]string{"S2"}, "bytes without a record", func(_ *testing.T, db *DB, _ *Tx) error {
			_, err := store(db, "junk")
			return err
		}},
		{[]string{"S3"}, "temporary file of a killed process", func(_ *testing.T, db *DB, _ *Tx) error {
			return errors.Join(os.WriteFile(filepath.Join(db.Dir(), ".state-1.tmp"), nil, 0o600),
				os.MkdirAll(filepath.Join(db.Artifacts().Dir(), "tmp", "put-1"), 0o755))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := filled(t, t.TempDir())
			if err := db.Update(t.Context(), func(tx *Tx) error { return tt.fn(t, db, tx) }); err != nil {
				t.Fatal(err)
			}
			found, err := db.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range found {
				if !slices.Contains(got, v.Invariant) {
					got = append(got, v.Invariant)
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v:\n%v", got, tt.want, found)
			}
			for _, v := range found {
				if v.Must() != strings.HasPrefix(v.Invariant, "M") || v.Subject == "" || v.Detail == "" {
					t.Errorf("unclear violation %q", v)
				}
			}
		})
	}
}

// reencode writes a changed object with the fields in the order that the record has them.
func reencode(tx *Tx, m map[string]any, key []byte, path []string) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	tidy := map[string]func([]byte) ([]byte, error){
		bActions: tidyAs[ActionRecord], bArtifacts: tidyAs[Artifact], bGenerators: tidyAs[Generator],
		bLooks: tidyAs[Look], bSeals: tidyAs[Seal],
	}[path[0]]
	if tidy != nil {
		if raw, err = tidy(raw); err != nil {
			return err
		}
	}
	return tx.putRaw(raw, key, path...)
}

func tidyAs[T any](raw []byte) ([]byte, error) {
	record, err := decode[T](raw)
	if err != nil {
		return nil, err
	}
	return encode(record)
}

func TestCheckIsCleanAfterRecover(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	l, _ := db.Links(cycle)
	if err := errors.Join(l.SetCurrent(1), os.Symlink("x", filepath.Join(l.Dir, ".current.tmp")),
		os.WriteFile(filepath.Join(db.Dir(), ".state-1.tmp"), nil, 0o600),
		os.MkdirAll(filepath.Join(db.Artifacts().Dir(), "tmp", "put-1", "data"), 0o755)); err != nil {
		t.Fatal(err)
	}
	r, err := db.Recover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Temporary != 2 || !slices.Equal(r.Links, []string{filepath.Join(l.Dir, "current")}) {
		t.Errorf("recovered %+v", r)
	}
	if found, err := db.Check(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("after Recover: %v, %v", found, err)
	}
}

func TestCheckContents(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	if found, err := db.CheckContents(t.Context()); err != nil || len(found) > 0 {
		t.Fatalf("sound artifacts: %v, %v", found, err)
	}
	a := mustStore(t, db, "model 2")
	path, err := db.Artifacts().Path(a.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("MODEL 2"), 0o644)); err != nil {
		t.Fatal(err)
	}
	found, err := db.CheckContents(t.Context())
	if err != nil || len(found) != 1 || found[0].Invariant != "M11" || found[0].Subject != a.Digest {
		t.Errorf("a changed byte: %v, %v", found, err)
	}
}

// TestBucketsAreThoseOfTheSchema compares the file with the list in schema.go.
func TestBucketsAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	if err := db.View(t.Context(), func(tx *Tx) error {
		var got []string
		err := tx.b.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			got = append(got, string(name))
			return nil
		})
		want := buckets()
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("buckets %v, want %v", got, want)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range buckets() {
		if _, ok := canonical()[name]; !ok && name != bMeta && name != bCurrent {
			t.Errorf("no canonical test for bucket %s", name)
		}
	}
}
