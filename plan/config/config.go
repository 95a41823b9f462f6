package config

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/plugins/schema"
)

// Config is a module and all that it calls, with every expression evaluated. It is what a plan is made from; HCL and
// YAML that say the same give equal Configs, but for source ranges.
type Config struct {
	Dir      string // absolute directory of the root module
	StateDir string // absolute; <Dir>/.jupiter unless the jupiter block says otherwise
	Offline  bool

	// Called modules come before the module that calls them. Within a module, stages are sorted by kind, in the order
	// of the pipeline, and by type, and all else is in the order of declaration; so the two spellings agree.
	Domains  []*Domain
	Stages   []*Stage
	Clusters []*Cluster
	Cycles   []*Cycle
	Outputs  []*Output // of the root module
	Moved    []*Moved
	Plugins  []*RequiredPlugin
	Notify   []*Notify // of the root module

	Unbuilt bool // see Options
}

// RequiredPlugin is a plugin that the configuration needs besides the built-in ones.
type RequiredPlugin struct {
	Name     string
	Source   string     // as it is written; relative paths are relative to Config.Dir, whichever module says it
	Versions []Versions // of all modules that require it; a version must meet them all
	Range    hcl.Range  // of the entry that says the source
}

// Versions is a constraint on a plugin's versions, as one module says it: ">= 1.0, < 2".
type Versions struct {
	Constraint string
	Range      hcl.Range
}

// Constraint is that of all modules together; "": any version will do.
func (p *RequiredPlugin) Constraint() string {
	var all []string
	for _, v := range p.Versions {
		if !contains(all, v.Constraint) {
			all = append(all, v.Constraint)
		}
	}
	return strings.Join(all, ", ")
}

// Attr is where an attribute was written. Reasons and diagnostics point to it.
type Attr struct {
	Range hcl.Range
}

// Domain is a field of knowledge: where its real data come from, how synthetic data are asked for, how answers are
// judged.
type Domain struct {
	Addr             addr.Address
	Description      string
	Language         string
	Keywords         []string
	NegativeKeywords []string
	Verifier         *Stage // nil: the domain has none

	MixRatio map[string]float64 // bucket → share of the draws; sums to 1
	Anchor   Anchor
	Deny     []string // licenses refused

	Sources    []*Source
	Templates  []*Template
	Evaluation Evaluation

	Range hcl.Range
	Attrs map[string]Attr
}

// Name is the domain's label.
func (d *Domain) Name() string {
	s := string(d.Addr)
	return s[strings.LastIndexByte(s, '.')+1:]
}

// Anchor bounds the real share of the draws.
type Anchor struct{ Min, Max float64 }

// Source is a place that real records come from.
type Source struct {
	Addr    addr.Address
	Type    string // the collector: files, docs, git, web, dataset
	Name    string
	Bucket  string
	License string
	Body    Body
	Range   hcl.Range
	Attrs   map[string]Attr
}

// Template is a family of prompts that synthetic records are asked for with. No Prompt: the generator writes from the
// beginning-of-text token.
type Template struct {
	Addr         addr.Address
	Name         string
	Type         string
	Bucket       string
	Weight       float64 // part of the samples; the domain's templates sum to 1
	Prompt       string
	SystemPrompt string
	Values       map[string][]string // placeholder → values; topics and tasks fill {topic} and {task}
	Examples     []string
	Range        hcl.Range
	Attrs        map[string]Attr
}

// Evaluation is what a domain is judged on.
type Evaluation struct {
	Benchmarks     []string
	CustomEvalFile string              // absolute; "" when there is none
	Splits         map[string][]string // validation, dev, gate, audit → absolute paths
	Written        map[string][]string // the same paths as they were written, relative to Config.Dir; "custom": CustomEvalFile
	MinAccuracy    *float64
	MinCoherence   *float64
	Build          *Build // nil: the files are the user's own
	Range          hcl.Range
	Attrs          map[string]Attr
}

// Build says how a benchmark is made from documents. Its files are splits of the Evaluation.
type Build struct {
	Documents  []string // globs, absolute
	Written    []string // the same as they were written
	Directory  string   // absolute; validation.jsonl, dev.jsonl, gate.jsonl, and what they are made of
	Teacher    *Stage   // generator; nil: none is needed
	Items      uint64   // to aim for
	Kinds      []string // question, cloze
	HeldOut    float64  // share of the documents whose items are for validation
	Dev        float64  // share of the other items
	Seed       uint64
	SecondPass bool // the teacher must come to the same answer
	Reviewed   bool // only items that a person has accepted
	Range      hcl.Range
	Attrs      map[string]Attr
}

// Body is what a block says to its plugin, decoded with the plugin's schema.
type Body struct {
	Schema *schema.Stage
	Value  cty.Value               // an object that conforms to Schema, defaults filled in
	Refs   map[string]addr.Address // attributes that refer to a stage or to a side of a domain's data ("….real"); null in Value
	Attrs  map[string]Attr
	Source hcl.Body // as it was written, for the range behind a plugin's attribute path
}

// Stage is one configured stage: its kind, the plugin's type, and what it is told.
type Stage struct {
	Addr addr.Address
	Kind string // generator, filter, verifier, trainer, evaluator, exporter
	Type string // which implementation: llama, quality, panel
	Name string

	// The core's own attributes. Zero values where the kind does not have them.
	Model          addr.Address // generator: the trainer whose result it runs; "" when the plugin names its own
	Import         *Import      // generator, trainer: the model from elsewhere that it runs or starts from; nil: none
	Samples        uint64       // generator: raw samples a regeneration
	Seed           uint64       // generator, trainer
	Dataset        DatasetRef   // trainer: what a stand-alone trainer learns from
	Start          *Stage       // trainer: the one whose checkpoint it starts from; nil: it starts from nothing
	MaxSteps       uint64       // trainer: optimizer steps over the whole run
	ScheduleSteps  uint64       // trainer: window of a stand-alone trainer; 0: MaxSteps. In a cycle, eval_every_steps
	SaveEverySteps uint64       // trainer; 0: a checkpoint at the end of each window only
	Select         *Select      // trainer: nil takes the last checkpoint

	// Operational.
	DependsOn []addr.Address
	Node      string // of the cluster; "": placed by the core
	Lifecycle Lifecycle
	Timeouts  Timeouts
	Limits    Limits
	Budget    Budget
	Prices    *Prices // generator: nil where what its tokens cost is not known

	Body  Body
	Range hcl.Range
	Attrs map[string]Attr // the core's own attributes
}

// Prices is what a generator's tokens cost. They change no result, only what a run is said to cost.
type Prices struct {
	Version string  // which price list: "2026-10"
	Input   float64 // US dollars a million tokens that it reads
	Output  float64 // and that it writes
}

// Of is what so many tokens cost, in US dollars.
func (p Prices) Of(input, output float64) float64 { return (input*p.Input + output*p.Output) / 1e6 }

// Lifecycle guards what a stage has made.
type Lifecycle struct {
	PreventDestroy bool     // a plan that would destroy the stage's results is refused
	IgnoreChanges  []string // attributes that keep their recorded values
}

// Timeouts bound one run of a stage. Zero: no bound of its own.
type Timeouts struct {
	Run  time.Duration // of one action
	Stop time.Duration // from asking it to save until it is ended

	Stall time.Duration // without a message that is due
}

// Limits bound the process of a stage, with what it starts.
type Limits struct {
	MemoryGB  float64 // resident, in 10⁹ bytes; 0: no bound
	Processes uint64  // processes and threads; 0: as many as any stage may have
}

// DatasetRef names one side of a domain's data: module.x.domain.real.
type DatasetRef struct {
	Domain addr.Address // "" when absent
	Side   string       // "real", "synthetic", "mix"
}

// Select picks the best saved checkpoint of a window by its composite score on a split.
type Select struct {
	Split string // "validation"
	Every uint64 // steps between candidates; 0: every saved checkpoint
}

// RunsModels are the generator blocks that models are handed to, made or imported here: those that run students, and those whose
// model is named.
func (c *Config) RunsModels() map[*Stage]bool {
	runs := map[*Stage]bool{}
	for _, k := range c.Cycles {
		runs[k.Successor] = true
	}
	for _, s := range c.Stages {
		runs[s] = runs[s] || s.Kind == "generator" && (s.Model != "" || s.Import != nil)
	}
	return runs
}

// Cycle is one self_improvement block with its defaults filled in.
type Cycle struct {
	Addr addr.Address
	Name string

	Domain    *Domain
	Generator *Stage
	Successor *Stage // runs the promoted student; Generator unless said otherwise
	Base      *Stage // the trainer that Generator.Model names; nil where the plugin brings its own model
	Filters   []*Stage
	Trainer   *Stage
	Exporter  *Stage
	Evaluator *Stage
	Cluster   *Cluster // nil: one implicit local node

	EvalEverySteps          uint64
	ImprovementThreshold    float64
	ThresholdKind           string // relative, absolute
	MinStepsBeforeReplace   uint64
	BenchmarkSamples        uint64
	GuardSamples            uint64
	KeepLastNCheckpoints    uint64
	AlwaysKeepBaseGenerator bool
	Patience                uint64             // cycles without a promotion that end the run as converged
	MaxCycles               uint64             // 0: no bound but max_steps
	Promotion               string             // auto, manual
	PinGenerator            uint64             // 0: none
	Regenerate              string             // promotion, cycle
	Pool                    string             // accumulate, replace
	PoolCap                 float64            // × real records
	MaxRepeats              uint64             // of one record in a window; 0: no bound
	MixRatio                map[string]float64 // nil: the domain's
	Verify                  bool
	Weights                 Weights
	Alpha                   float64 // of all looks together
	Strict                  bool
	Guard                   map[string]Limit // overrides of the guard's thresholds, by measure
	Budget                  Budget

	Range hcl.Range
	Attrs map[string]Attr
}

// Weights are the parts of the composite score. They sum to 1.
type Weights struct{ Accuracy, Coherence, Domain float64 }

// Limit is one measure's thresholds in the guard; NaN keeps the default.
type Limit struct{ Warn, Halt float64 }

// Budget bounds a run. Zero: no bound.
type Budget struct {
	Tokens uint64  `json:"tokens,omitempty"` // that models read and write, in training too
	Hours  float64 `json:"hours,omitempty"`
	USD    float64 `json:"usd,omitempty"`
	DiskGB float64 `json:"disk_gb,omitempty"` // 10⁹ bytes that the store takes in
}

// IsZero says whether nothing is bounded.
func (b Budget) IsZero() bool { return b == Budget{} }

// Cluster is a set of machines.
type Cluster struct {
	Addr                   addr.Address
	Name                   string
	Driver                 string
	Backend                string
	SyncEveryNSteps        uint64
	GradientCompression    bool
	CheckpointOnFailure    bool
	AutoRestartFailedNodes bool
	Nodes                  []*Node
	Range                  hcl.Range
	Attrs                  map[string]Attr
}

// Node is one machine of a cluster.
type Node struct {
	Addr           addr.Address
	Name           string
	Host           string
	Role           string // generator, trainer, hybrid, evaluator
	DeviceType     string
	Chip           string
	ConnectionType string
	MemoryGB       float64
	Endpoint       string // where it serves a model; "": it serves none
	SSHUser        string
	SSHPort        uint64
	CanGenerate    bool
	CanTrain       bool
	Range          hcl.Range
}

// Moved says that what was recorded at one address belongs to another now.
type Moved struct {
	From, To addr.Address
	Range    hcl.Range
}

// Output is a value that the root module publishes. Value is unknown where Ref is set; references to stages and data
// are spelled as addresses.
type Output struct {
	Name        string
	Description string
	Sensitive   bool
	Value       cty.Value
	Ref         string // "self_improvement.ue5.current" where the value is the state's
	Range       hcl.Range
}
