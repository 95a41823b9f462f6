package config

import "jupiter/plan/lang"

// fileForm is the grammar of a file.
func fileForm() *form {
	g := &form{doc: "A file of a Jupiter configuration, in YAML.", blocks: []nested{
		{typ: "jupiter", form: settingsForm},
		{typ: "locals", form: localsForm, many: true},
		{typ: "moved", form: movedForm, many: true},
		{typ: "variable", labels: []string{"name"}, form: variableForm},
		{typ: "module", labels: []string{"name"}, form: moduleForm},
		{typ: "domain", labels: []string{"name"}, form: domainForm},
		{typ: "cluster", labels: []string{"name"}, form: clusterForm},
		{typ: "self_improvement", labels: []string{"name"}, form: cycleForm, bare: true, need: cycleNeeds},
		{typ: "output", labels: []string{"name"}, form: outputForm},
		{typ: "notify", labels: []string{"name"}, form: notifyForm},
	}}
	for _, kind := range lang.StageKinds {
		g.blocks = append(g.blocks, nested{typ: kind, labels: []string{"type", "name"}, form: stageForm(kind)})
	}
	return g
}

var forEach = attribute{name: "for_each", doc: "A map, or a set of texts: one instance a key, which sees each.key and each.value."}

var settingsForm = &form{
	doc: "Settings of the program, once; in a called module only the plugins that it requires.",
	attrs: []attribute{
		{name: "required_version", kind: textValue, doc: `Versions of the program that will do: ">= 0.1.0, < 2", "~> 0.1".`},
		{name: "state_dir", kind: textValue, def: ".jupiter", doc: "Where the state lies; not the plan's own directory."},
		{name: "offline", kind: flagValue, def: false, doc: "Refuse every stage that uses the network."},
	},
	blocks: []nested{{typ: "required_plugins", form: pluginsForm}},
}

var pluginsForm = &form{
	doc:   "Plugins that are needed besides the built-in ones; jupiter init fetches them.",
	names: &attribute{kind: pluginValue, doc: "Where the plugin of this name comes from, and which versions will do."},
}

var localsForm = &form{
	doc:   "Names for values.",
	names: &attribute{doc: "A value that the module refers to as local.NAME."},
}

var movedForm = &form{
	doc: "What was recorded at one address belongs to another now.",
	attrs: []attribute{
		{name: "from", kind: stageValue, required: true, doc: "The address that is no longer declared."},
		{name: "to", kind: stageValue, required: true, doc: "The address that it has now."},
	},
}

var variableForm = &form{
	doc: "A value that the module is given.",
	attrs: []attribute{
		{name: "type", kind: typeValue, otherwise: "any", doc: "number, string, bool, list(string), map(number), object({ a = number, b = optional(string) }) …"},
		{name: "default", doc: "A constant; without it a value must be given."},
		{name: "description", kind: textValue, doc: "For readers."},
		{name: "sensitive", kind: flagValue, def: false, doc: "Its value is shown nowhere, and can go only into what a plugin calls sensitive."},
		{name: "nullable", kind: flagValue, def: true, doc: "Whether null is a value."},
	},
	blocks: []nested{{typ: "validation", form: validationForm, many: true}},
}

var validationForm = &form{
	doc: "What a value of the variable must meet.",
	attrs: []attribute{
		{name: "condition", required: true, doc: "True for a good value: ${var.steps > 0}."},
		{name: "error_message", kind: textValue, required: true, doc: "What is said about another one."},
	},
}

var moduleForm = &form{
	doc: "Another directory, evaluated with values for its variables.",
	attrs: []attribute{
		{name: "source", kind: textValue, required: true, doc: "The directory: a plain text that starts with ./ or ../."},
		forEach,
	},
	names: &attribute{doc: "A value for the module's variable of this name."},
}

var outputForm = &form{
	doc: "What a module publishes.",
	attrs: []attribute{
		{name: "value", required: true, doc: "Any value; in the root module also a figure of the state: ${self_improvement.NAME.current}."},
		{name: "description", kind: textValue, doc: "For readers."},
		{name: "sensitive", kind: flagValue, def: false, doc: "It is shown only where it is asked for by name."},
	},
}

var clusterForm = &form{
	doc: "A set of machines. This version serves one node on localhost only.",
	attrs: []attribute{
		{name: "driver", kind: textValue, doc: "What starts work on the machines."},
		{name: "backend", kind: textValue, doc: "What the machines exchange gradients with."},
		{name: "sync_every_n_steps", kind: countValue, lo: 1, def: defaultSync, doc: "Optimizer steps between two exchanges."},
		{name: "gradient_compression", kind: flagValue, def: false, doc: "Exchange gradients in fewer bits."},
		{name: "checkpoint_on_failure", kind: flagValue, def: false, doc: "Save when a machine fails."},
		{name: "auto_restart_failed_nodes", kind: flagValue, def: false, doc: "Start a machine that failed again."},
	},
	blocks: []nested{{typ: "node", labels: []string{"name"}, form: nodeForm}},
}

var nodeForm = &form{
	doc: "One machine of a cluster.",
	attrs: []attribute{
		forEach,
		{name: "host", kind: textValue, required: true, doc: "Its name or address."},
		{name: "role", kind: choiceValue, required: true, words: []string{"generator", "trainer", "hybrid", "evaluator"}, doc: "What runs there; hybrid is generator and trainer."},
		{name: "device_type", kind: textValue, doc: "Kind of its accelerator."},
		{name: "chip", kind: textValue, doc: "Name of its processor."},
		{name: "memory_gb", kind: numberValue, above: true, doc: "Memory in GB."},
		{name: "endpoint", kind: textValue, doc: "Where it serves a model, with the version of the interface: \"http://mini:11434/v1\". A generator that names the node asks there."},
		{name: "connection_type", kind: textValue, doc: "How it is connected."},
		{name: "ssh_user", kind: textValue, doc: "User to sign in as."},
		{name: "ssh_port", kind: countValue, lo: 1, def: defaultSSHPort, doc: "Port to sign in at."},
		{name: "can_generate", kind: flagValue, otherwise: "by its role", doc: "Whether generators may run there."},
		{name: "can_train", kind: flagValue, otherwise: "by its role", doc: "Whether trainers may run there."},
	},
}
