package state

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/addr"
)

// TestMoveModule: a module moves with all in it, cycles and seals too, and nothing of the old name is left.
func TestMoveModule(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	before := export(t, db)
	update(t, db, func(tx *Tx) error {
		return firstError([]error{
			tx.AppendEvent(Event{Act: "rollback", Cycle: string(cycle), Epoch: 5}),
			tx.Move(cycle, "module.a."+cycle), tx.MoveAll("domain.d", "module.a.domain.d"), tx.Move("exporter.llama.gguf", `module.a.exporter.llama.gguf["x"]`),
			tx.Move("generate.qa", "module.a.generate.qa"),
		})
	})
	var all []addr.Address
	under := func(base addr.Address) []addr.Address {
		if err := db.View(t.Context(), func(tx *Tx) (err error) { all, err = tx.Under(base); return err }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	// Into itself: each new name is an old one of something that moves too.
	update(t, db, func(tx *Tx) error { return tx.MoveAll("module.a", "module.a.module.b") })
	want := []addr.Address{"module.a.module.b.domain.d", `module.a.module.b.exporter.llama.gguf["x"]`, "module.a.module.b.generate.qa", "module.a.module.b.self_improvement.c1"}
	if d := cmp.Diff(want, under("module.a")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := db.View(t.Context(), func(tx *Tx) error {
		var cycles []string
		for e, err := range tx.Events() {
			if err != nil {
				return err
			}
			cycles = append(cycles, e.Cycle)
		}
		if d := cmp.Diff([]string{string(want[3]), string(want[3])}, cycles); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// And back: the state is what it was, but for its serial and the new event.
	update(t, db, func(tx *Tx) error {
		return firstError([]error{
			tx.MoveAll("module.a.module.b", "module.c"), tx.Move(`module.c.exporter.llama.gguf["x"]`, "exporter.llama.gguf"), tx.MoveAll("module.c.domain.d", "domain.d"),
			tx.Move("module.c.self_improvement.c1", cycle), tx.Move("module.c.generate.qa", "generate.qa"), tx.del(u64(2), bEvents),
		})
	})
	serial := regexp.MustCompile(`"serial": \d+`)
	if d := cmp.Diff(serial.ReplaceAllString(before, ""), serial.ReplaceAllString(export(t, db), "")); d != "" {
		t.Errorf("there and back (-before +after):\n%s", d)
	}
	refused(t, db, ErrInvalid, func(tx *Tx) error { return tx.Move("exporter.llama.gguf", "trainer.llama.gguf") })
	refused(t, db, ErrInvalid, func(tx *Tx) error { return tx.MoveAll("module.a", "exporter.llama") })
	refused(t, db, ErrInvalid, func(tx *Tx) error {
		err := tx.Move("exporter.llama.gguf", "exporter.llama.gguf")
		if !strings.Contains(err.Error(), "its address already") {
			t.Errorf("to itself: %v", err)
		}
		return err
	})
}
