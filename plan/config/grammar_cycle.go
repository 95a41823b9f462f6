package config

// cycleNeeds are what a self_improvement block with a name must say.
var cycleNeeds = []string{"domain", "generator", "trainer", "exporter", "evaluator"}

var cycleForm = &form{
	doc: "One cycle. A block with a name says what it is made of; one without takes the only domain and the only stage of each kind.",
	attrs: []attribute{
		{name: "domain", kind: domainValue, otherwise: "the only one", doc: "The domain."},
		{name: "generator", kind: refValue, refs: []string{"generator"}, otherwise: "the only one", doc: "The base generator."},
		{name: "successor", kind: refValue, refs: []string{"generator"}, otherwise: "generator", doc: "The generator block that runs a promoted student, where the base's cannot."},
		{name: "filters", kind: refsValue, refs: []string{"filter"}, otherwise: "the only one, or none", doc: "Filters in order; a block with a name has none unless it says so."},
		{name: "trainer", kind: refValue, refs: []string{"trainer"}, otherwise: "the only one", doc: "The student's. A trainer belongs to one cycle."},
		{name: "exporter", kind: refValue, refs: []string{"exporter"}, otherwise: "the only one", doc: "The student's."},
		{name: "evaluator", kind: refValue, refs: []string{"evaluator"}, otherwise: "the only one", doc: "The student's."},
		{name: "cluster", kind: refValue, refs: []string{"cluster"}, otherwise: "this machine", doc: "The machines that it runs on."},
		{name: "eval_every_steps", kind: countValue, lo: 1, def: cycleDefaults.EvalEverySteps, doc: "Optimizer steps between two evaluations."},
		{name: "improvement_threshold", kind: numberValue, hi: 10, def: cycleDefaults.ImprovementThreshold, doc: "Gain that a promotion needs at best estimate."},
		{name: "threshold_kind", kind: choiceValue, words: []string{"relative", "absolute"}, def: cycleDefaults.ThresholdKind,
			doc: "relative: to the score of the generator in use; absolute: points."},
		{name: "min_steps_before_replace", kind: countValue, def: cycleDefaults.MinStepsBeforeReplace, doc: "No promotion, and no look, before."},
		{name: "benchmark_samples", kind: countValue, lo: 1, def: cycleDefaults.BenchmarkSamples, doc: "Most items of the gate pool."},
		{name: "guard_samples", kind: countValue, lo: 50, hi: 1000, def: cycleDefaults.GuardSamples, doc: "Half of the raw samples that each model writes for the collapse guard. With few its limits are wide."},
		{name: "keep_last_n_checkpoints", kind: countValue, lo: 1, def: cycleDefaults.KeepLastNCheckpoints,
			doc: "Windows whose checkpoints and exports stay; generators of the history stay anyway."},
		{name: "always_keep_base_generator", kind: flagValue, def: cycleDefaults.AlwaysKeepBaseGenerator, doc: "Never remove the base generator."},
		{name: "patience", kind: countValue, def: cycleDefaults.Patience, doc: "Cycles without a promotion that end the run as converged; 0: never."},
		{name: "max_cycles", kind: countValue, lo: 1, otherwise: "no bound", doc: "Most cycles."},
		{name: "promotion", kind: choiceValue, words: []string{"auto", "manual"}, def: cycleDefaults.Promotion, doc: "manual waits for jupiter approve or reject."},
		{name: "pin_generator", kind: countValue, lo: 1, doc: "Version of the generator that is in use whatever the scores say; nothing is promoted."},
		{name: "regenerate", kind: choiceValue, words: []string{"promotion", "cycle"}, def: cycleDefaults.Regenerate,
			doc: "promotion: new samples when the generator changes; cycle: each cycle."},
		{name: "pool", kind: choiceValue, words: []string{"accumulate", "replace"}, def: cycleDefaults.Pool,
			doc: "accumulate: earlier generations' samples stay; replace: only the newest."},
		{name: "pool_cap", kind: numberValue, above: true, def: cycleDefaults.PoolCap, doc: "Most synthetic records, as a multiple of the real ones."},
		{name: "max_repeats", kind: countValue, lo: 1, otherwise: "no bound", doc: "Most draws of one record in a window."},
		{name: "mix_ratio", kind: sharesValue, otherwise: "the domain's", doc: "Takes the domain's place; { real: 1 } is a control arm."},
		{name: "verify", kind: flagValue, def: cycleDefaults.Verify, doc: "Drop what the verifier rejects and what repeats; false is for ablations."},
		{name: "weights", kind: partsValue, words: []string{"accuracy", "coherence", "domain"}, hi: 1,
			def: map[string]any{"accuracy": cycleDefaults.Weights.Accuracy, "coherence": cycleDefaults.Weights.Coherence, "domain": cycleDefaults.Weights.Domain},
			doc: "Of the composite score; they sum to 1, and what is left out counts nothing."},
	},
	blocks: []nested{{typ: "gate", form: gateForm}, {typ: "guard", form: guardForm}, {typ: "budget", form: budgetForm}},
}

var gateForm = &form{
	doc: "How sure a promotion must be.",
	attrs: []attribute{
		{name: "alpha", kind: numberValue, lo: 1e-6, hi: 0.5, def: cycleDefaults.Alpha, doc: "Chance of any wrong promotion over all looks."},
		{name: "strict", kind: flagValue, def: false, doc: "The lower bound itself must reach the threshold."},
	},
}

var guardForm = &form{doc: "Other thresholds of the collapse guard, by measure.", attrs: guardAttributes()}

// guardAttributes are the guard's measures, under the names that its reports use.
func guardAttributes() (all []attribute) {
	for _, name := range []string{"nll", "entropy", "distinct4", "compression", "pass_rate", "duplicates", "family_share"} {
		all = append(all, attribute{name: name, kind: partsValue, words: []string{"warn", "halt"}, above: true, doc: "From where the guard warns, and from where it stops the run."})
	}
	return all
}

// cycleDefaults are what a cycle is where nothing is said.
var cycleDefaults = defaultCycle()
