package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func isError(err, want error) bool { return errors.Is(err, want) }

func TestEmptyState(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	db := openDB(t, dir)
	err := db.View(t.Context(), func(tx *Tx) error {
		if tx.Lineage() != "" || tx.Serial() != 0 || tx.Format() != 0 || tx.Stages() != nil && len(tx.Stages()) > 0 {
			t.Errorf("an empty state says lineage %q, serial %d, format %d", tx.Lineage(), tx.Serial(), tx.Format())
		}
		if _, ok, err := tx.Current(cycle); ok || err != nil {
			t.Errorf("current generator of an empty state: %t, %v", ok, err)
		}
		all, err := tx.Generators(cycle)
		if len(all) > 0 {
			t.Errorf("generators of an empty state: %v", all)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("View made something: %v", err)
	}
	if found, err := db.Check(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("check of an empty state: %v, %v", found, err)
	}
}

func TestLineageAndSerial(t *testing.T) {
	t.Parallel()
	db := openDB(t, t.TempDir())
	see := func() (lineage string, serial uint64) {
		t.Helper()
		if err := db.View(t.Context(), func(tx *Tx) error {
			lineage, serial = tx.Lineage(), tx.Serial()
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return lineage, serial
	}
	event := func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin", Who: "ann"}) }

	update(t, db, event)
	lineage, serial := see()
	if want := "07070707-0707-4707-8707-070707070707"; lineage != want || serial != 1 {
		t.Fatalf("lineage %s serial %d, want %s and 1", lineage, serial, want)
	}
	update(t, db, event)
	update(t, db, func(tx *Tx) error { return nil })
	boom := errors.New("boom")
	refused(t, db, boom, func(tx *Tx) error { return errors.Join(event(tx), boom) })
	if l, s := see(); l != lineage || s != 2 {
		t.Errorf("lineage %s serial %d; only a transaction that changes something counts", l, s)
	}
	model := mustStore(t, db, "m")
	update(t, db, func(tx *Tx) error { return tx.PutArtifact(model) })
	update(t, db, func(tx *Tx) error { return tx.PutArtifact(model) })
	if _, s := see(); s != 3 {
		t.Errorf("serial %d after writing what was there, want 3", s)
	}
}

func TestRecordsComeBack(t *testing.T) {
	t.Parallel()
	db := openDB(t, t.TempDir())
	model := mustStore(t, db, "model")
	zone := time.FixedZone("CET", 3600)
	want := ActionRecord{
		ID: "a1", Lineage: "l1", Address: "trainer.llama.s", Kind: "trainer", Retained: true, Began: noon, Seconds: 1.5,
		Parts:   map[string]string{"b": "2", "a": "<1>"},
		Outputs: map[string]Output{"model": {Digest: model.Digest, MediaType: "x"}},
		Result:  []byte(`{"z":1,"a":2}`), Run: "r",
	}
	update(t, db, func(tx *Tx) error {
		in := want
		in.Began = noon.In(zone)
		in.Result = []byte("{ \"z\": 1, \"a\": 2 }")
		return firstError([]error{tx.PutArtifact(model), tx.PutAction(in), tx.PutStage("trainer.llama.s", StageRecord{Action: "a1"})})
	})
	err := db.View(t.Context(), func(tx *Tx) error {
		got, ok, err := tx.Action("a1")
		if !ok || err != nil {
			t.Fatalf("action: %t, %v", ok, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s, _, err := tx.Stage("trainer.llama.s")
		if diff := cmp.Diff(StageRecord{Action: "a1", At: noon}, s); diff != "" {
			t.Error(diff)
		}
		raw := string(tx.bucket(bActions).Get([]byte("a1")))
		if !strings.Contains(raw, `"parts":{"a":"<1>","b":"2"}`) || !strings.Contains(raw, `"began":"2026-01-02T12:00:00Z"`) {
			t.Errorf("not canonical: %s", raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestViewWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filled(t, dir)
	before := readFile(t, db.Path())
	for name, write := range map[string]func(*Tx) error{
		"put":    func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) },
		"delete": func(tx *Tx) error { return tx.DeleteStage("exporter.llama.gguf") },
		"number": func(tx *Tx) error { return tx.SetCurrent(cycle, 1) },
		"move":   func(tx *Tx) error { return tx.Move(cycle, "self_improvement.c2") },
		"spend":  func(tx *Tx) error { return tx.SpendSeal("domain.d", 1, "ann") },
	} {
		if err := db.View(t.Context(), write); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s in a View: %v, want ErrReadOnly", name, err)
		}
	}
	ro, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := ro.Update(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrReadOnly) {
		t.Errorf("update of a read-only DB: %v", err)
	}
	if !slices.Equal(before, readFile(t, db.Path())) {
		t.Error("a reader changed the file")
	}
}

func TestPanicUndoesTheTransaction(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	before := export(t, db)
	func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Errorf("recovered %v, want the function's own panic", p)
			}
		}()
		_ = db.Update(t.Context(), func(tx *Tx) error {
			if err := tx.AppendEvent(Event{Act: "pin"}); err != nil {
				return err
			}
			panic("mine")
		})
	}()
	if after := export(t, db); after != before {
		t.Error("a transaction that panicked was kept")
	}
	update(t, db, func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) })
}

func TestWaitsAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	filled(t, dir)
	o := options(dir)
	o.Wait = 20 * time.Millisecond
	holder := openDB(t, dir)
	for _, other := range []string{"same DB", "another DB"} {
		db, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if other == "same DB" {
			holder = db
		}
		err = holder.Update(t.Context(), func(*Tx) error {
			if err := db.View(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrBusy) {
				t.Errorf("%s: view inside an update: %v, want ErrBusy", other, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := db.View(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: view with an ended context: %v, want its cause", other, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadersBesideAWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writer := openDB(t, dir)
	if err := epoch(t.Context(), writer, 0); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		reader := openDB(t, dir) // as another process: its own descriptor and its own queue
		wg.Go(func() {
			last := uint64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := reader.View(context.Background(), func(tx *Tx) error {
					if tx.Serial() < last {
						t.Errorf("serial went from %d to %d", last, tx.Serial())
					}
					last = tx.Serial()
					looks, err := tx.Looks(cycle)
					decisions, err2 := tx.Decisions(cycle)
					if n := len(looks) - len(decisions); n < 0 || n > 1 {
						t.Errorf("%d looks and %d decisions at one moment", len(looks), len(decisions))
					}
					return errors.Join(err, err2)
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := uint64(1); n <= 40; n++ {
		if err := epoch(t.Context(), writer, n); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
	mustHold(t, writer)
}

func TestWritersOfTwoDBs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		db := openDB(t, dir)
		wg.Go(func() {
			for range 25 {
				if err := db.Update(context.Background(), func(tx *Tx) error {
					return tx.AppendEvent(Event{Act: "pin", Who: "ann"})
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	db := openDB(t, dir)
	mustHold(t, db)
	if err := db.View(t.Context(), func(tx *Tx) error {
		events, err := collect[Event](tx, bEvents)
		if len(events) != 100 || tx.Serial() != 100 {
			t.Errorf("%d events, serial %d, want 100 and 100", len(events), tx.Serial())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestOpenNeedsAClockToWrite(t *testing.T) {
	t.Parallel()
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("Open without a clock gave no error")
	}
}

func BenchmarkUpdate(b *testing.B) {
	db, err := Open(b.TempDir(), options("x"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := db.Update(b.Context(), func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkView(b *testing.B) {
	db, err := Open(b.TempDir(), options("x"))
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Update(b.Context(), func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) }); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := db.View(b.Context(), func(tx *Tx) error { _, _, err := tx.Current(cycle); return err }); err != nil {
			b.Fatal(err)
		}
	}
}
