package mix

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func member(id, key string, version, cycle uint64) Member {
	return Member{ID: id, Key: key, Version: version, Cycle: cycle}
}

func ids(p Pool) []string {
	out := []string{}
	for _, m := range p.Members {
		out = append(out, m.ID)
	}
	return out
}

func TestPoolAccept(t *testing.T) {
	t.Parallel()
	real := []Member{{ID: "r1", Key: "k1"}, {ID: "r2"}}
	old := Pool{Members: []Member{member("a", "ka", 1, 1), member("b", "kb", 1, 1)}}
	for _, c := range []struct {
		name string
		pool Pool
		in   Intake
		want []string
		diff Change
	}{
		{"into an empty pool", Pool{}, Intake{New: []Member{member("x", "kx", 1, 1)}, Real: real, Cap: 10}, []string{"x"}, Change{Taken: 1}},
		{"accumulates", old, Intake{New: []Member{member("x", "kx", 2, 2)}, Real: real, Cap: 10}, []string{"a", "b", "x"}, Change{Taken: 1}},
		{"key of a real record", old, Intake{New: []Member{member("x", "k1", 2, 2)}, Real: real, Cap: 10}, []string{"a", "b"}, Change{DuplicateReal: 1}},
		{"text of a real record", old, Intake{New: []Member{member("r2", "kx", 2, 2)}, Real: real, Cap: 10}, []string{"a", "b"}, Change{DuplicateReal: 1}},
		{"what was there stays", old, Intake{New: []Member{member("x", "kb", 2, 2)}, Real: real, Cap: 10}, []string{"a", "b"}, Change{DuplicatePool: 1}},
		{"twice in a batch", old, Intake{New: []Member{member("x", "kx", 2, 2), member("y", "kx", 2, 2), member("x", "ky", 2, 2)}, Real: real, Cap: 10}, []string{"a", "b", "x"}, Change{Taken: 1, DuplicatePool: 2}},
		{"without keys", Pool{}, Intake{New: []Member{member("x", "", 1, 1), member("y", "", 1, 1), member("x", "", 1, 1)}, Real: real, Cap: 10}, []string{"x", "y"}, Change{Taken: 2, DuplicatePool: 1}},
		{"a real record came later", old, Intake{Real: []Member{{ID: "r", Key: "ka"}}, Cap: 10}, []string{"b"}, Change{Dropped: 1}},
		{"replaced", old, Intake{New: []Member{member("x", "ka", 2, 2)}, Real: real, Cap: 10, Replace: true}, []string{"x"}, Change{Taken: 1, Replaced: 2}},
		{"over the cap, the oldest go", old, Intake{New: []Member{member("x", "kx", 2, 2), member("y", "ky", 2, 2)}, Real: real, Cap: 1}, []string{"x", "y"}, Change{Taken: 2, Evicted: 2}},
		{"oldest by cycle, also after a rollback", Pool{Members: []Member{member("n", "kn", 2, 2)}}, Intake{New: []Member{member("x", "kx", 1, 3)}, Real: real, Cap: 0.5}, []string{"x"}, Change{Taken: 1, Evicted: 1}},
		{"no real records", old, Intake{Cap: 10}, []string{}, Change{Evicted: 2}},
	} {
		before := ids(c.pool)
		got, change, err := c.pool.Accept(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, ids(got)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.diff, change); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
		if diff := cmp.Diff(before, ids(c.pool)); diff != "" {
			t.Errorf("%s: the pool before was changed:\n%s", c.name, diff)
		}
	}
	for _, limit := range []float64{0, -1} {
		if _, _, err := old.Accept(Intake{Real: real, Cap: limit}); err == nil {
			t.Errorf("a cap of %v is accepted", limit)
		}
	}
}

// Property: nothing is lost without a count, no key is there twice, and the cap holds.
func TestPoolAccountsForAll(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 9))
	var p Pool
	real := []Member{}
	for i := range 40 {
		real = append(real, Member{ID: fmt.Sprint("r", i), Key: fmt.Sprint("k", i)})
	}
	for cycle := uint64(1); cycle <= 30; cycle++ {
		in := Intake{Real: real, Cap: 5}
		for i := range 60 {
			in.New = append(in.New, member(fmt.Sprint("s", cycle, "-", i), fmt.Sprint("k", rng.IntN(2000)), 1+cycle/4, cycle))
		}
		next, c, err := p.Accept(in)
		if err != nil {
			t.Fatal(err)
		}
		if c.Taken+c.DuplicateReal+c.DuplicatePool != len(in.New) {
			t.Fatalf("cycle %d: %+v does not account for %d", cycle, c, len(in.New))
		}
		if want := len(p.Members) + c.Taken - c.Evicted - c.Dropped; len(next.Members) != want || want > 200 {
			t.Fatalf("cycle %d: %d members, want %d", cycle, len(next.Members), want)
		}
		seen := map[string]bool{}
		for _, m := range next.Members {
			if seen[m.Key] {
				t.Fatalf("cycle %d: key %s twice", cycle, m.Key)
			}
			seen[m.Key] = true
		}
		p = next
	}
	oldest := p.Members[0].Cycle
	if oldest < 20 {
		t.Errorf("a member of cycle %d outlived the cap", oldest)
	}
}

func TestPoolWithdraw(t *testing.T) {
	t.Parallel()
	p := Pool{Members: []Member{member("a", "ka", 1, 1), member("b", "kb", 2, 2), member("c", "kc", 3, 3), member("d", "kd", 1, 4)}}
	got, c := p.Withdraw(2, 3)
	if diff := cmp.Diff([]string{"a", "d"}, ids(got)); diff != "" || c.Withdrawn != 2 || len(p.Members) != 4 {
		t.Errorf("withdrew %d:\n%s", c.Withdrawn, diff)
	}
	if got, c = p.Withdraw(); len(got.Members) != 4 || c.Withdrawn != 0 {
		t.Errorf("withdrawing no version took %d", c.Withdrawn)
	}
}
