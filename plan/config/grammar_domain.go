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
	blocks: []nested{
		{typ: "split", labels: []string{"name"}, form: splitForm, only: splitNames()},
		{typ: "build", form: buildForm},
	},
}

var buildForm = &form{
	doc: "How jupiter benchmark build makes the splits validation, dev and gate from documents.",
	attrs: []attribute{
		{name: "documents", kind: textsValue, required: true, doc: "Text and Markdown, as paths or globs (with **)."},
		{name: "directory", kind: textValue, otherwise: "benchmark, beside the domain's file", doc: "Where the benchmark lies, and what it is made of."},
		{name: "teacher", kind: refValue, refs: []string{"generator"}, otherwise: "none", doc: "The generator that writes questions and answers them."},
		{name: "items", kind: countValue, lo: 1, def: defaultBuild().Items, doc: "How many to aim for, in all splits together."},
		{name: "kinds", kind: textsValue, def: buildKinds(), doc: "question: written by the teacher; cloze: a sentence with a term left out. In equal parts, as far as the documents go."},
		{name: "held_out", kind: numberValue, hi: 0.9, def: defaultBuild().HeldOut, doc: "Share of the documents whose items are for validation, and which are not to be trained on. With 0 there is no validation split."},
		{name: "dev", kind: numberValue, lo: 0.01, hi: 0.9, def: defaultBuild().Dev, doc: "Share of the other items that is for dev; the rest is the gate pool."},
		{name: "seed", kind: countValue, def: uint64(0), doc: "What all that is random follows from."},
		{name: "second_pass", kind: flagValue, def: defaultBuild().SecondPass, doc: "The teacher, with the passage in view, must come to the same answer."},
		{name: "review", kind: choiceValue, words: reviews(), def: "optional", doc: "required takes only items that somebody has accepted."},
	},
}

var splitForm = &form{
	doc: "Files of one part of the benchmark: JSON lines, one question a line.",
	attrs: []attribute{
		{name: "file", kind: textValue, doc: "One file."},
		{name: "files", kind: textsValue, doc: "Several."},
	},
}
