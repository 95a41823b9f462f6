package guard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// minCalibration is the least number of raw samples that limits can be calibrated on: two halves of 50.
const minCalibration = 100

// Calibration is what Calibrate learns of a domain.
type Calibration struct {
	Limits Limits           `json:"limits"`
	Noise  map[Name]float64 `json:"noise"` // 99th percentile of the change between two samples of one generator
	Rounds int              `json:"rounds"`
	Half   int              `json:"half"` // raw samples on each side of a comparison
}

// Calibrate adapts limits to a domain from raw samples of its first generator. In each round the samples are split at
// random into two disjoint halves, which are compared at matched length as Assess would compare a candidate with the
// reference; the change that remains is sampling noise. (Halves, and not draws with replacement: a repeated sample is a
// duplicate, and would bias every measure here.) A limit becomes
//
//	warn = max(default warn, 1.5 × noise)    halt = warn + (default halt − default warn)
//
// so calibration widens what noise alone could reach and tightens nothing: that a healthy run drifts less here than in
// the default domain cannot be known from one generator. Duplicates are absolute, so their limits move up by what the
// generator repeats from the start beyond 5 %. Held-out loss is relative and measured on the same text each time, and
// keeps its limits. FamilyShare keeps its limits; families too rare for them are not judged. Where the samples have too
// little text for the n-gram measures the limits stay not calibrated, and warn only.
//
// Give at least 2 × SampleCount samples: with fewer the halves are smaller than what is compared later, the noise is
// larger, and the limits come out wider than needed. It is an error to give fewer than 100, or fewer than 20 rounds.
func Calibrate(base Limits, raw []Sample, rounds int, seed uint64) (Calibration, error) {
	if len(raw) < minCalibration {
		return Calibration{}, fmt.Errorf("calibrate the guard: %d raw samples, and at least %d are needed", len(raw), minCalibration)
	}
	if rounds < 20 {
		return Calibration{}, fmt.Errorf("calibrate the guard: %d rounds say nothing about a 99th percentile", rounds)
	}
	half := min(len(raw)/2, SampleCount)
	noise := map[Name][]float64{}
	r := rand.New(rand.NewPCG(seed, 0x67756172645f6361)) // "guard_ca"
	for range rounds {
		order := r.Perm(len(raw))
		a, b := pick(raw, order[:half]), pick(raw, order[half:2*half])
		report := Assess(Input{Limits: base, Reference: a, Incumbent: a, Candidate: b, SyntheticShare: 1})
		for _, f := range report.Findings {
			if f.Change != nil && f.Measure != Duplicates {
				noise[f.Measure] = append(noise[f.Measure], math.Abs(*f.Change))
			}
		}
	}
	c := Calibration{Limits: Limits{By: map[Name]Limit{}, Calibrated: len(noise[Entropy]) > 0}, Noise: map[Name]float64{}, Rounds: rounds, Half: half}
	for m, limit := range base.By {
		c.Limits.By[m] = limit
	}
	for _, m := range Names() {
		if len(noise[m]) == 0 {
			continue
		}
		slices.Sort(noise[m])
		q := noise[m][int(math.Ceil(0.99*float64(len(noise[m]))))-1]
		c.Noise[m] = q
		c.Limits.By[m] = widen(m, base.By[m], 1.5*q)
	}
	c.Limits.By[Duplicates] = duplicateLimit(base.By[Duplicates], Measure(raw))
	return c, nil
}

// widen moves both limits up so that the warning is at least at warn. What falls by a share of itself cannot fall by
// more than all, so those limits stay below 1.
func widen(m Name, limit Limit, warn float64) Limit {
	if warn <= limit.Warn {
		return limit
	}
	out := Limit{Warn: warn, Halt: warn + limit.Halt - limit.Warn}
	if m == PassRate || m == Distinct {
		out = Limit{Warn: min(out.Warn, 0.90), Halt: min(out.Halt, 0.95)}
	}
	return out
}

// pick measures some of the samples, with curves at the last two counts of the grid alone: two halves of one generator
// differ little in length and so share one of them, and deflate at every count would cost four times as much.
func pick(raw []Sample, order []int) Metrics {
	some := make([]Sample, len(order))
	for i, j := range order {
		some[i] = raw[j]
	}
	return measure(some, some, func(total int) []int {
		counts := grid(total)
		counts = counts[:max(1, len(counts)-1)] // the last is the total, which the other half does not have
		return counts[max(0, len(counts)-2):]
	})
}

// duplicateLimit moves the limits up by what the generator repeats beyond the 5 % that the defaults were measured at.
func duplicateLimit(base Limit, all Metrics) Limit {
	if all.Duplicates == nil {
		return base
	}
	up := max(0, *all.Duplicates-0.05)
	return Limit{Warn: min(base.Warn+up, 0.98), Halt: min(base.Halt+up, 0.99)}
}
