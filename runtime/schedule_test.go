package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"jupiter/plan"
	"jupiter/plan/addr"
)

// TestWalk: each action runs once, after all that it reads, never more at once than allowed, and heavy ones one at a time.
func TestWalk(t *testing.T) {
	t.Parallel()
	var actions []*plan.Action
	for i := range 60 {
		a := &plan.Action{Address: addr.Address(fmt.Sprint(i)), Kind: plan.Filter}
		if i%4 == 0 {
			a.Kind = plan.Train
		}
		for _, from := range []int{i - 7, i / 2} {
			if from >= 0 && from < i {
				a.Inputs = append(a.Inputs, plan.Input{Name: fmt.Sprint(from), From: actions[from], Output: "out"})
			}
		}
		actions = append(actions, a)
	}
	for _, parallel := range []int{0, 1, 3, 100} {
		var mu sync.Mutex
		ran := map[*plan.Action]int{}
		now, busy, most := 0, 0, 0
		r := &Runner{Parallel: parallel}
		done, err := r.walk(t.Context(), actions, func(_ context.Context, a *plan.Action, view map[*plan.Action]outputs) (outputs, error) {
			mu.Lock()
			ran[a]++
			now++
			most = max(most, now)
			if heavy(a.Kind) {
				if busy++; busy > 1 {
					t.Errorf("%s runs beside another heavy action", a.Address)
				}
			}
			mu.Unlock()
			if _, unknown := a.Resolve(view); len(unknown) > 0 {
				t.Errorf("%s runs before %v", a.Address, unknown)
			}
			mu.Lock()
			defer mu.Unlock()
			now--
			if heavy(a.Kind) {
				busy--
			}
			return outputs{"out": {Digest: string(a.Address)}}, nil
		})
		if err != nil || len(done) != len(actions) || len(ran) != len(actions) || most > max(parallel, 1) {
			t.Errorf("parallel %d: %d done, %d ran, %d at once: %v", parallel, len(done), len(ran), most, err)
		}
		for a, n := range ran {
			if n != 1 {
				t.Errorf("%s ran %d times", a.Address, n)
			}
		}
	}
}

// TestWalkError: after an error nothing new begins, and what was done before is in the result.
func TestWalkError(t *testing.T) {
	t.Parallel()
	first := &plan.Action{Address: "first", Kind: plan.Filter}
	second := &plan.Action{Address: "second", Kind: plan.Filter, Inputs: []plan.Input{{Name: "in", From: first, Output: "out"}}}
	third := &plan.Action{Address: "third", Kind: plan.Filter, Inputs: []plan.Input{{Name: "in", From: second, Output: "out"}}}
	broken := errors.New("broken")
	r := &Runner{Parallel: 4}
	done, err := r.walk(t.Context(), []*plan.Action{first, second, third}, func(_ context.Context, a *plan.Action, _ map[*plan.Action]outputs) (outputs, error) {
		switch a {
		case second:
			return nil, broken
		case third:
			t.Error("an action runs whose input failed")
		}
		return outputs{}, nil
	})
	if _, ok := done[first]; !errors.Is(err, broken) || len(done) != 1 || !ok {
		t.Errorf("%d done: %v", len(done), err)
	}
}
