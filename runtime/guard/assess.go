package guard

import (
	"fmt"
	"math"
	"slices"
)

// Level is how bad a finding is.
type Level string

// The levels. Unavailable is neither good nor bad: the figure could not be had, and the finding's text says why.
const (
	OK          Level = "ok"
	Warn        Level = "warn"
	Halt        Level = "halt"
	Unavailable Level = "unavailable"
)

// minFamily is how many samples a family should have had, by its real share, before its share is judged: below,
// chance alone halves it too often.
const minFamily = 20

// Input is what one assessment looks at. A Metrics of zero value was not measured.
type Input struct {
	Limits         Limits
	Reference      Metrics            // the first generator, or the first student where that replaces a general model
	Best           Metrics            // whose BitsPerByte is the lowest so far
	Incumbent      Metrics            // the current generator
	Candidate      Metrics            // the student
	RealFamilies   map[string]float64 // family → its share of the real data; nil: the domain has no families
	SyntheticShare float64            // of the window's draws; 0: nothing halts
}

// Finding is one measure of the candidate, against what it is compared with.
type Finding struct {
	Measure Name     `json:"measure"`
	Family  string   `json:"family,omitempty"` // for FamilyShare
	Level   Level    `json:"level"`            // what counts
	Reached Level    `json:"reached"`          // what the value alone reaches, calibrated or not
	Value   *float64 `json:"value"`            // of the candidate
	Against *float64 `json:"against"`          // the figure it is compared with
	Change  *float64 `json:"change"`           // in the unit of the limits
	Limit   Limit    `json:"limit"`
	Text    string   `json:"text"` // a sentence
}

// Report is the guard's answer. Level is the worst of the findings that are available.
type Report struct {
	Level      Level     `json:"level"`
	Calibrated bool      `json:"calibrated"`
	Findings   []Finding `json:"findings"` // in the order of Names; families in alphabetical order
}

// Find returns the finding of a measure that has one finding, or false.
func (r Report) Find(m Name) (Finding, bool) {
	for _, f := range r.Findings {
		if f.Measure == m {
			return f, true
		}
	}
	return Finding{}, false
}

// At returns the findings of one level.
func (r Report) At(level Level) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Level == level {
			out = append(out, f)
		}
	}
	return out
}

// Assess compares the candidate with the reference, the best, the incumbent and the real data.
func Assess(in Input) Report {
	a := assessment{Input: in}
	a.nll()
	a.diversity()
	a.passRate()
	a.duplicates()
	a.families()
	r := Report{Level: OK, Calibrated: in.Limits.Calibrated, Findings: a.findings}
	for _, f := range r.Findings {
		if f.Level == Halt || f.Level == Warn && r.Level == OK {
			r.Level = f.Level
		}
	}
	return r
}

type assessment struct {
	Input
	findings []Finding
}

// put adds a finding with figures. The text is a format with the change, then what was measured against.
func (a *assessment) put(m Name, family string, value, against, change float64, text string) {
	limit := a.Limits.By[m]
	f := Finding{Measure: m, Family: family, Value: &value, Against: &against, Change: &change, Limit: limit}
	if math.IsNaN(change) || math.IsInf(change, 0) {
		a.missing(m, family, "the figures are not finite")
		return
	}
	f.Reached = limit.level(m, change)
	f.Level = f.Reached
	switch {
	case f.Reached != Halt:
	case a.SyntheticShare <= 0:
		f.Level = Warn
		text += "; without a synthetic share nothing halts"
	case !a.Limits.Calibrated:
		f.Level = Warn
		text += "; the limits are not calibrated for this domain, so it only warns"
	}
	f.Text = fmt.Sprintf("%s (warns at %.4g, halts at %.4g)", text, limit.Warn, limit.Halt)
	a.findings = append(a.findings, f)
}

func (a *assessment) missing(m Name, family, why string) {
	a.findings = append(a.findings, Finding{Measure: m, Family: family, Level: Unavailable, Reached: Unavailable, Limit: a.Limits.By[m],
		Text: fmt.Sprintf("%s is unavailable: %s", m, why)})
}

func (a *assessment) nll() {
	best, got := a.Best.BitsPerByte, a.Candidate.BitsPerByte
	switch {
	case got == nil:
		a.missing(NLL, "", "the candidate's held-out text was not scored")
	case best == nil:
		a.missing(NLL, "", "no earlier model's held-out text was scored")
	default:
		rise := *got / *best - 1
		a.put(NLL, "", *got, *best, rise, fmt.Sprintf("held-out bits per byte %.4f, %+.1f %% against the best so far (%.4f)", *got, 100*rise, *best))
	}
}

func (a *assessment) diversity() {
	ref, got, ok := shared(a.Reference, a.Candidate)
	if !ok {
		why := "reference and candidate have no token count in common"
		switch {
		case len(a.Candidate.Curve) == 0:
			why = "the candidate's raw samples were not measured"
		case len(a.Reference.Curve) == 0:
			why = "there is no reference yet"
		}
		for _, m := range []Name{Entropy, Distinct, Compression} {
			a.missing(m, "", why)
		}
		return
	}
	at := fmt.Sprintf("at %d tokens", got.Tokens)
	fall := ref.Entropy4 - got.Entropy4
	a.put(Entropy, "", got.Entropy4, ref.Entropy4, fall, fmt.Sprintf("4-gram entropy %.2f bit, %+.2f against the reference %s", got.Entropy4, -fall, at))
	fall = 1 - got.Distinct4/ref.Distinct4
	a.put(Distinct, "", got.Distinct4, ref.Distinct4, fall, fmt.Sprintf("distinct-4 %.4f, %+.1f %% against the reference %s", got.Distinct4, -100*fall, at))
	rise := got.Compression/ref.Compression - 1
	a.put(Compression, "", got.Compression, ref.Compression, rise, fmt.Sprintf("compression ratio %.3f, %+.1f %% against the reference %s", got.Compression, 100*rise, at))
}

func (a *assessment) passRate() {
	inc, got := a.Incumbent.PassRate, a.Candidate.PassRate
	switch {
	case got == nil:
		a.missing(PassRate, "", "no verifier judged the candidate's raw samples")
	case inc == nil:
		a.missing(PassRate, "", "no verifier judged the incumbent's raw samples")
	default:
		fall := 0.0 // an incumbent that passes nothing cannot be fallen behind
		if *inc > 0 {
			fall = 1 - *got / *inc
		}
		a.put(PassRate, "", *got, *inc, fall, fmt.Sprintf("pass rate %.3f, the incumbent's %.3f (%+.1f %%)", *got, *inc, -100*fall))
	}
}

func (a *assessment) duplicates() {
	got := a.Candidate.Duplicates
	if got == nil {
		a.missing(Duplicates, "", "the candidate's raw samples were not measured")
		return
	}
	against := 0.0
	if d := a.Reference.Duplicates; d != nil {
		against = *d
	}
	text := fmt.Sprintf("%.1f %% of %d raw samples repeat a question", 100**got, a.Candidate.Samples)
	if a.Candidate.Samples < SampleCount {
		text += fmt.Sprintf(", of which fewer are expected than among %d", SampleCount)
	}
	a.put(Duplicates, "", *got, against, *got, text)
}

func (a *assessment) families() {
	names := make([]string, 0, len(a.RealFamilies))
	for f := range a.RealFamilies {
		names = append(names, f)
	}
	slices.Sort(names)
	if len(names) == 0 {
		a.missing(FamilyShare, "", "the real data name no task families")
	}
	for _, f := range names {
		want := a.RealFamilies[f]
		if expected := want * float64(a.Candidate.Known); expected < minFamily {
			a.missing(FamilyShare, f, fmt.Sprintf("family %s would have %.0f samples, and %d are needed", f, expected, minFamily))
			continue
		}
		got := a.Candidate.Families[f]
		a.put(FamilyShare, f, got, want, got/want, fmt.Sprintf("family %s has %.1f %% of the samples and %.1f %% of the real data", f, 100*got, 100*want))
	}
}
