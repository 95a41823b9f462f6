package state

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jupiter/plan/addr"
)

// TestHistoryRefuses tries every way to rewrite, skip or contradict what is recorded.
func TestHistoryRefuses(t *testing.T) {
	t.Parallel()
	score, seven, one := 0.5, uint64(7), uint64(1)
	// What filled leaves: v1 base, v2 of epoch 1, v3 of epoch 4 current; decisions 1..5; looks 1..5.
	generator := func(change func(*Generator)) func(*Tx) error {
		return func(tx *Tx) error {
			g, _, err := tx.Generator(cycle, 3)
			g.Version, g.Epoch = 4, 6
			change(&g)
			return errors.Join(err, tx.AppendGenerator(cycle, g))
		}
	}
	rewrite := func(version uint64, change func(*Generator)) func(*Tx) error {
		return func(tx *Tx) error {
			g, _, err := tx.Generator(cycle, version)
			change(&g)
			return errors.Join(err, tx.UpdateGenerator(cycle, g))
		}
	}
	decision := func(d Decision) func(*Tx) error {
		return func(tx *Tx) error { return tx.AppendDecision(cycle, d) }
	}
	tests := []struct {
		name string
		want error
		fn   func(*Tx) error
	}{
		{"version used twice", ErrHistory, generator(func(g *Generator) { g.Version = 3 })},
		{"version skipped", ErrHistory, generator(func(g *Generator) { g.Version = 5 })},
		{"second base", ErrInvalid, generator(func(g *Generator) { g.Base = true })},
		{"model not recorded", ErrNotFound, generator(func(g *Generator) { g.Digest = "sha256:none" })},
		{"born withdrawn", ErrInvalid, generator(func(g *Generator) { g.Withdrawn = true })},
		{"other model in history", ErrHistory, rewrite(2, func(g *Generator) { g.Digest = "sha256:none" })},
		{"other step in history", ErrHistory, rewrite(2, func(g *Generator) { g.Step++ })},
		{"score of a student", ErrHistory, rewrite(2, func(g *Generator) { g.Score = &score })},
		{"withdraw the current", ErrInvalid, rewrite(3, func(g *Generator) { g.Withdrawn = true })},
		{"update none", ErrNotFound, rewrite(9, func(g *Generator) { g.Version = 9 })},
		{"current of no version", ErrNotFound, func(tx *Tx) error { return tx.SetCurrent(cycle, 4) }},
		{"release the base", ErrPinned, func(tx *Tx) error { return tx.ReleaseGenerator(cycle, 1) }},
		{"release the current", ErrPinned, func(tx *Tx) error { return tx.ReleaseGenerator(cycle, 3) }},
		{"release none", ErrNotFound, func(tx *Tx) error { return tx.ReleaseGenerator(cycle, 4) }},
		{"delete a generator's model", ErrPinned, func(tx *Tx) error {
			g, _, err := tx.Generator(cycle, 1)
			return errors.Join(err, tx.DeleteArtifact(g.Digest))
		}},
		{"epoch skipped", ErrHistory, decision(Decision{Epoch: 7, Verdict: Hold})},
		{"epoch used twice", ErrHistory, decision(Decision{Epoch: 5, Verdict: Hold})},
		{"unknown verdict", ErrInvalid, decision(Decision{Epoch: 6, Verdict: "MAYBE"})},
		{"hold that promotes", ErrInvalid, decision(Decision{Epoch: 6, Verdict: Hold, Promoted: 3})},
		{"hold that waits", ErrInvalid, decision(Decision{Epoch: 6, Verdict: Hold, Pending: true})},
		{"promotion of nothing", ErrInvalid, decision(Decision{Epoch: 6, Verdict: Promote, Look: &one})},
		{"promotion without a look", ErrInvalid, decision(Decision{Epoch: 6, Verdict: Promote, Pending: true})},
		{"promotion of another epoch's version", ErrNotFound, decision(Decision{Epoch: 6, Verdict: Promote, Promoted: 3, Look: &one})},
		{"look that was not", ErrNotFound, decision(Decision{Epoch: 6, Verdict: Hold, Look: &seven})},
		{"look that said otherwise", ErrInvalid, decision(Decision{Epoch: 6, Verdict: Hold, Look: &one})},
		{"resolve what does not wait", ErrHistory, func(tx *Tx) error { return tx.ResolveDecision(cycle, 1, Resolution{}, 0) }},
		{"resolve none", ErrNotFound, func(tx *Tx) error { return tx.ResolveDecision(cycle, 9, Resolution{}, 0) }},
		{"change a look's verdict", ErrHistory, func(tx *Tx) error { return tx.SetLookVerdict(cycle, 1, Hold) }},
		{"unknown look", ErrNotFound, func(tx *Tx) error { return tx.SetLookVerdict(cycle, 9, Hold) }},
		{"look without an evaluation", ErrInvalid, func(tx *Tx) error { _, err := tx.AppendLook(cycle, Look{}); return err }},
		{"stage without its action", ErrNotFound, func(tx *Tx) error { return tx.PutStage("a", StageRecord{Action: "none"}) }},
		{"action without its output", ErrNotFound, func(tx *Tx) error {
			return tx.PutAction(ActionRecord{ID: "x", Retained: true, Outputs: map[string]Output{"o": {Digest: "sha256:none"}}})
		}},
		{"progress without its shard", ErrNotFound, func(tx *Tx) error {
			return tx.PutPartial(Partial{Lineage: "x", Shards: []string{"sha256:none"}})
		}},
		{"pin of nothing", ErrNotFound, func(tx *Tx) error { return tx.Pin("sha256:none", "a", "why") }},
		{"artifact without a digest", ErrInvalid, func(tx *Tx) error { return tx.PutArtifact(Artifact{Digest: "md5:1"}) }},
		{"journal of no run", ErrNotFound, func(tx *Tx) error { return tx.AppendEntry("run-9", Entry{}) }},
		{"seal skipped", ErrHistory, func(tx *Tx) error { return tx.AppendSeal(Seal{Domain: "domain.d", Version: 3}) }},
		{"seal without its index", ErrNotFound, func(tx *Tx) error {
			return tx.AppendSeal(Seal{Domain: "domain.d", Version: 2, Index: "sha256:none"})
		}},
		{"move to a taken name", ErrInvalid, func(tx *Tx) error { return tx.Move(cycle, "exporter.llama.gguf") }},
		{"move nothing", ErrNotFound, func(tx *Tx) error { return tx.Move("trainer.x", "trainer.y") }},
		{"not a number", ErrInvalid, func(tx *Tx) error {
			zero := 0.0
			return tx.PutAction(ActionRecord{ID: "x", Seconds: zero / zero})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, filled(t, t.TempDir()), tt.want, tt.fn)
		})
	}
}

func TestRollbackAndNextPromotion(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	update(t, db, func(tx *Tx) error {
		if err := tx.SetCurrent(cycle, 2); err != nil {
			return err
		}
		g, _, err := tx.Generator(cycle, 3)
		g.Withdrawn, g.WithdrawnBy, g.Reason = true, "ann", "it loops"
		return errors.Join(err, tx.UpdateGenerator(cycle, g),
			tx.AppendEvent(Event{Act: "rollback", Cycle: string(cycle), From: 3, To: 2, Who: "ann", Reason: "it loops"}))
	})
	refused(t, db, ErrInvalid, func(tx *Tx) error { return tx.SetCurrent(cycle, 3) })
	refused(t, db, ErrHistory, func(tx *Tx) error {
		g, _, err := tx.Generator(cycle, 3)
		g.Withdrawn, g.WithdrawnBy, g.Reason = false, "", ""
		return errors.Join(err, tx.UpdateGenerator(cycle, g))
	})
	if err := epoch(t.Context(), db, 6); err != nil {
		t.Fatal(err)
	}
	if err := epoch(t.Context(), db, 7); err != nil {
		t.Fatal(err)
	}
	mustHold(t, db)
	if err := db.View(t.Context(), func(tx *Tx) error {
		n, _, err := tx.Current(cycle)
		if n != 4 {
			t.Errorf("current is v%d after a rollback and a promotion, want v4", n)
		}
		looks, err2 := tx.Looks(cycle)
		promoted := 0
		for _, l := range looks {
			if l.Verdict == Promote {
				promoted++
			}
		}
		if len(looks) != 7 || promoted != 3 {
			t.Errorf("%d looks, %d of them PROMOTE; a rollback gives none back: want 7 and 3", len(looks), promoted)
		}
		return errors.Join(err, err2)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestPendingPromotion(t *testing.T) {
	t.Parallel()
	for _, approve := range []bool{true, false} {
		db := filled(t, t.TempDir())
		model := mustStore(t, db, "candidate")
		six := uint64(6)
		update(t, db, func(tx *Tx) error {
			l, err := tx.AppendLook(cycle, Look{Evaluation: "e6"})
			return errors.Join(err, tx.PutArtifact(model), tx.SetLookVerdict(cycle, l.K, Promote),
				tx.AppendDecision(cycle, Decision{Epoch: 6, Verdict: Promote, Pending: true, Look: &six, Model: model.Digest}))
		})
		r := Resolution{Approved: approve, Who: "ann", Reason: "read it"}
		if approve {
			refused(t, db, ErrInvalid, func(tx *Tx) error { return tx.ResolveDecision(cycle, 6, r, 0) })
			update(t, db, func(tx *Tx) error {
				return errors.Join(tx.AppendGenerator(cycle, Generator{Version: 4, Epoch: 6, Digest: model.Digest}),
					tx.SetCurrent(cycle, 4), tx.ResolveDecision(cycle, 6, r, 4))
			})
		} else {
			refused(t, db, ErrInvalid, func(tx *Tx) error { return tx.ResolveDecision(cycle, 6, r, 3) })
			update(t, db, func(tx *Tx) error { return tx.ResolveDecision(cycle, 6, r, 0) })
		}
		if err := db.View(t.Context(), func(tx *Tx) error {
			d, _, err := tx.Decision(cycle, 6)
			r.At = noon
			if d.Pending || d.Verdict != Promote || (d.Promoted == 4) != approve || cmp.Diff(&r, d.Resolution) != "" {
				t.Errorf("approve %t: %+v", approve, d)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSameEvaluationIsTheSameLook(t *testing.T) {
	t.Parallel()
	db := openDB(t, t.TempDir())
	var first, again, next Look
	update(t, db, func(tx *Tx) (err error) {
		first, err = tx.AppendLook(cycle, Look{Evaluation: "e1", Pool: "p", K: 9, Verdict: Promote})
		return err
	})
	update(t, db, func(tx *Tx) (err error) {
		again, err = tx.AppendLook(cycle, Look{Evaluation: "e1", Pool: "other"})
		return err
	})
	update(t, db, func(tx *Tx) (err error) {
		next, err = tx.AppendLook(cycle, Look{Evaluation: "e2", Pool: "p"})
		return err
	})
	want := []Look{{K: 1, Evaluation: "e1", Pool: "p", At: noon}, {K: 1, Evaluation: "e1", Pool: "p", At: noon},
		{K: 2, Evaluation: "e2", Pool: "p", At: noon}}
	if diff := cmp.Diff(want, []Look{first, again, next}); diff != "" {
		t.Error(diff)
	}
}

func TestBaseScoreIsSetOnce(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	score := func(x float64) func(*Tx) error {
		return func(tx *Tx) error {
			g, _, err := tx.Generator(cycle, 1)
			g.Score = &x
			return errors.Join(err, tx.UpdateGenerator(cycle, g))
		}
	}
	update(t, db, score(0.6))
	update(t, db, score(0.6))
	refused(t, db, ErrHistory, score(0.7))
}

func TestReleaseUnpinsWhatNoOtherVersionNeeds(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	var digest string
	update(t, db, func(tx *Tx) error {
		g, _, err := tx.Generator(cycle, 2)
		digest = g.Digest
		return errors.Join(err, tx.AppendGenerator(cycle, Generator{Version: 4, Digest: digest})) // adopted: no epoch
	})
	pins := func() (n int) {
		if err := db.View(t.Context(), func(tx *Tx) error {
			all, err := tx.Pins(digest)
			n = len(all)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	update(t, db, func(tx *Tx) error { return tx.ReleaseGenerator(cycle, 2) })
	if pins() != 1 {
		t.Error("version 4 has the same model, and it lost its pin")
	}
	update(t, db, func(tx *Tx) error { return tx.ReleaseGenerator(cycle, 4) })
	if pins() != 0 {
		t.Error("nothing needs the model, and it is pinned")
	}
	refused(t, db, ErrInvalid, func(tx *Tx) error { return tx.SetCurrent(cycle, 4) })
	update(t, db, func(tx *Tx) error { return tx.ReleaseBase(cycle) })
}

func TestLiveAndRemoval(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	junk := mustStore(t, db, "junk")
	update(t, db, func(tx *Tx) error { return tx.PutArtifact(junk) })

	// Retention lets go of epoch 2's action; then gc in the order that the invariants want.
	var live map[string][]string
	var dropped string
	update(t, db, func(tx *Tx) error {
		a, _, err := tx.Action("action-2")
		if err != nil {
			return err
		}
		dropped, a.Retained = a.Outputs["model"].Digest, false
		if err := tx.PutAction(a); err != nil {
			return err
		}
		if live, err = tx.Live(); err != nil {
			return err
		}
		for a, err := range tx.Artifacts() {
			if err != nil {
				return err
			}
			if live[a.Digest] == nil {
				if err := tx.DeleteArtifact(a.Digest); err != nil {
					return err
				}
			}
		}
		return nil
	})
	got, err := db.Artifacts().GC(t.Context(), func(d string) bool { return live[d] != nil }, false)
	if err != nil {
		t.Fatal(err)
	}
	var removed []string
	for _, info := range got.Removed {
		removed = append(removed, info.Digest)
	}
	sort := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff([]string{junk.Digest, dropped}, removed, sort); diff != "" {
		t.Error(diff)
	}
	mustHold(t, db)
}

func TestMoveCycle(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	const to addr.Address = "module.m.self_improvement.c2"
	var before, after []any
	read := func(a addr.Address) (all []any) {
		if err := db.View(t.Context(), func(tx *Tx) error {
			g, err := tx.Generators(a)
			d, err2 := tx.Decisions(a)
			l, err3 := tx.Looks(a)
			n, _, err4 := tx.Current(a)
			all = []any{g, d, l, n}
			return errors.Join(err, err2, err3, err4)
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before = read(cycle)
	update(t, db, func(tx *Tx) error {
		return errors.Join(tx.Move(cycle, to), tx.Move("exporter.llama.gguf", "exporter.llama.new"), tx.Move("generate.qa", "generate.other"))
	})
	after = read(to)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if left := read(cycle); len(left[0].([]Generator)) != 0 || left[3] != uint64(0) {
		t.Errorf("left behind: %v", left)
	}
}

func TestSealIsSpentOnce(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	update(t, db, func(tx *Tx) error { return tx.SpendSeal("domain.d", 1, "ann") })
	update(t, db, func(tx *Tx) error { return tx.SpendSeal("domain.d", 1, "bob") })
	if err := db.View(t.Context(), func(tx *Tx) error {
		all, err := tx.Seals("domain.d")
		if len(all) != 1 || !all[0].Spent || all[0].SpentBy != "ann" || !all[0].SpentAt.Equal(noon) {
			t.Errorf("%+v", all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
