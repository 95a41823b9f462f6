package config

var domainForm = &form{
	doc: "A field of knowledge: where its real data come from, how synthetic data are asked for, how answers are judged.",
	attrs: []attribute{
		{name: "description", kind: textValue, required: true, doc: "For readers."},
		{name: "language", kind: textValue, doc: `Language of the texts, as in "es"; filters go by it.`},
		{name: "keywords", kind: textsValue, doc: "Handed to the plugins. No stage that comes with the program reads them."},
		{name: "negative_keywords", kind: textsValue, doc: "Handed to the plugins. No stage that comes with the program reads them."},
		{name: "verifier", kind: refValue, refs: []string{"verifier"}, otherwise: "none", doc: "The judge of right and wrong."},
		{name: "mix_ratio", kind: sharesValue, required: true, doc: "Each bucket's share of the draws; they sum to 1."},
	},
	blocks: []nested{
		{typ: "anchor", form: anchorForm},
		{typ: "licenses", form: licensesForm},
		{typ: "evaluation", form: evaluationForm},
		{typ: "source", labels: []string{"type", "name"}, form: sourceForm},
		{typ: "template", labels: []string{"name"}, form: templateForm},
	},
}

var anchorForm = &form{
	doc: "Bounds of the real share of the draws.",
	attrs: []attribute{
		{name: "min", kind: numberValue, hi: 1, def: defaultAnchor().Min, doc: "A real share below is an error."},
		{name: "max", kind: numberValue, hi: 1, def: defaultAnchor().Max, doc: "A real share above is a warning."},
	},
}

var licensesForm = &form{
	doc:   "Which licences are good.",
	attrs: []attribute{{name: "deny", kind: textsValue, required: true, doc: "Licences that no source may have."}},
}

var sourceForm = &form{
	doc: "Where real records come from.",
	attrs: []attribute{
		forEach,
		{name: "bucket", kind: textValue, required: true, doc: "The bucket that its records count toward."},
		{name: "license", kind: textValue, doc: "Kept with each record."},
	},
	plugin: "collector",
}

var templateForm = &form{
	doc: "How synthetic records are asked for.",
	attrs: []attribute{
		{name: "bucket", kind: textValue, required: true, doc: "A bucket that no source fills."},
		{name: "prompt", kind: textValue, doc: "What the generator is asked, with placeholders. Without one it writes from the beginning-of-text token."},
		{name: "system_prompt", kind: textValue, doc: "May have placeholders too."},
		{name: "topics", kind: textsValue, doc: "Values of {topic}."},
		{name: "tasks", kind: textsValue, doc: "Values of {task}."},
		{name: "values", kind: listsValue, doc: "Each placeholder's values."},
		{name: "examples", kind: textsValue, doc: "Texts that stand before the prompt, each followed by an empty line."},
		{name: "weight", kind: numberValue, hi: 1, otherwise: "its bucket's share", doc: "Part of the samples; all templates have one, or none, and they sum to 1."},
		{name: "type", kind: textValue, doc: "For readers."},
	},
}

var evaluationForm = &form{
	doc: "What the domain is judged on.",
	attrs: []attribute{
		{name: "benchmarks", kind: textsValue, otherwise: "all", doc: "Keeps the items of these benchmarks, and items that name none."},
		{name: "custom_eval_file", kind: textValue, doc: "One file in place of dev and gate; it is dealt out 20 to 80."},
		{name: "min_accuracy", kind: numberValue, hi: 1, doc: "Accuracy that a promoted student must reach."},
		{name: "min_coherence", kind: numberValue, hi: 1, doc: "Coherence that a promoted student must reach."},
	},
	blocks: []nested{{typ: "split", labels: []string{"name"}, form: splitForm, only: splitNames()}},
}

var splitForm = &form{
	doc: "Files of one part of the benchmark: JSON lines, one question a line.",
	attrs: []attribute{
		{name: "file", kind: textValue, doc: "One file."},
		{name: "files", kind: textsValue, doc: "Several."},
	},
}
