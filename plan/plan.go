// Package plan compares what a configuration asks for with what the state has recorded, and says what is to be done,
// why, and within which bounds.
//
// The improvement loop has no engine of its own. One cycle is a graph of memoised actions: collect, seal the benchmark,
// generate, verify, filter, pool, mix, train a window, select a checkpoint, measure, evaluate, decide. Each action has an
// ID made of everything that its result depends on. A recorded result under that ID means that there is nothing to do. A
// promotion changes one input, the generator in use; so the next plan finds generation and all that hangs on it stale,
// and no code has to say so.
//
// Decided cycles are history: they are facts, and a later change of the configuration does not make them stale. A plan
// therefore expands the next cycle only. What lies beyond it is bounded by the envelope.
//
// The package starts no process and writes no file. What it must know of plugins and sources comes through Probe, what
// it must know of the past through Recorded.
package plan

import (
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
)

// Op is what is to be done at an address.
type Op string

// The operations.
const (
	NoOp    Op = "no-op"   // recorded, and nothing differs
	Create  Op = "create"  // nothing recorded at this address
	Advance Op = "advance" // more of the same: the next window, or what was interrupted
	Rerun   Op = "rerun"   // the recorded result is of something else, or gone
	Destroy Op = "destroy" // recorded, no longer configured
	Decide  Op = "decide"  // settled while the plan is applied
	Move    Op = "move"    // recorded under another address
)

// Symbol is the mark that a change has in a plan's text.
func (o Op) Symbol() string {
	switch o {
	case Create:
		return "+"
	case Advance:
		return "~"
	case Rerun:
		return "±"
	case Destroy:
		return "-"
	case Decide:
		return "?"
	case Move:
		return "→"
	}
	return " "
}

// Change is one line of a plan.
type Change struct {
	Address addr.Address `json:"address"`
	From    addr.Address `json:"from,omitempty"` // of a move: the address before
	Kind    Kind         `json:"kind"`
	Op      Op           `json:"op"`
	Title   string       `json:"title"`
	Unknown bool         `json:"may_run,omitempty"` // whether it runs depends on what comes out of another change
	Reasons []Reason     `json:"reasons"`
	Stands  string       `json:"-"` // of a no-op: ID of the recorded action whose result stands for running it

	Forecast *forecast.Usage `json:"forecast,omitempty"` // of what is to be done; absent: nothing is
}

// Terminal is why a cycle has nothing more to do.
type Terminal string

// The terminal states. The empty string: there is a next cycle.
const (
	Running   Terminal = ""
	Done      Terminal = "done"      // max_steps or max_cycles reached
	Converged Terminal = "converged" // patience cycles without a promotion
	Ceiling   Terminal = "ceiling"   // no score could reach the threshold
	Halted    Terminal = "halted"    // the guard
	Pending   Terminal = "pending"   // a promotion waits for approve or reject
)

// CyclePlan is the next turn of one self_improvement block.
type CyclePlan struct {
	Cycle     string   `json:"cycle"`
	Epoch     uint64   `json:"epoch"` // of the cycle that is planned; 1 for the first
	Terminal  Terminal `json:"terminal,omitempty"`
	Why       string   `json:"why,omitempty"` // of the terminal state
	Notes     []string `json:"notes,omitempty"`
	Generator uint64   `json:"generator"` // version in use; 0: none yet
	Step      uint64   `json:"step"`      // trained so far
	MaxSteps  uint64   `json:"max_steps"`
	Remaining uint64   `json:"remaining"`     // cycles that the steps allow, this one included
	Pin       uint64   `json:"pin,omitempty"` // version that is to be in use first, because the configuration pins it

	Actions []*Action `json:"-"` // in an order in which they can run
}

// Envelope is what an approval covers.
type Envelope struct {
	Config    string `json:"config"` // digest of the configuration
	Cycles    uint64 `json:"cycles"` // at most, over all self_improvement blocks
	Looks     uint64 `json:"looks"`  // openings of a gate pool
	Promotion string `json:"promotion"`

	Budgets []Budget `json:"budgets,omitempty"`
}

// Budget bounds what one cycle may use in an apply.
type Budget struct {
	Cycle string `json:"cycle"`
	config.Budget
}

// Summary counts a plan's changes.
type Summary struct {
	Create  int `json:"create"`
	Advance int `json:"advance"`
	Rerun   int `json:"rerun"`
	Destroy int `json:"destroy"`
	Decide  int `json:"decide"`
	Move    int `json:"move"`
	Repair  int `json:"repair"` // drift that an apply puts right without a change of its own
	NoOp    int `json:"no_op"`
}

// Plan is what would be done.
type Plan struct {
	Cycles   []*CyclePlan `json:"cycles"`
	Changes  []Change     `json:"changes"`
	Drift    []Drift      `json:"drift"` // what was changed outside of Jupiter
	Summary  Summary      `json:"summary"`
	Envelope Envelope     `json:"envelope"`
	Options  Options      `json:"options"`
	Moves    []Rename     `json:"moves,omitempty"` // of what is recorded, before anything else
	Notes    []string     `json:"notes,omitempty"`

	Forecast *forecast.Plan `json:"forecast,omitempty"` // absent: nothing is to be done
}

func (p *Plan) change(ch Change) {
	p.Changes = append(p.Changes, ch)
	p.Summary.count(ch.Op)
}

// Empty says whether there is nothing to do for an apply.
func (p *Plan) Empty() bool { return p.Settled() && p.Summary.Repair == 0 }

// Settled says whether no action is to run.
func (p *Plan) Settled() bool {
	return p.Summary.Create+p.Summary.Advance+p.Summary.Rerun+p.Summary.Destroy+p.Summary.Decide+p.Summary.Move == 0
}

// Halted says whether a cycle was stopped by the guard and not yet released.
func (p *Plan) Halted() bool {
	for _, c := range p.Cycles {
		if c.Terminal == Halted {
			return true
		}
	}
	return false
}

func (s *Summary) count(op Op) {
	switch op {
	case Create:
		s.Create++
	case Advance:
		s.Advance++
	case Rerun:
		s.Rerun++
	case Destroy:
		s.Destroy++
	case Decide:
		s.Decide++
	case Move:
		s.Move++
	default:
		s.NoOp++
	}
}
