package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jupiter/plan/addr"
)

const cycle addr.Address = "self_improvement.c1"

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// options are those of most tests: a clock that stands, a lineage that repeats, links in dir/generators.
func options(dir string) Options {
	return Options{
		Clock:  func() time.Time { return noon },
		Random: bytes.NewReader(bytes.Repeat([]byte{7}, 1<<10)),
		Links:  map[addr.Address]string{cycle: filepath.Join(dir, "generators")},
	}
}

func openDB(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, options(dir))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// update is Update in strict mode: every must holds afterwards.
func update(t *testing.T, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
	mustHold(t, db)
}

// mustHold fails the test where a must does not hold. Shoulds may wait for Recover.
func mustHold(t *testing.T, db *DB) {
	t.Helper()
	found, err := db.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		if v.Must() {
			t.Errorf("violated: %s", v)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// refused runs fn in a transaction and wants its error, and nothing of it kept.
func refused(t *testing.T, db *DB, want error, fn func(*Tx) error) {
	t.Helper()
	before := export(t, db)
	err := db.Update(t.Context(), fn)
	if err == nil || want != nil && !isError(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
	if after := export(t, db); after != before {
		t.Fatalf("a refused transaction changed the state:\n%s\n---\n%s", before, after)
	}
}

func export(t *testing.T, db *DB) string {
	t.Helper()
	var b strings.Builder
	if err := db.Export(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// store puts content in the store and returns its record.
func store(db *DB, content string) (Artifact, error) {
	info, err := db.Artifacts().PutBytes(context.Background(), []byte(content), "text/plain")
	return Artifact{Digest: info.Digest, Size: info.Size, MediaType: info.MediaType, MadeBy: "act"}, err
}

// mustStore is store for a test.
func mustStore(t *testing.T, db *DB, content string) Artifact {
	t.Helper()
	a, err := store(db, content)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// epoch writes what one cycle writes, in the order of the architecture: artifact bytes, the look, one transaction,
// links. Epoch 0 founds the base; every third epoch promotes.
func epoch(ctx context.Context, db *DB, n uint64) error {
	model, err := store(db, fmt.Sprintf("model %d", n))
	if err != nil {
		return err
	}
	verdict, eval := Hold, fmt.Sprintf("evaluation-%d", n)
	if n%3 == 1 {
		verdict = Promote
	}
	k := uint64(0)
	if n > 0 {
		err := db.Update(ctx, func(tx *Tx) error {
			l, err := tx.AppendLook(cycle, Look{Evaluation: eval, Pool: "pool", Step: n * 100})
			k = l.K
			return err
		})
		if err != nil {
			return err
		}
	}
	err = db.Update(ctx, func(tx *Tx) error { return writeEpoch(tx, n, k, verdict, model) })
	if err != nil {
		return err
	}
	_, err = db.RepairLinks(ctx)
	return err
}

func writeEpoch(tx *Tx, n, k uint64, verdict string, model Artifact) error {
	action := fmt.Sprintf("action-%d", n)
	steps := []error{
		tx.PutArtifact(model),
		tx.PutAction(ActionRecord{
			ID: action, Lineage: "lineage", Address: "exporter.llama.gguf", Kind: "exporter", Retained: true,
			Parts:   map[string]string{"seed": fmt.Sprint(n), "config.rate": "0.1"},
			Outputs: map[string]Output{"model": {Digest: model.Digest, MediaType: model.MediaType}},
		}),
		tx.PutStage("exporter.llama.gguf", StageRecord{Action: action}),
	}
	if n == 0 {
		steps = append(steps,
			tx.AppendGenerator(cycle, Generator{Version: 1, Base: true, Digest: model.Digest}),
			tx.SetCurrent(cycle, 1))
		return firstError(steps)
	}
	d := Decision{Epoch: n, Step: n * 100, Verdict: verdict, Look: &k, Reasons: []string{"because"}}
	steps = append(steps, tx.SetLookVerdict(cycle, k, verdict))
	if verdict == Promote {
		all, err := tx.Generators(cycle)
		d.Promoted = uint64(len(all)) + 1
		steps = append(steps, err,
			tx.AppendGenerator(cycle, Generator{Version: d.Promoted, Digest: model.Digest, Epoch: n, Step: n * 100}),
			tx.SetCurrent(cycle, d.Promoted))
	}
	steps = append(steps, tx.AppendDecision(cycle, d))
	return firstError(steps)
}

func firstError(all []error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// filled is a state with a history: five epochs, two promotions, a partial, a run, an event, a seal.
func filled(t *testing.T, dir string) *DB {
	t.Helper()
	db := openDB(t, dir)
	for n := range uint64(6) {
		if err := epoch(t.Context(), db, n); err != nil {
			t.Fatal(err)
		}
	}
	shard, index := mustStore(t, db, "shard"), mustStore(t, db, "index")
	update(t, db, func(tx *Tx) error {
		return firstError([]error{
			tx.PutArtifact(shard), tx.PutArtifact(index),
			tx.PutPartial(Partial{Lineage: "lin", Address: "generate.qa", Shards: []string{shard.Digest}, Done: 10, Unit: "records"}),
			tx.PutRun(Run{ID: "run-1", Who: "ann", Host: "h", PID: 1}),
			tx.AppendEntry("run-1", Entry{Event: "started", Address: "generate.qa"}),
			tx.AppendEntry("run-1", Entry{Event: "checkpoint", Address: "generate.qa"}),
			tx.AppendEvent(Event{Act: "pin", Cycle: string(cycle), Who: "ann", Reason: "to compare"}),
			tx.AppendSeal(Seal{Domain: "domain.d", Version: 1, Digest: "sha256:b", Index: index.Digest, Keys: 3,
				Splits: map[string]Split{"gate": {Digest: "sha256:g", Items: 3}}}),
		})
	})
	return db
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// spoil changes a byte of a stored file, as somebody would with an editor.
func spoil(t *testing.T, db *DB, digest string) {
	t.Helper()
	path, err := db.Artifacts().Path(digest)
	if err != nil {
		t.Fatal(err)
	}
	b := readFile(t, path)
	b[0] ^= 0x20
	if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, b, 0), os.Chmod(path, 0o444)); err != nil {
		t.Fatal(err)
	}
}

// relink makes a link lead elsewhere; to "" removes it.
func relink(t *testing.T, dir, name, to string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if to == "" {
		return
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}
