package gate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func flat(n int, challenger, incumbent func(i int) float64, cluster func(i int) string) []Item {
	items := make([]Item, n)
	for i := range items {
		a, b := challenger(i), incumbent(i)
		items[i] = Item{ID: fmt.Sprint(i), Cluster: cluster(i), Challenger: Components{Accuracy: &a}, Incumbent: Components{Accuracy: &b}}
	}
	return items
}

var onlyAccuracy = Weights{Accuracy: 1}

// TestIntervalByHand compares with mean ± 1.96 s/√n.
func TestIntervalByHand(t *testing.T) {
	t.Parallel()
	alone := func(int) string { return "" }
	half := func(i int) float64 { return float64(i % 2) }
	level, err := Level(flat(400, half, half, alone), onlyAccuracy, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	reach := 1.959964 * math.Sqrt(0.25*400/399) / math.Sqrt(400)
	if math.Abs(level.Mean-0.5) > 1e-12 || math.Abs(level.Low-(0.5-reach)) > 1e-6 || math.Abs(level.High-(0.5+reach)) > 1e-6 || level.N != 400 || level.Groups != 400 || level.Method != Normal {
		t.Errorf("level %+v, want 0.5 ± %v", level, reach)
	}
	same, err := Difference(flat(400, half, half, alone), onlyAccuracy, 0.95)
	if err != nil || same.Low != 0 || same.High != 0 {
		t.Errorf("of equals: %+v, %v", same, err)
	}
	shared, err := Level(flat(400, half, half, func(i int) string { return fmt.Sprint(i / 8) }), onlyAccuracy, 0.95)
	if err != nil || shared.Method != Cluster || shared.Groups != 50 {
		t.Errorf("with clusters: %+v, %v", shared, err)
	}
}

// TestRunsByHand: 1, 2 and 3 have the deviation 1, and t with 2 degrees of freedom is 4.3027 at 0.975.
func TestRunsByHand(t *testing.T) {
	t.Parallel()
	in, err := Runs([]float64{1, 2, 3}, 0.95)
	if reach := 4.302653 / math.Sqrt(3); err != nil || in.Mean != 2 || math.Abs(in.High-2-reach) > 1e-5 || math.Abs(2-in.Low-reach) > 1e-5 || in.N != 3 {
		t.Errorf("%+v, %v", in, err)
	}
	if _, err := Runs([]float64{1}, 0.95); err == nil {
		t.Error("one run has an interval")
	}
}

func TestIntervalRefuses(t *testing.T) {
	t.Parallel()
	one := func(int) float64 { return 1 }
	alone := func(int) string { return "" }
	if _, err := Level(flat(99, one, one, alone), onlyAccuracy, 0.95); !errors.Is(err, ErrFew) {
		t.Errorf("99 items: %v", err)
	}
	if _, err := Level(flat(200, one, one, func(i int) string { return fmt.Sprint(i % 29) }), onlyAccuracy, 0.95); !errors.Is(err, ErrFew) {
		t.Errorf("29 clusters: %v", err)
	}
	if _, err := Difference(flat(200, one, one, alone), onlyAccuracy, 1); err == nil {
		t.Error("a level of 1")
	}
	missing := flat(200, one, one, alone)
	missing[3].Incumbent.Accuracy = nil
	if _, err := Difference(missing, onlyAccuracy, 0.95); err == nil {
		t.Error("a component that one side lacks")
	}
}

// TestIntervalCovers: the interval of a paired difference holds the truth in about as many cases as it says.
func TestIntervalCovers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const rounds = 1000
	held := 0
	for range rounds {
		coin := func(p float64) func(int) float64 {
			return func(int) float64 {
				if r.Float64() < p {
					return 1
				}
				return 0
			}
		}
		in, err := Difference(flat(300, coin(0.7), coin(0.6), func(int) string { return "" }), onlyAccuracy, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if in.Low <= 0.1 && 0.1 <= in.High {
			held++
		}
	}
	if held < 930 || held > 970 { // three standard errors of 0.95 over 1,000 rounds
		t.Errorf("held %d times of %d", held, rounds)
	}
}
