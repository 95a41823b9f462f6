package guard

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Name is the name of a measure, as configuration and reports write it.
type Name string

// The measures, with the meaning of their limits. All limits are positive; more is worse, but for FamilyShare.
const (
	NLL         Name = "nll"          // relative rise of held-out bits per byte over the best so far
	Entropy     Name = "entropy"      // fall of 4-gram entropy below the reference, in bits
	Distinct    Name = "distinct4"    // relative fall of distinct-4 below the reference
	Compression Name = "compression"  // relative rise of the compression ratio over the reference
	PassRate    Name = "pass_rate"    // relative fall of the verifier's pass rate below the incumbent's
	Duplicates  Name = "duplicates"   // share of raw samples that repeat another's question
	FamilyShare Name = "family_share" // share of a task family among raw samples / its real share; less is worse
)

// Names lists all measures in the order of reports.
func Names() []Name {
	return []Name{NLL, Entropy, Distinct, Compression, PassRate, Duplicates, FamilyShare}
}

// Limit is where a measure warns and where it halts.
type Limit struct {
	Warn float64 `json:"warn"`
	Halt float64 `json:"halt"`
}

// Limits are the guard's thresholds. Calibrated says that they hold for this domain; without it no measure halts.
type Limits struct {
	By         map[Name]Limit `json:"by"`
	Calibrated bool           `json:"calibrated"`
}

// Defaults returns the limits of the default domain, not calibrated. Between a healthy and a collapsed run of that
// domain they lie as follows: 4-gram entropy at worst −0.29 bit against −0.54, distinct-4 −3.3 % against −10 %,
// compression +2.4 % against +6.8 %, held-out loss falling against +12 % a generation.
func Defaults() Limits {
	return Limits{By: map[Name]Limit{
		NLL:         {Warn: 0.05, Halt: 0.10},
		Entropy:     {Warn: 0.30, Halt: 0.40},
		Distinct:    {Warn: 0.05, Halt: 0.08},
		Compression: {Warn: 0.05, Halt: 0.08},
		PassRate:    {Warn: 0.05, Halt: 0.15},
		Duplicates:  {Warn: 0.25, Halt: 0.50},
		FamilyShare: {Warn: 0.50, Halt: 0.25},
	}}
}

// With returns the limits with some of them replaced, by measure; NaN keeps a value. Unknown measures, limits that
// are not positive and finite, and a halt value milder than its warning are errors.
func (l Limits) With(overrides map[string]Limit) (Limits, error) {
	out := Limits{By: make(map[Name]Limit, len(l.By)), Calibrated: l.Calibrated}
	for m, limit := range l.By {
		out.By[m] = limit
	}
	names := make([]string, 0, len(overrides))
	for name := range overrides {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		m := Name(name)
		if !slices.Contains(Names(), m) {
			return Limits{}, fmt.Errorf("guard has no measure %q: it has %s", name, known())
		}
		limit, given := out.By[m], overrides[name]
		if !math.IsNaN(given.Warn) {
			limit.Warn = given.Warn
		}
		if !math.IsNaN(given.Halt) {
			limit.Halt = given.Halt
		}
		if err := limit.check(m); err != nil {
			return Limits{}, err
		}
		out.By[m] = limit
	}
	return out, nil
}

func (l Limit) check(m Name) error {
	for _, v := range []float64{l.Warn, l.Halt} {
		if !(v > 0) || math.IsInf(v, 0) {
			return fmt.Errorf("guard %s: a limit of %v is not positive and finite", m, v)
		}
	}
	if m == FamilyShare && l.Halt > l.Warn || m != FamilyShare && l.Halt < l.Warn {
		return fmt.Errorf("guard %s: it would halt at %v before it warns at %v", m, l.Halt, l.Warn)
	}
	return nil
}

// level says what a value reaches.
func (l Limit) level(m Name, v float64) Level {
	if m == FamilyShare {
		v, l.Warn, l.Halt = -v, -l.Warn, -l.Halt
	}
	switch {
	case v >= l.Halt:
		return Halt
	case v >= l.Warn:
		return Warn
	}
	return OK
}

func known() string {
	names := make([]string, 0, len(Names()))
	for _, m := range Names() {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}
