package forecast

import (
	"math"
	"slices"
)

// prior is what is taken for granted of a figure's ratios before any is seen.
type prior struct {
	spread float64 // standard deviation of the logarithm
	model  float64 // the same, of the cost model alone, where there is no history; 0: without a history nothing is known
}

// The priors. Time: a machine that others use too is a quarter faster or slower from one run to the next. Counts and
// sizes hardly depend on the machine. A cost model alone is trusted to a factor of about two.
var (
	clock = prior{spread: 0.25}
	count = prior{spread: 0.10, model: 0.5}
	size  = prior{spread: 0.10, model: 0.5}
)

const (
	priorWeight = 2    // observations that a prior counts for
	most        = 12   // ratios that are looked at, the newest
	enough      = 3    // samples of nearly equal work that make others superfluous
	far         = 0.15 // what each factor of e between the work and a sample's adds, in logarithms
	farMost     = 0.8  // and at most
	foreign     = 0.9  // spread of a rate that was measured on other work: training for sampling
	nearly      = 1.05 // a factor within which work counts as the same
	similar     = 2.0  // and as similar
)

// measure is the amount of work by the best figure that both have.
func measure(a, b Work) (x, y float64) {
	for _, f := range []func(Work) float64{
		func(w Work) float64 { return w.Flop },
		func(w Work) float64 { return w.PromptTokens + w.CompletionTokens },
		func(w Work) float64 { return w.Items },
	} {
		if x, y = f(a), f(b); x > 0 && y > 0 {
			return x, y
		}
	}
	return 1, 1
}

// alike gives the samples of the same stage that are to be looked at: those of nearly equal work where there are enough,
// else of similar work, else all; the newest. A probe speaks only where there is not enough history. Work whose operations are known
// and work whose operations are not say nothing of one another: a token of one model may cost a thousand times what it costs another.
func alike(w Work, samples []Sample) []Sample {
	var own, probes []Sample
	for _, s := range samples {
		switch {
		case s.Work.Stage != w.Stage, (s.Work.Flop > 0) != (w.Flop > 0):
		case s.Probe:
			probes = append(probes, s)
		default:
			own = append(own, s)
		}
	}
	for _, factor := range []float64{nearly, similar, math.Inf(1)} {
		var near []Sample
		for _, s := range own {
			if x, y := measure(w, s.Work); max(x/y, y/x) <= factor {
				near = append(near, s)
			}
		}
		if len(near) >= enough {
			return near[:min(most, len(near))]
		}
	}
	return append(probes, own...)
}

// seconds forecasts the time. Where the stage has no history, the time of an operation on this machine stands in.
func seconds(w Work, samples []Sample) *Interval {
	none := func(Work) float64 { return 0 }
	took := func(s Sample) float64 { return max(s.Seconds, 1e-3) } // a clock that did not move in between
	if i := predict(w, samples, clock, none, took); i != nil {
		return i
	}
	if w.Flop == 0 {
		return nil
	}
	var rates []float64
	for _, s := range samples {
		if s.Work.Flop > 0 && len(rates) < most {
			rates = append(rates, math.Log(took(s)/s.Work.Flop))
		}
	}
	if len(rates) == 0 {
		return nil
	}
	return around(w.Flop*math.Exp(median(rates)), foreign*quantile(math.Inf(1)))
}

// predict forecasts one figure. said is what the cost model says of it, 0 where it says nothing: then the figure is taken
// to grow with the work. took is what it was.
func predict(w Work, samples []Sample, p prior, said func(Work) float64, took func(Sample) float64) *Interval {
	var ratios, values []float64
	var distance float64
	for _, s := range alike(w, samples) {
		took := took(s)
		values = append(values, took)
		if took <= 0 {
			continue
		}
		x, y := measure(w, s.Work)
		if !s.Probe { // a probe is meant to be far off
			distance += math.Abs(math.Log(x / y))
		}
		base := took / y * x // what it would have been of this work
		if a, b := said(w), said(s.Work); a > 0 && b > 0 {
			base = took / b * a
		}
		ratios = append(ratios, math.Log(base))
	}
	switch {
	case len(values) > 0 && len(ratios) == 0:
		return Exactly(0) // it never took any
	case len(ratios) == 0 && said(w) > 0 && p.model > 0:
		return around(said(w), p.model*quantile(math.Inf(1)))
	case len(ratios) == 0:
		return nil
	}
	k := float64(len(ratios))
	mid := median(ratios)
	var deviations []float64
	for _, r := range ratios {
		deviations = append(deviations, math.Abs(r-mid))
	}
	robust := 1.4826 * median(deviations) // of normal deviates, the standard deviation
	degrees := priorWeight + k - 1
	variance := (priorWeight*p.spread*p.spread + (k-1)*robust*robust) / degrees
	off := min(farMost, far*distance/k)
	return around(math.Exp(mid), quantile(degrees)*math.Sqrt(variance*(1+math.Pi/2/k)+off*off)) // π/2·σ²/k: the variance of a median
}

// around is an interval that is symmetrical in logarithms.
func around(mid, half float64) *Interval {
	return &Interval{Low: mid * math.Exp(-half), Mid: mid, High: mid * math.Exp(half)}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// student is the 0.9 quantile of Student's distribution with 1, 2, … degrees of freedom: a tenth above, a tenth below.
var student = [...]float64{3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350, 1.345, 1.341}

func quantile(degrees float64) float64 {
	if degrees > float64(len(student)) {
		return 1.2816
	}
	return student[max(1, int(degrees))-1]
}
