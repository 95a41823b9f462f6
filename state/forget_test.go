package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/addr"
	"jupiter/state/artifact"
)

// TestForget: a stage that is forgotten has no result, no memo and no progress; the history of a cycle stays.
func TestForget(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	shared := mustStore(t, db, "shared")
	update(t, db, func(tx *Tx) error {
		return firstError([]error{
			tx.PutArtifact(shared),
			tx.PutAction(ActionRecord{ID: "both", Address: "module.m.mix.a", Retained: true, Outputs: map[string]Output{"o": {Digest: shared.Digest}}}),
			tx.PutStage("module.m.mix.a", StageRecord{Action: "both"}),
			tx.PutStage("mix.b", StageRecord{Action: "both"}), // the same work
			tx.PutAction(ActionRecord{ID: "one", Address: `mix.c["x"]`}),
			tx.PutStage(`mix.c["x"]`, StageRecord{Action: "one"}),
			tx.PutAction(ActionRecord{ID: "part", Address: "mix.c.part"}),
		})
	})
	var got Forgotten
	forget := func(at ...addr.Address) func(*Tx) error {
		return func(tx *Tx) (err error) { got, err = tx.Forget(at...); return err }
	}
	for _, tc := range []struct {
		at   []addr.Address
		want Forgotten
	}{
		{[]addr.Address{"module.m"}, Forgotten{Addresses: []addr.Address{"mix.b", "module.m.mix.a"}, Actions: 1}},
		{[]addr.Address{"mix.c"}, Forgotten{Addresses: []addr.Address{`mix.c["x"]`}, Actions: 1}},
		{[]addr.Address{"exporter.llama.gguf", "generate.qa"}, Forgotten{Addresses: []addr.Address{"exporter.llama.gguf", "generate.qa"}, Actions: 6, Partials: 1}},
	} {
		update(t, db, forget(tc.at...))
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("forget %v (-want +got):\n%s", tc.at, d)
		}
	}
	refused(t, db, ErrHistory, forget(cycle))
	refused(t, db, ErrHistory, forget("mix.b", cycle))
	refused(t, db, ErrNotFound, forget("trainer.x"))
	refused(t, db, ErrNotFound, forget("mix"))
	refused(t, db, ErrNotFound, forget("mix.c.part", "mix.b"))
	if err := db.Update(t.Context(), forget("mix")); err == nil || !strings.Contains(err.Error(), "mix.c.part") {
		t.Errorf("a part is recorded below it: %v", err)
	}
}

// TestCollect: what nothing needs goes, with its record; what a pin, a memo, progress, a seal or a decision needs stays.
func TestCollect(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	stray, decided := mustStore(t, db, "stray"), mustStore(t, db, "a pool")
	update(t, db, func(tx *Tx) error {
		if err := tx.PutArtifact(decided); err != nil {
			return err
		}
		return tx.AppendDecision(cycle, Decision{Epoch: 6, Verdict: Hold, Inputs: map[string]string{"pool": decided.Digest}})
	})
	if c, err := db.Collect(t.Context(), false); err != nil || len(c.Artifacts) != 1 || c.Artifacts[0].Digest != stray.Digest || c.Artifacts[0].Recorded || c.Bytes != 5 {
		t.Errorf("bytes without a record: %+v, %v", c, err)
	}
	update(t, db, func(tx *Tx) error { _, err := tx.Forget("exporter.llama.gguf", "generate.qa"); return err })
	before := export(t, db)
	dry, err := db.Collect(t.Context(), true)
	if err != nil || export(t, db) != before {
		t.Fatalf("a dry run: %v", err)
	}
	var digests []string
	for _, name := range []string{"model 2", "model 3", "model 5", "shard"} { // 0, 1 and 4 are generators
		digests = append(digests, artifact.Sum([]byte(name)))
	}
	slices.Sort(digests)
	var got []string
	for _, a := range dry.Artifacts {
		got = append(got, a.Digest)
		if how, err := db.Artifacts().Inspect(t.Context(), a.Digest); how != artifact.Present || err != nil || !a.Recorded {
			t.Errorf("after a dry run %s is %s, %v", a.Digest, how, err)
		}
	}
	if d := cmp.Diff(digests, got); d != "" {
		t.Errorf("nothing needs (-want +got):\n%s", d)
	}
	wet, err := db.Collect(t.Context(), false)
	if d := cmp.Diff(dry, wet); d != "" || err != nil {
		t.Errorf("a dry run said other (-dry +wet): %v\n%s", err, d)
	}
	mustHold(t, db)
	if again, err := db.Collect(t.Context(), false); err != nil || len(again.Artifacts) > 0 || again.Kept == 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
}

// TestCollectAside: damaged bytes stay for as long as nothing took their place and something needs them.
func TestCollectAside(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	needed := artifact.Sum([]byte("model 4"))
	spoil(t, db, needed)
	if _, err := store(db, "model 4"); err != nil { // sets it aside
		t.Fatal(err)
	}
	spoil(t, db, needed)
	if c, err := db.Collect(t.Context(), false); err != nil || len(c.Aside) > 0 {
		t.Errorf("what may be all that is left: %+v, %v", c, err)
	}
	if _, err := store(db, "model 4"); err != nil {
		t.Fatal(err)
	}
	if c, err := db.Collect(t.Context(), false); err != nil || len(c.Aside) != 2 || c.Bytes == 0 {
		t.Errorf("what something good took the place of: %+v, %v", c, err)
	}
	mustHold(t, db)
}

// TestLinkDrift: a link that somebody moved is named with what it leads to, and RepairLinks sets it right.
func TestLinkDrift(t *testing.T) {
	t.Parallel()
	db := filled(t, t.TempDir())
	if drift, err := db.LinkDrift(t.Context()); err != nil || len(drift) > 0 {
		t.Fatalf("of a sound state: %v, %v", drift, err)
	}
	l, _ := db.Links(cycle)
	relink(t, l.Dir, "current", "generator_v1")
	relink(t, l.Dir, "generator_v1", "")
	relink(t, l.Dir, "generator_v9", "somewhere")
	drift, err := db.LinkDrift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range drift {
		got = append(got, d.String())
	}
	want := []string{"leads to generator_v1; it should lead to generator_v3", "is gone; it should lead to ", "leads to somewhere; there is no such generator"}
	if len(got) != 3 || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) || got[2] != want[2] || drift[0].Version != 1 {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := db.RepairLinks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if drift, err := db.LinkDrift(t.Context()); err != nil || len(drift) > 0 {
		t.Errorf("after the repair: %v, %v", drift, err)
	}
	// What is no link is left alone, and said to be in the way.
	relink(t, l.Dir, "current", "")
	if err := os.WriteFile(filepath.Join(l.Dir, "current"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if drift, err := db.LinkDrift(t.Context()); err != nil || len(drift) != 1 || !drift[0].Foreign {
		t.Errorf("a file in its place: %v, %v", drift, err)
	}
	if _, err := db.RepairLinks(t.Context()); err == nil {
		t.Error("a file was replaced by a link")
	}
	// So is what stands in the place of the directory.
	if err := errors.Join(os.RemoveAll(l.Dir), os.WriteFile(l.Dir, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if drift, err := db.LinkDrift(t.Context()); err != nil || len(drift) != 1 || !drift[0].Foreign || drift[0].Path != l.Dir ||
		drift[0].String() != "is no directory; the links of generators should lie in it" {
		t.Errorf("a file in the place of the directory: %v, %v", drift, err)
	}
	if _, err := db.RepairLinks(t.Context()); err == nil {
		t.Error("a file was replaced by a directory")
	}
}
