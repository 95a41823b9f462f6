package gate

import (
	"fmt"
	"math"
)

// Kind says what the improvement threshold is measured in.
type Kind string

// The kinds: relative to the incumbent's score, or in points of score.
const (
	Relative Kind = "relative"
	Absolute Kind = "absolute"
)

// Policy is what a cycle demands of a promotion.
type Policy struct {
	Weights      Weights  `json:"weights"`
	Threshold    float64  `json:"improvement_threshold"` // 0.05: five percent, or 0.05 points of score
	Kind         Kind     `json:"threshold_kind"`
	MinSteps     uint64   `json:"min_steps_before_replace"`
	Alpha        float64  `json:"alpha"`  // of all looks together
	Strict       bool     `json:"strict"` // the lower bound itself reaches the threshold
	Manual       bool     `json:"manual"` // a PROMOTE waits for approval
	Pinned       uint64   `json:"pinned"` // generator version that is held; 0: none
	MinAccuracy  *float64 `json:"min_accuracy"`
	MinCoherence *float64 `json:"min_coherence"`
}

// DefaultPolicy returns the policy of a cycle that says nothing.
func DefaultPolicy() Policy {
	return Policy{Weights: Weights{Accuracy: 0.40, Coherence: 0.30, Domain: 0.30}, Threshold: 0.05, Kind: Relative, MinSteps: 10000, Alpha: 0.05}
}

// Check says what is wrong with a policy.
func (p Policy) Check() error {
	if err := p.Weights.check(); err != nil {
		return err
	}
	if !(p.Threshold >= 0) || math.IsInf(p.Threshold, 0) {
		return fmt.Errorf("improvement threshold is %v", p.Threshold)
	}
	if p.Kind != Relative && p.Kind != Absolute {
		return fmt.Errorf("threshold kind is %q, and must be %q or %q", p.Kind, Relative, Absolute)
	}
	if !(p.Alpha > 0 && p.Alpha < 1) {
		return fmt.Errorf("alpha is %v, and must lie between 0 and 1", p.Alpha)
	}
	if err := checkFloor("min_accuracy", p.MinAccuracy); err != nil {
		return err
	}
	return checkFloor("min_coherence", p.MinCoherence)
}

func checkFloor(name string, v *float64) error {
	if v != nil && !(*v >= 0 && *v <= 1) {
		return fmt.Errorf("%s is %v, and must lie between 0 and 1", name, *v)
	}
	return nil
}

// margin returns the gain in points of score that the threshold asks for, against an incumbent of this score. An
// incumbent at 0 or below has no percentage: the absolute difference decides.
func (p Policy) margin(incumbent float64) float64 {
	if p.Kind == Relative && incumbent > 0 {
		return p.Threshold * incumbent
	}
	return p.Threshold
}

// factor is what an incumbent's score is multiplied with in strict mode, so that the bound accounts for the chance in
// the incumbent's score too.
func (p Policy) factor(incumbent float64) (factor, constant float64) {
	if p.Kind == Relative && incumbent > 0 {
		return 1 + p.Threshold, 0
	}
	return 1, p.Threshold
}
