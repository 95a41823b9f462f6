package config

import (
	"slices"

	"jupiter/plan/lang"
)

// stageForm is what the core reads of a stage's block; the rest is the plugin's.
func stageForm(kind string) *form {
	switch kind {
	case "generator":
		return generatorForm
	case "trainer":
		return trainerForm
	}
	return plainStages[kind]
}

// plainStages are the kinds of which the core reads nothing of its own.
var plainStages = map[string]*form{
	"filter":    stage("filter", "Keeps or drops records, after the verifier."),
	"verifier":  stage("verifier", "Judges what is right and wrong."),
	"evaluator": stage("evaluator", "Scores a model's answers."),
	"exporter":  stage("exporter", "Writes a checkpoint as what a generator runs."),
}

var generatorForm = stage("generator", "Writes samples, and answers the questions of the benchmark.",
	attribute{name: "model", kind: modelValue, refs: []string{"trainer"}, otherwise: "the plugin's own", doc: "The base generator is what this trainer makes, or the model at a path."},
	attribute{name: "samples", kind: countValue, lo: 1, doc: "Raw samples of a regeneration."},
	seedAttribute,
	nested{typ: "prices", form: pricesForm},
)

var trainerForm = stage("trainer", "Trains the student, or a base generator.",
	attribute{name: "dataset", kind: refValue, refs: []string{"data"}, doc: "domain.NAME.real, for a trainer that stands alone and makes a base generator."},
	attribute{name: "start", kind: modelValue, refs: []string{"trainer"}, doc: "The trainer whose checkpoint it starts from, or the path of a model."},
	attribute{name: "max_steps", kind: countValue, lo: 1, required: true, doc: "Optimizer steps of the whole run."},
	attribute{name: "schedule_steps", kind: countValue, lo: 1, otherwise: "the window", doc: "Steps of a window: eval_every_steps in a cycle, max_steps of a trainer that stands alone."},
	attribute{name: "save_every_steps", kind: countValue, lo: 1, doc: "Steps between two checkpoints; it divides the window. Without it there is one, at the end."},
	seedAttribute,
	nested{typ: "select", form: selectForm},
)

var seedAttribute = attribute{name: "seed", kind: countValue, def: uint64(0), doc: "What all that is random follows from."}

// stage makes the form of a kind: what all stages have, and what is its own.
func stage(kind, doc string, own ...any) *form {
	g := &form{doc: doc, plugin: kind, attrs: slices.Clone(stageAttributes), blocks: slices.Clone(stageBlocks)}
	for _, o := range own {
		switch o := o.(type) {
		case attribute:
			g.attrs = append(g.attrs, o)
		case nested:
			g.blocks = append(g.blocks, o)
		}
	}
	return g
}

var stageAttributes = []attribute{
	forEach,
	{name: "depends_on", kind: refsValue, refs: lang.StageKinds, doc: "Stages that run before."},
	{name: "node", kind: textValue, doc: "The node of the cluster that it runs on."},
}

var stageBlocks = []nested{{typ: "lifecycle", form: lifecycleForm}, {typ: "timeouts", form: timeoutsForm}, {typ: "limits", form: limitsForm}, {typ: "budget", form: budgetForm}}

var selectForm = &form{
	doc: "Exports each saved checkpoint of a window, scores it, and takes the best; without it the last is taken.",
	attrs: []attribute{
		{name: "split", kind: textValue, required: true, doc: "What it is scored on: validation."},
		{name: "every", kind: countValue, lo: 1, otherwise: "each saved one", doc: "Steps between two candidates."},
	},
}

var lifecycleForm = &form{
	doc: "Guards what the stage has made.",
	attrs: []attribute{
		{name: "prevent_destroy", kind: flagValue, def: false, doc: "Refuse a plan that would forget its results or make them anew."},
		{name: "ignore_changes", kind: namesValue, doc: "Attributes that keep their recorded values."},
	},
}

var limitsForm = &form{
	doc: "Bounds of the stage's process and what it starts.",
	attrs: []attribute{
		{name: "memory_gb", kind: numberValue, above: true, doc: "Memory that is resident, in GB. A process with more is ended."},
		{name: "processes", kind: countValue, lo: 1, doc: "Processes and threads, 4096 where nothing is said. A process with more is ended."},
	},
}
var timeoutsForm = &form{
	doc: "Bounds of one run of the stage.",
	attrs: []attribute{
		{name: "run", kind: spanValue, doc: "Of one action."},
		{name: "stop", kind: spanValue, doc: "From asking it to save until it is ended."},
		{name: "stall", kind: spanValue, doc: "Without a message while one is due, until its process is ended."},
	},
}

var budgetForm = &form{
	doc: "Bounds of what may be spent: by an action of the stage, or by an apply of the cycle.",
	attrs: []attribute{
		{name: "tokens", kind: countValue, lo: 1, doc: "Tokens."},
		{name: "hours", kind: numberValue, above: true, doc: "Hours."},
		{name: "usd", kind: numberValue, above: true, doc: "Money, in US dollars."},
		{name: "disk_gb", kind: numberValue, above: true, doc: "Disk, in GB."},
	},
}

var pricesForm = &form{
	doc: "What the generator's tokens cost.",
	attrs: []attribute{
		{name: "version", kind: textValue, required: true, doc: "Of the price list: a date, or the provider's own."},
		{name: "usd_per_million_input", kind: numberValue, lo: 0, hi: 1e6, required: true, doc: "US dollars for a million tokens read."},
		{name: "usd_per_million_output", kind: numberValue, lo: 0, hi: 1e6, required: true, doc: "US dollars for a million tokens written."},
	},
}
