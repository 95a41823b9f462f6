package gate

// Verdict is the outcome of a cycle.
type Verdict string

const (
	// Promote: better with confidence, and not worse as a generator.
	Promote Verdict = "PROMOTE"
	// Hold: not shown to be better. More training or more items may show it.
	Hold Verdict = "HOLD"
	// Reject: shown to be worse in something that promotion may not worsen, or the guard halts.
	Reject Verdict = "REJECT"
	// Ceiling: no score could reach the threshold; training on changes nothing.
	Ceiling Verdict = "CEILING"
)

// Code is the stable name of a reason or a rule.
type Code string

// The codes. Those that are also names of rules stand in Decision.Rules.
const (
	CodeGuard        Code = "guard"         // rule: no measure of the collapse guard halts
	CodeMissing      Code = "missing"       // scores or figures are absent, not numbers or out of range
	CodePinned       Code = "pinned"        // rule: no generator is held at its version
	CodeMinSteps     Code = "min_steps"     // rule: min_steps_before_replace is reached
	CodeCeiling      Code = "ceiling"       // rule: some score could reach the threshold
	CodeScreen       Code = "screen"        // rule: the gain on dev reaches the threshold
	CodeItems        Code = "items"         // rule: the pool has enough items and clusters
	CodeLook         Code = "look"          // the ledger's numbers of looks and promotions cannot be
	CodeThreshold    Code = "threshold"     // rule: the gain on the gate pool reaches the threshold
	CodeBetter       Code = "better"        // rule: the lower bound of the gain is above 0 (strict: reaches the threshold)
	CodeWorse        Code = "worse"         // the challenger is shown to be worse
	CodeAccuracy     Code = "accuracy"      // rule: not worse in a component
	CodeCoherence    Code = "coherence"     // rule
	CodeDomain       Code = "domain"        // rule
	CodePassRate     Code = "pass_rate"     // rule: raw samples pass the verifier as before
	CodeBitsPerByte  Code = "bits_per_byte" // rule: held-out real text is predicted as before
	CodeEntropy      Code = "entropy"       // rule: 4-gram entropy within the guard
	CodeMinAccuracy  Code = "min_accuracy"  // rule: the domain's floor
	CodeMinCoherence Code = "min_coherence" // rule: the domain's floor
	CodeUnavailable  Code = "unavailable"   // something could not be measured, and does not count
)

// Reason is one sentence of a decision, with its code.
type Reason struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
}

// Outcome is what became of a rule.
type Outcome string

// The outcomes. A rule that is neither passed nor failed says why in its text.
const (
	Pass        Outcome = "pass"
	Fail        Outcome = "fail"
	NotMeasured Outcome = "unavailable"
)

// Rule is one condition with its figures. Value passes when it stands in the relation Op to Bound.
type Rule struct {
	Code    Code     `json:"code"`
	Outcome Outcome  `json:"outcome"`
	Value   *float64 `json:"value"`
	Op      string   `json:"op,omitempty"` // ">", ">=", "<="
	Bound   *float64 `json:"bound"`
	Text    string   `json:"text"`
}

// McNemar counts the items that exactly one contestant answered right (accuracy ½ or more).
type McNemar struct {
	ChallengerOnly int `json:"challenger_only"`
	IncumbentOnly  int `json:"incumbent_only"`
}

// Decision is the outcome of one cycle. It marshals to JSON: absent figures are null, and no figure is NaN.
type Decision struct {
	Verdict      Verdict  `json:"decision"`
	Halted       bool     `json:"halted,omitempty"`
	Pending      bool     `json:"pending,omitempty"` // PROMOTE that waits for approval
	Summary      string   `json:"summary"`           // one line
	Reasons      []Reason `json:"reasons"`
	Rules        []Rule   `json:"rules"`
	Step         uint64   `json:"step"`
	Split        string   `json:"split"` // gate, or dev where the gate pool was not opened
	N            int      `json:"n"`     // items on that split
	Clusters     int      `json:"clusters"`
	Challenger   Scores   `json:"challenger"`
	Incumbent    Scores   `json:"incumbent"`
	GainAbsolute float64  `json:"gain_absolute"` // points of score
	GainRelative *float64 `json:"gain_relative"` // nil where the incumbent scores 0 or less
	Look         *Look    `json:"look"`
	Alpha        *float64 `json:"alpha"`    // spent by this look
	Method       Method   `json:"method"`   // of the lower bound
	SE           *float64 `json:"se"`       // of the gain
	LCB          *float64 `json:"lcb"`      // lower confidence bound of the absolute gain
	Quantile     *float64 `json:"quantile"` // of the normal or t distribution at Alpha
	McNemar      *McNemar `json:"mcnemar"`
	Needed       *uint64  `json:"needed"` // items that would settle a HOLD, should the gain stay as it is
}

// Texts returns the sentences of the reasons.
func (d Decision) Texts() []string {
	out := make([]string, len(d.Reasons))
	for i, r := range d.Reasons {
		out[i] = r.Text
	}
	return out
}

// Has says whether a reason with this code is among the reasons.
func (d Decision) Has(c Code) bool {
	for _, r := range d.Reasons {
		if r.Code == c {
			return true
		}
	}
	return false
}

// Converged says whether the last patience verdicts hold no promotion. Verdicts run from the oldest to the newest; give
// it only those of cycles that could have promoted, at or after min_steps_before_replace, or a run with short windows
// would converge before it may promote at all. Patience 0 never converges.
func Converged(verdicts []Verdict, patience uint64) bool {
	if patience == 0 || uint64(len(verdicts)) < patience {
		return false
	}
	for _, v := range verdicts[uint64(len(verdicts))-patience:] {
		if v == Promote {
			return false
		}
	}
	return true
}
