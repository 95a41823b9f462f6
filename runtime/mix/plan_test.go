package mix

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// records makes n records of a bucket.
func records(bucket string, real bool, n int) []Record {
	out := make([]Record, n)
	for i := range out {
		out[i] = Record{ID: fmt.Sprintf("%s-%04d", bucket, i), Bucket: bucket, Real: real, Bytes: 30, Tokens: 10}
	}
	return out
}

// quickstart is a window of the default domain: 1,600 steps of 32, 35 % of them real.
func quickstart() Request {
	return Request{
		Records: append(records("real", true, 600), records("synthetic", false, 3000)...),
		Shares:  map[string]float64{"real": 0.35, "synthetic": 0.65},
		Anchor:  Anchor{Min: 0.30, Max: 0.40},
		Draws:   1600 * 32, Block: 32, Seed: 7,
	}
}

func TestPlanQuickstart(t *testing.T) {
	t.Parallel()
	r := quickstart()
	s, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Draws) != 51200 || s.Shortened != "" {
		t.Errorf("%d draws, shortened %q", len(s.Draws), s.Shortened)
	}
	if s.Real.Draws != 17920 || s.Buckets[0].Draws != 17920 || s.Buckets[1].Draws != 33280 {
		t.Errorf("draws: real %d of %d and %d", s.Real.Draws, s.Buckets[0].Draws, s.Buckets[1].Draws)
	}
	if m := s.Real.RepeatsMean; math.Abs(m-17920.0/600) > 1e-9 {
		t.Errorf("a real record is drawn %v times in the mean, want 29.87", m)
	}
	if s.Real.RepeatsMax < 40 || s.Real.RepeatsMax > 60 { // 600 Poisson counts of mean 30
		t.Errorf("the most drawn real record is drawn %d times", s.Real.RepeatsMax)
	}
	if got := *s.Real.Tokens; got != 179200 || s.Real.Bytes != 3*179200 || math.Abs(*s.Real.TokenShare-0.35) > 1e-12 {
		t.Errorf("real tokens %d, bytes %d, share %v", got, s.Real.Bytes, *s.Real.TokenShare)
	}
}

// The schedule of a seed is part of what an action's ID stands for, so it must never change.
func TestPlanIsStable(t *testing.T) {
	t.Parallel()
	digest := func(r Request) string {
		s, err := Plan(r)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		for _, i := range s.Draws {
			if err := binary.Write(h, binary.LittleEndian, i); err != nil {
				t.Fatal(err)
			}
		}
		return hex.EncodeToString(h.Sum(nil)[:8])
	}
	r := quickstart()
	if got, want := digest(r), "a22e4bd5cf57b403"; got != want {
		t.Errorf("the schedule of seed 7 is %s, want %s", got, want)
	}
	r.MaxRepeats = 35
	if got, want := digest(r), "8ac3bd37f50da57d"; got != want {
		t.Errorf("the schedule of seed 7 with at most 35 repeats is %s, want %s", got, want)
	}
	r.Seed = 8
	if digest(r) == digest(quickstart()) {
		t.Error("another seed gives the same schedule")
	}
}

// Records in another order give the same draws of the same records.
func TestPlanDoesNotHangOnOrder(t *testing.T) {
	t.Parallel()
	r := quickstart()
	a, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	ids := func(r Request, s Schedule) []string {
		out := make([]string, len(s.Draws))
		for i, j := range s.Draws {
			out[i] = r.Records[j].ID
		}
		return out
	}
	want := ids(r, a)
	r.Records = slices.Clone(r.Records)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(r.Records), func(i, j int) { r.Records[i], r.Records[j] = r.Records[j], r.Records[i] })
	b, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(want, ids(r, b)) {
		t.Error("the order of the records changes the schedule")
	}
	if diff := cmp.Diff(a.Buckets, b.Buckets); diff != "" {
		t.Error(diff)
	}
}

// Property: whatever the shares, after every whole block each bucket has its share within one draw, no record is drawn
// more often than allowed, and the report agrees with the list.
func TestPlanProperties(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for round := range 200 {
		n := 1 + rng.IntN(7)
		r := Request{Shares: map[string]float64{}, Anchor: Anchor{0, 1}, Block: 1 + rng.Uint64N(40), Seed: rng.Uint64()}
		r.Draws = r.Block * (1 + rng.Uint64N(50))
		sum := 0.0
		weights := make([]float64, n)
		for i := range weights {
			weights[i] = rng.ExpFloat64()
			sum += weights[i]
		}
		for i, w := range weights {
			name := fmt.Sprint("b", i)
			r.Shares[name] = w / sum
			r.Records = append(r.Records, records(name, i%2 == 0, 1+rng.IntN(60))...)
		}
		if rng.IntN(2) == 0 {
			r.MaxRepeats, r.Shorten = 1+rng.Uint64N(60), true
		}
		s, err := Plan(r)
		if short := (*ShortError)(nil); errors.As(err, &short) && short.Blocks == 0 {
			continue
		}
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if uint64(len(s.Draws))%r.Block != 0 || (s.Shortened == "") != (uint64(len(s.Draws)) == r.Draws) {
			t.Fatalf("round %d: %d of %d draws in blocks of %d, shortened %q", round, len(s.Draws), r.Draws, r.Block, s.Shortened)
		}
		counts, times := map[string]uint64{}, make([]uint64, len(r.Records))
		for i, j := range s.Draws {
			counts[r.Records[j].Bucket]++
			times[j]++
			if done := uint64(i) + 1; done%r.Block == 0 {
				for name, share := range r.Shares {
					if off := math.Abs(float64(counts[name]) - share*float64(done)); off >= 1 {
						t.Fatalf("round %d: bucket %s has %d of %d draws at a share of %v", round, name, counts[name], done, share)
					}
				}
			}
		}
		if most := slices.Max(times); r.MaxRepeats > 0 && most > r.MaxRepeats {
			t.Fatalf("round %d: a record is drawn %d times, allowed %d", round, most, r.MaxRepeats)
		}
		total := 0.0
		for _, b := range s.Buckets {
			if b.Draws != counts[b.Name] || b.RepeatsMax > b.Draws || b.Records > b.Available {
				t.Fatalf("round %d: report %+v, counted %d", round, b, counts[b.Name])
			}
			total += b.DrawShare
		}
		if math.Abs(total-1) > 1e-9 {
			t.Fatalf("round %d: shares of the report sum to %v", round, total)
		}
	}
}

// Property: the apportionment holds after every single draw.
func TestApportionWithinOneDraw(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		shares := make([]float64, 1+rng.IntN(10))
		sum := 0.0
		for i := range shares {
			shares[i] = math.Pow(rng.Float64(), 3) + 1e-4
			sum += shares[i]
		}
		for i := range shares {
			shares[i] /= sum
		}
		a := newApportion(shares)
		for t0 := 1; t0 <= 3000; t0++ {
			a.next()
			for i, share := range shares {
				if off := math.Abs(float64(a.counts[i]) - share*float64(t0)); off >= 1 {
					t.Fatalf("shares %v: bucket %d is %.3f draws off after %d", shares, i, off, t0)
				}
			}
		}
	}
}

// With replacement every record of a bucket is as likely: a chi-square over the draws of one bucket.
func TestPlanDrawsUniformly(t *testing.T) {
	t.Parallel()
	s, err := Plan(quickstart())
	if err != nil {
		t.Fatal(err)
	}
	times := make([]float64, 600)
	for _, i := range s.Draws {
		if i < 600 {
			times[i]++
		}
	}
	chi, want := 0.0, 17920.0/600
	for _, n := range times {
		chi += (n - want) * (n - want) / want
	}
	if math.Abs(chi-599) > 4*math.Sqrt(2*599) {
		t.Errorf("chi-square %v at 599 degrees of freedom", chi)
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Request)
		want   string
	}{
		{"shares", func(r *Request) { r.Shares["real"] = 0.34 }, "shares sum to 0.99"},
		{"negative share", func(r *Request) { r.Shares["real"] = -1 }, `share of bucket "real" is -1`},
		{"below the anchor", func(r *Request) { r.Shares = map[string]float64{"real": 0.2, "synthetic": 0.8} }, "real share 0.2 lies outside the anchor 0.3 to 0.4"},
		{"above the anchor", func(r *Request) { r.Shares = map[string]float64{"real": 1} }, "outside the anchor"},
		{"empty bucket", func(r *Request) { r.Records = r.Records[:600] }, `bucket "synthetic" has 0 synthetic records and needs 1`},
		{"too few verified samples", func(r *Request) { r.MinRecords = 3001; r.Records = append(r.Records, records("real2", true, 1)...) }, "needs 3001"},
		{"mixed bucket", func(r *Request) { r.Records[5].Real = false }, `bucket "real" holds real and synthetic records`},
		{"repeated ID", func(r *Request) { r.Records[5].ID = r.Records[4].ID }, "no ID of its own"},
		{"no ID", func(r *Request) { r.Records[5].ID = "" }, "no ID of its own"},
		{"part of a block", func(r *Request) { r.Draws++ }, "no whole number of blocks"},
		{"no block", func(r *Request) { r.Block = 0 }, "no whole number of blocks"},
		{"not enough within the repeats", func(r *Request) { r.MaxRepeats = 10 }, `bucket "real" has 600 real records and needs 1792`},
	} {
		r := quickstart()
		c.change(&r)
		if s, err := Plan(r); err == nil || !strings.Contains(err.Error(), c.want) || len(s.Draws) > 0 {
			t.Errorf("%s: %d draws, error %v; want %q", c.name, len(s.Draws), err, c.want)
		}
	}
}

// A shortened schedule says so, keeps its shares, and is as long as the records allow.
func TestPlanShortens(t *testing.T) {
	t.Parallel()
	r := quickstart()
	r.MaxRepeats, r.Shorten = 10, true
	s, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	// 600 records ten times are 6,000 draws, 35 % of 17,142; whole blocks of 32 end at 17,120.
	if len(s.Draws) != 17120 || !strings.Contains(s.Shortened, "17120 of 51200 draws") {
		t.Errorf("%d draws: %q", len(s.Draws), s.Shortened)
	}
	if off := math.Abs(float64(s.Real.Draws) - 0.35*17120); off >= 1 {
		t.Errorf("%d real draws of 17120", s.Real.Draws)
	}
	r.MaxRepeats, r.Records = 1, append(records("real", true, 3), records("synthetic", false, 3000)...)
	var short *ShortError
	if _, err := Plan(r); !errors.As(err, &short) || short.Bucket != "real" || short.Blocks != 0 {
		t.Errorf("three records fill a block of 32: %v", err)
	}
}

func TestPlanWithoutTokenCounts(t *testing.T) {
	t.Parallel()
	r := quickstart()
	r.Records[0].Tokens = 0
	s, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Real.Tokens != nil || s.Real.TokenShare != nil || s.Buckets[1].Tokens == nil || s.Buckets[1].TokenShare != nil {
		t.Errorf("tokens: real %v, synthetic %v with share %v", s.Real.Tokens, s.Buckets[1].Tokens, s.Buckets[1].TokenShare)
	}
}

func BenchmarkPlan(b *testing.B) {
	r := quickstart()
	for b.Loop() {
		if _, err := Plan(r); err != nil {
			b.Fatal(err)
		}
	}
}
