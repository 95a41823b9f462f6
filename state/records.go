package state

import (
	"encoding/json"
	"time"
)

// Output is one named result of an action.
type Output struct {
	Digest    string `json:"digest"` // sha256:<hex>
	MediaType string `json:"media_type"`
}

// StageRecord is the last good result at an address: it explains what a plan would change, and nothing depends on it.
type StageRecord struct {
	Action string    `json:"action"` // action ID
	At     time.Time `json:"at"`
}

// ActionRecord is the memo of an action: what came out, and the inputs that explain it.
type ActionRecord struct {
	ID       string            `json:"id"`      // hash of Parts
	Lineage  string            `json:"lineage"` // hash of Parts without attributes that advance or are operational
	Address  string            `json:"address"`
	Kind     string            `json:"kind"`
	Parts    map[string]string `json:"parts"` // every part of ID by name: "config.learning_rate", "input.dataset", "seed"
	Outputs  map[string]Output `json:"outputs"`
	Result   json.RawMessage   `json:"result,omitempty"` // small figures: counts, metrics
	Run      string            `json:"run"`
	Began    time.Time         `json:"began"`
	Seconds  float64           `json:"seconds"`  // all tries together
	Retained bool              `json:"retained"` // false: retention removed the outputs; the action stays done
	Usage    *Usage            `json:"usage,omitempty"`
	Work     json.RawMessage   `json:"work,omitempty"` // what a cost model had said of it; see plan/forecast
}

// Usage is what an action or a run took, all tries together.
type Usage struct {
	Seconds          float64  `json:"seconds"`
	PromptTokens     uint64   `json:"prompt_tokens"`     // that models read; trained on, where a trainer did it
	CompletionTokens uint64   `json:"completion_tokens"` // that models wrote
	DiskBytes        uint64   `json:"disk_bytes"`        // that the store took in
	PeakMemoryBytes  *uint64  `json:"peak_memory_bytes"` // of the plugins' processes; null: not measured
	USD              *float64 `json:"usd"`               // null: tokens were used whose price is not known
}

// Partial is what an unfinished action leaves behind, under its lineage ID.
type Partial struct {
	Lineage    string          `json:"lineage"`
	Address    string          `json:"address"`
	Cursor     []byte          `json:"cursor,omitempty"`
	Shards     []string        `json:"shards,omitempty"`     // artifact digests, in order
	Checkpoint string          `json:"checkpoint,omitempty"` // artifact digest
	Done       uint64          `json:"done"`                 // records or steps in Shards or Checkpoint
	Unit       string          `json:"unit"`
	Detail     json.RawMessage `json:"detail,omitempty"`
	At         time.Time       `json:"at"`
	Usage      *Usage          `json:"usage,omitempty"` // so far
}

// Artifact is what the store knows of one digest.
type Artifact struct {
	Digest    string    `json:"digest"`
	Tree      bool      `json:"tree"`
	Size      int64     `json:"size"` // bytes, of all files
	MediaType string    `json:"media_type"`
	MadeBy    string    `json:"made_by"` // action ID
	Inputs    []string  `json:"inputs,omitempty"`
	At        time.Time `json:"at"`
}

// Pin is one reason to keep an artifact.
type Pin struct {
	Digest  string    `json:"digest"`
	Address string    `json:"address"` // what pins it: a cycle for each version of its generator, or a user's name
	Why     string    `json:"why"`
	At      time.Time `json:"at"`
}

// Generator is one entry of a cycle's append-only history. A version number is never used twice.
type Generator struct {
	Version    uint64    `json:"version"`
	Base       bool      `json:"base"`
	Digest     string    `json:"digest"` // of the model artifact, or of the descriptor of a remote model
	MediaType  string    `json:"media_type"`
	Stage      string    `json:"stage"`      // address of the generator block that runs it
	Checkpoint string    `json:"checkpoint"` // digest of the trainer's checkpoint behind it; "" for a remote base
	Epoch      uint64    `json:"epoch"`      // cycle that promoted it; 0: the base
	Step       uint64    `json:"step"`
	CreatedBy  string    `json:"created_by"` // action ID
	CreatedAt  time.Time `json:"created_at"`
	Score      *float64  `json:"score"` // composite when it was promoted, on the gate pool; the base's at its first evaluation

	// A withdrawn version was rolled back from: its samples left the pool.
	Withdrawn   bool   `json:"withdrawn,omitempty"`
	WithdrawnBy string `json:"withdrawn_by,omitempty"`
	Reason      string `json:"reason,omitempty"`

	// The artifact of a released version may be gone: retention let go of it. It cannot become current again.
	Released bool `json:"released,omitempty"`
}

// Because says who withdrew a version and why, as the rest of a sentence: " by ann@lab (it repeats itself)".
func (g *Generator) Because() string {
	text := " by " + g.WithdrawnBy
	if g.Reason != "" {
		text += " (" + g.Reason + ")"
	}
	return text
}

// Scores of one contestant on one split: means over its items. Null: could not be measured.
type Scores struct {
	Accuracy  *float64 `json:"accuracy"`
	Coherence *float64 `json:"coherence"`
	Domain    *float64 `json:"domain"`
	Score     *float64 `json:"score"`
}

// Decision is the outcome of one cycle: both score sets, rule by rule, and the verdict.
type Decision struct {
	Epoch            uint64            `json:"epoch"` // 1 for the first cycle
	Step             uint64            `json:"step"`
	IncumbentVersion uint64            `json:"incumbent_version"`
	Challenger       Scores            `json:"challenger"`
	Incumbent        Scores            `json:"incumbent"`
	Split            string            `json:"split"` // gate, or dev where the gate pool was not opened
	N                int               `json:"n"`
	Look             *uint64           `json:"look"`
	Alpha            *float64          `json:"alpha"`
	LCB              *float64          `json:"lcb"` // lower confidence bound of the absolute gain
	GainAbsolute     float64           `json:"gain_absolute"`
	GainRelative     *float64          `json:"gain_relative"` // null where the incumbent scores 0 or less
	Verdict          string            `json:"decision"`      // PROMOTE, HOLD, REJECT, CEILING
	Reasons          []string          `json:"reasons"`
	Halted           bool              `json:"halted,omitempty"`  // a guard at its halt value
	Early            bool              `json:"early,omitempty"`   // before min_steps_before_replace, or pinned: nothing could be promoted
	Pending          bool              `json:"pending,omitempty"` // PROMOTE that waits for approve or reject
	Resolution       *Resolution       `json:"resolution,omitempty"`
	Promoted         uint64            `json:"promoted,omitempty"` // generator version that came of it
	Evidence         json.RawMessage   `json:"evidence,omitempty"` // guard report, rules, McNemar counts
	Model            string            `json:"model"`              // digest of the candidate's export
	Checkpoint       string            `json:"checkpoint"`         // of the candidate
	StartCheckpoint  string            `json:"start_checkpoint"`   // what the window started from; rollback returns to it
	Inputs           map[string]string `json:"inputs,omitempty"`   // digests: dataset, pool, evaluations
	Run              string            `json:"run"`
	At               time.Time         `json:"at"`
}

// Verdicts of a Decision and a Look.
const (
	Promote = "PROMOTE"
	Hold    = "HOLD"
	Reject  = "REJECT"
	Ceiling = "CEILING"
)

// Resolution is how a person answered a pending promotion. A refused one keeps its verdict PROMOTE: the gate said so,
// and its look counts as that.
type Resolution struct {
	Approved bool      `json:"approved"`
	Who      string    `json:"who"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
}

// Look is one opening of the gate pool. It is durable before the pool is read.
type Look struct {
	K          uint64    `json:"k"`          // 1 for the first
	Evaluation string    `json:"evaluation"` // action ID; the same evaluation repeated is the same look
	Pool       string    `json:"pool"`       // digest of the benchmark
	Step       uint64    `json:"step"`
	Verdict    string    `json:"verdict,omitempty"` // once decided
	At         time.Time `json:"at"`
	Destroyed  bool      `json:"destroyed,omitempty"` // the history that it was a part of is gone
}

// Run is one apply.
type Run struct {
	ID      string    `json:"id"`
	Plan    string    `json:"plan"` // digest of the envelope
	Who     string    `json:"who"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`    // zero: it runs, or was killed
	Outcome string    `json:"outcome,omitempty"` // done, converged, ceiling, halted, pending, envelope, budget, interrupted, failed
	Error   string    `json:"error,omitempty"`

	Forecast json.RawMessage `json:"forecast,omitempty"` // of what was approved; see plan/forecast
	Actual   *Usage          `json:"actual,omitempty"`   // so far, while it runs and where it was killed
}

// Entry is one line of a run's journal. It is for people; correctness never reads it.
type Entry struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Event   string    `json:"event"` // started, checkpoint, finished, failed, interrupted; told, not told: of a notify block
	Address string    `json:"address"`
	Detail  string    `json:"detail,omitempty"`
}

// Event is a manual act: rollback, restart, pin, unpin, approve, reject, quarantine, adopt, import, resume, destroy.
type Event struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Act    string    `json:"act"`
	Cycle  string    `json:"cycle"`
	From   uint64    `json:"from,omitempty"` // generator versions
	To     uint64    `json:"to,omitempty"`
	Who    string    `json:"who"`
	Reason string    `json:"reason,omitempty"`

	Epoch       uint64 `json:"epoch"`                  // decisions recorded when it happened
	Checkpoint  string `json:"checkpoint,omitempty"`   // rollback: what the student goes back to; "" is a fresh start. import: what it starts from; "" is a generator's
	KeepStudent bool   `json:"keep_student,omitempty"` // rollback: the student stays as it is
}

// Seal is one version of a domain's sealed benchmark. New items make a new version; an old one stays on record.
type Seal struct {
	Domain  string           `json:"domain"`
	Version uint64           `json:"version"` // 1 for the first
	Digest  string           `json:"digest"`  // of the benchmark: every item of every split
	Keys    uint64           `json:"keys"`    // hashes in Index
	Index   string           `json:"index"`   // artifact: the hashes that the contamination check looks for
	Splits  map[string]Split `json:"splits"`  // validation, dev, gate, audit
	At      time.Time        `json:"at"`

	// The gate pool is spent once a person has looked at its items.
	Spent   bool      `json:"spent,omitempty"`
	SpentBy string    `json:"spent_by,omitempty"`
	SpentAt time.Time `json:"spent_at,omitzero"`
}

// Split is one part of a benchmark.
type Split struct {
	Digest string `json:"digest"` // of its items' canonical keys, sorted
	Items  uint64 `json:"items"`
}
