package main

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/builtin/llama/bpe"
)

// effectCase changes one attribute. given is what both sides of the comparison have beside the quickstart's text; with is
// what must change along, because the new value alone would not be valid.
type effectCase struct {
	value   string // "": the attribute is taken out
	given   []string
	with    []string
	place   string // where the attribute is, if it is not in the section's block
	refused bool   // there is no other valid value, and this one is refused
}

// effectSection is a section of docs/effects.md: a block of the quickstart.
type effectSection struct {
	heading string
	form    string // definition in the JSON Schema that has its attributes
	place   string // see effectLab.edited
	base    bool   // looked at before the base generator is in use, whose trainer it is
	cases   map[string]effectCase
}

// v is a change to a value that is valid as it is.
func v(value string, given ...string) effectCase { return effectCase{value: value, given: given} }

// no is a value that is refused, where no other one than the quickstart's is valid.
func no(value string) effectCase { return effectCase{value: value, refused: true} }

const (
	effectCluster   = "+ cluster \"here\" {\n node \"n\" {\n host = \"localhost\"\n role = \"hybrid\"\n }\n }"
	effectPlaced    = "self_improvement.quantities cluster = cluster.here"
	effectOther     = "+ generator \"llama\" \"other\" {\n model = trainer.llama.base\n samples = 32768\n max_tokens = 96\n seed = var.seed\n temperature = 0.5\n }"
	effectUntrained = "locals recipe = { batch_size = 32 }" // nothing about a tokenizer that is trained
	effectEarlier   = "+ trainer \"llama\" \"earlier\" {\n dataset = module.quantities.domain.real\n layers = 3\n dim = 64\n heads = 4\n max_steps = 100\n }"
)

// effectCommon are the cases of the attributes that every stage has. ignored is an attribute for ignore_changes.
func effectCommon(dependsOn effectCase, ignored string, own map[string]effectCase) map[string]effectCase {
	all := map[string]effectCase{
		"depends_on": dependsOn,
		"node":       v(`"n"`, effectCluster, effectPlaced),

		"lifecycle.prevent_destroy": v("true"), "lifecycle.ignore_changes": v(`[` + ignored + `]`),
		"timeouts.run": v(`"9h"`), "timeouts.stop": v(`"90s"`), "timeouts.stall": v(`"9m"`), "limits.memory_gb": v("9"), "limits.processes": v("9000"),
		"budget.tokens": v("9"), "budget.hours": v("9"), "budget.disk_gb": v("9"),
		"budget.usd": {value: "9", given: []string{"generator.llama.base/prices version = \"a\"", "generator.llama.base/prices usd_per_million_input = 1", "generator.llama.base/prices usd_per_million_output = 1"}},
	}
	for name, c := range own {
		all[name] = c
	}
	return all
}

// effectTokenizer is a tokenizer of the bytes and nothing else, as a plan file can have it.
func effectTokenizer() string {
	t, err := bpe.Fixed(nil)
	if err != nil {
		panic(err)
	}
	return string(hclwrite.TokensForValue(cty.StringVal(string(t.JSON()))).Bytes())
}

// effectTrainer are the cases of a trainer "llama".
func effectTrainer(own map[string]effectCase) map[string]effectCase {
	all := map[string]effectCase{
		"seed": v("7"), "save_every_steps": v("400"), "select.every": v("400"), "select.split": no(`"dev"`),
		"layers": v("4"), "dim": v("128"), "heads": v("2"), "kv_heads": v("2"), "ffn": v("160"), "dropout": v("0.2"),
		"preset": v(`"1m"`), "vocab_size": v("400"), "spaces_apart": v("false"),
		"vocabulary": v(`["ft"]`, effectUntrained), "tokenizer": v(effectTokenizer(), effectUntrained), "max_seq_length": v("128"),
		"batch_size": v("16"), "gradient_accumulation_steps": v("2"), "learning_rate": v("0.01"), "warmup_steps": v("40"), "min_lr_ratio": v("0.1"),
		"weight_decay": v("0.2"), "betas": v("[0.9, 0.99]"), "clip": v("2"), "prompt_loss_weight": v("0.5"), "prompts": v(`"chat"`), "recipe": v("merge(local.recipe, { clip = 3 })"),
		"threads": v("2"), "budget.usd": no("9"),
	}
	for name, c := range own {
		all[name] = c
	}
	return effectCommon(effectCase{}, "clip", all)
}

// effectSections are the blocks of the quickstart, in the order of docs/effects.md.
func effectSections() []effectSection {
	refs := func(old, kind string) effectCase { // for_each gives a stage another address, which its cycle names
		value := old + `["a"]`
		if kind == "filters" {
			value = "[" + value + "]"
		}
		return effectCase{value: `toset(["a"])`, with: []string{"self_improvement.quantities " + kind + " = " + value}}
	}
	other := func(kind, typ, body string) []string {
		return []string{"+ " + kind + " \"" + typ + "\" \"other\" {\n" + body + "\n}"}
	}
	student := func(name, value string) string { return "trainer.llama.student " + name + " = " + value }
	return []effectSection{
		{"`jupiter`", "jupiter", "jupiter", false, map[string]effectCase{
			"required_version": v(`">= 0.0.1"`), "state_dir": v(`"elsewhere"`), "offline": v("true")}},
		{"`variable`", "variable", "variable.seed", false, map[string]effectCase{
			"default": v("2"), "type": v("any"), "description": v(`"x"`), "nullable": v("false"),
			"sensitive":                {value: "true", place: "variable.unused", given: []string{"+ variable \"unused\" {\n default = 1\n }"}},
			"validation.condition":     {value: "var.seed > 0", given: []string{"variable.seed/validation condition = var.seed > -1", `variable.seed/validation error_message = "No."`}},
			"validation.error_message": {value: `"None."`, given: []string{"variable.seed/validation condition = var.seed > -1", `variable.seed/validation error_message = "No."`}}}},
		{"`locals`", "locals", "locals", false, map[string]effectCase{
			"window": v("800"), "recipe": v("{ batch_size = 16, spaces_apart = true }")}},
		{"`module`", "module", "module.quantities", false, map[string]effectCase{
			"source": v(`"../../domains/../domains/quantities"`), "real_share": v("0.36"), "anchor_min": v("0.31"),
			"for_each": {value: `toset(["a"])`, with: []string{`trainer.llama.base dataset = module.quantities["a"].domain.real`, `self_improvement.quantities domain = module.quantities["a"].domain`}}}},
		{"`output`", "output", "output.o", false, map[string]effectCase{
			"value": v("2", "+ output \"o\" {\n value = 1\n}"), "description": v(`"x"`, "+ output \"o\" {\n value = 1\n}"), "sensitive": v("true", "+ output \"o\" {\n value = 1\n}")}},
		{"`notify`", "notify", "notify.n", false, effectGiven([]string{"+ notify \"n\" {\n webhook = \"http://127.0.0.1:1\"\n}"}, map[string]effectCase{
			"on": v(`["halt"]`), "webhook": v(`"http://127.0.0.1:2"`), "headers": v(`{ A = "b" }`), "timeout": v(`"9s"`),
			"command": {value: `["true"]`, with: []string{"notify.n webhook = "}}})},
		{"`cluster`", "cluster", "cluster.here", false, effectGiven([]string{effectCluster, effectPlaced}, map[string]effectCase{
			"driver": v(`"local"`), "backend": v(`"local"`), "sync_every_n_steps": v("9"), "gradient_compression": v("true"), "checkpoint_on_failure": v("true"), "auto_restart_failed_nodes": v("true")})},
		{"`node`", "node", "cluster.here/node.n", false, effectGiven([]string{effectCluster, effectPlaced}, map[string]effectCase{
			"for_each": v(`toset(["a"])`), "host": v(`"127.0.0.1"`), "role": {value: `"trainer"`, with: []string{"cluster.here/node.n can_generate = true"}}, "device_type": v(`"gpu"`), "chip": v(`"c"`), "memory_gb": v("9"),
			"connection_type": v(`"c"`), "ssh_user": v(`"u"`), "ssh_port": v("23"), "can_generate": no("false"), "can_train": no("false"), "endpoint": no(`"http://x/v1"`)})},
		{"`domain`", "domain", "@domain.quantities", false, effectBuild(map[string]effectCase{
			"description": v(`"x"`), "language": v(`"en"`), "keywords": v(`["k"]`), "negative_keywords": v(`["k"]`), "verifier": v(""),
			"mix_ratio": v("{ real = 0.36, synthetic = 0.64 }"), "anchor.min": v("0.31"), "anchor.max": v("0.5"), "licenses.deny": v(`["GPL-3.0"]`),
			"evaluation.benchmarks": v(`["b"]`), "evaluation.min_accuracy": v("0.5"), "evaluation.min_coherence": v("0.5"),
			"evaluation.custom_eval_file": {value: `"${path.module}/gate.jsonl"`, with: []string{"@domain.quantities/evaluation -split.dev", "@domain.quantities/evaluation -split.gate"}}})},
		{"`split`", "split", "@domain.quantities/evaluation/split.validation", false, map[string]effectCase{
			"file":  v(`"${path.module}/real.jsonl"`),
			"files": {value: `["${path.module}/real.jsonl"]`, with: []string{"@domain.quantities/evaluation/split.validation file ="}}}},
		{"`source \"files\"`", "source_files", "@domain.quantities/source.files.examples", false, map[string]effectCase{
			"for_each": v(`toset(["a"])`), "license": v(`"MIT"`),
			"bucket": {value: `"facts"`, with: []string{"@domain.quantities mix_ratio = { facts = 0.35, synthetic = 0.65 }"}},
			"paths":  v(`["${path.module}/dev.jsonl"]`), "format": v(`"jsonl"`), "text_field": v(`"text"`), "prompt_field": v(`"prompt"`), "max_file_size_mb": v("65"), "part_chars": v("2000"), "max_bad": v("1")}},
		{"`template`", "template", "@domain.quantities/template.example", false, map[string]effectCase{
			"bucket": {value: `"made"`, with: []string{"@domain.quantities mix_ratio = { real = 0.35, made = 0.65 }"}},
			"prompt": v(`"Write."`), "system_prompt": v(`"Be brief."`), "examples": v(`["e"]`), "type": v(`"x"`),
			"topics": v(`["b"]`, `@domain.quantities/template.example prompt = "On {topic}."`, `@domain.quantities/template.example topics = ["a"]`),
			"tasks":  v(`["b"]`, `@domain.quantities/template.example prompt = "Do {task}."`, `@domain.quantities/template.example tasks = ["a"]`),
			"values": v(`{ n = ["b"] }`, `@domain.quantities/template.example prompt = "Of {n}."`, `@domain.quantities/template.example values = { n = ["a"] }`),
			"weight": {value: "0.6", with: []string{"@domain.quantities/template.second weight = 0.4"},
				given: []string{"@domain.quantities/template.example weight = 0.5", "@domain.quantities +template.second", `@domain.quantities/template.second bucket = "synthetic"`, "@domain.quantities/template.second weight = 0.5", `@domain.quantities/template.second prompt = "Again."`}}}},
		{"`verifier \"quantities\"`", "verifier_quantities", "@verifier.quantities.exact", false, effectCommon(effectUnordered, "level", map[string]effectCase{
			"for_each":   {value: `toset(["a"])`, with: []string{`@domain.quantities verifier = verifier.quantities.exact["a"]`}},
			"depends_on": no("[verifier.quantities.exact]"), "lifecycle.ignore_changes": no("[level]"),
			"budget.tokens": no("9"), "budget.usd": no("9"), "budget.hours": no("9"), "budget.disk_gb": no("9"), "timeouts.run": no(`"9h"`), "timeouts.stop": no(`"90s"`)})},
		{"`trainer \"llama\"` of the base generator", "trainer_llama", "trainer.llama.base", true, effectTrainer(map[string]effectCase{
			"for_each": {value: `toset(["a"])`, with: []string{`generator.llama.base model = trainer.llama.base["a"]`}}, "depends_on": v("[trainer.llama.earlier]", effectEarlier),
			"dataset": no("module.quantities.domain.mix"), "max_steps": v("4 * local.window"), "schedule_steps": v("2400"),
			"start": v("trainer.llama.earlier", effectEarlier)})},
		{"`generator \"llama\"`", "generator_llama", "generator.llama.base", false, effectCommon(v("[trainer.llama.base]"), "stop", map[string]effectCase{
			"for_each": refs("generator.llama.base", "generator"), "samples": v("40000"), "seed": v("7"),
			"model":          v("trainer.llama.earlier", effectEarlier),
			"prices.version": effectPrice(`"b"`), "prices.usd_per_million_input": effectPrice("2"), "prices.usd_per_million_output": effectPrice("2"),
			"temperature": v("0.9"), "top_p": v("0.9"), "top_k": v("9"), "min_p": v("0.1"), "repetition_penalty": v("1.1"), "max_tokens": v("90"), "prompts": v(`"chat"`), "stop": v(`["\n\n"]`),
			"batch_size": v("9"), "threads": v("2")})},
		{"`filter \"quality\"`", "filter_quality", "filter.quality.shape", false, effectCommon(v("[generator.llama.base]"), "kind", map[string]effectCase{
			"for_each": refs("filter.quality.shape", "filters"), "budget.tokens": no("9"), "budget.usd": no("9"),
			"min_chars": v("9"), "max_chars": v("150"), "min_score": v("0.1"), "language": v(`"en"`), "kind": v(`"prose"`), "rules": v(`["code"]`), "thresholds": v("{ gopher_min_words = 1 }")})},
		{"`trainer \"llama\"` of the student", "trainer_llama", "trainer.llama.student", false, effectTrainer(map[string]effectCase{
			"for_each": refs("trainer.llama.student", "trainer"), "depends_on": v("[filter.quality.shape]"),
			"dataset": no("module.quantities.domain.real"), "max_steps": v("5 * local.window"), "schedule_steps": v(""),
			"start": v("trainer.llama.base")})},
		{"`exporter \"llama\"`", "exporter_llama", "exporter.llama.gguf", false, effectCommon(effectUnordered, "dtype", map[string]effectCase{
			"for_each": refs("exporter.llama.gguf", "exporter"), "dtype": v(`"f16"`), "format": v(`"huggingface"`), "budget.tokens": no("9"), "budget.usd": no("9"), "timeouts.run": no(`"9h"`), "timeouts.stop": no(`"90s"`)})},
		{"`evaluator \"panel\"`", "evaluator_panel", "evaluator.panel.default", false, effectCommon(v("[trainer.llama.base]"), "likelihood_per", map[string]effectCase{
			"budget.usd": no("9"),
			"for_each":   refs("evaluator.panel.default", "evaluator"), "likelihood_per": v(`"byte"`)})},
		{"`self_improvement`", "self_improvement", "self_improvement.quantities", false, map[string]effectCase{
			"domain": {value: "module.second.domain", given: []string{"+ module \"second\" {\n source = \"../../domains/quantities\"\n}"},
				with: []string{"trainer.llama.base dataset = module.second.domain.real"}},
			"generator": v("generator.llama.other", effectOther), "successor": v("generator.llama.other", effectOther), "filters": v("[]"),
			"trainer":   v("trainer.llama.other", other("trainer", "llama", "layers = 1\ndim = 64\nheads = 4\nmax_steps = 6400\nrecipe = local.recipe")...),
			"exporter":  v("exporter.llama.other", other("exporter", "llama", "dtype = \"f16\"")...),
			"evaluator": v("evaluator.panel.other", other("evaluator", "panel", "likelihood_per = \"byte\"")...),
			"cluster":   v("cluster.here", effectCluster),

			"eval_every_steps": {value: "800", given: []string{student("schedule_steps", "")}}, "improvement_threshold": v("0.1"), "threshold_kind": v(`"absolute"`), "min_steps_before_replace": v("3200"),
			"benchmark_samples": v("1000"), "guard_samples": v("250"), "keep_last_n_checkpoints": v("9"), "always_keep_base_generator": v("false"), "patience": v("9"), "max_cycles": v("2"), "promotion": v(`"manual"`), "pin_generator": v("1"),
			"regenerate": v(`"promotion"`), "pool": v(`"replace"`), "pool_cap": v("20"), "max_repeats": v("1000"), "mix_ratio": v("{ real = 0.36, synthetic = 0.64 }"), "verify": v("false"),
			"weights": v("{ accuracy = 0.5, coherence = 0.3, domain = 0.2 }"), "gate.alpha": v("0.1"), "gate.strict": v("true"),
			"budget.tokens": v("9"), "budget.hours": v("9"), "budget.disk_gb": v("9"), "budget.usd": effectCommon(effectCase{}, "", nil)["budget.usd"],
			"guard.nll": v("{ halt = 0.9 }"), "guard.entropy": v("{ halt = 0.9 }"), "guard.distinct4": v("{ halt = 0.9 }"), "guard.compression": v("{ halt = 0.9 }"),
			"guard.pass_rate": v("{ halt = 0.9 }"), "guard.duplicates": v("{ halt = 0.9 }"), "guard.family_share": v("{ halt = 0.9 }")}},
	}
}

// effectUnordered is depends_on where nothing can be ordered.
var effectUnordered = no("[filter.quality.shape]")

// effectPrice changes one of a generator's prices.
func effectPrice(value string) effectCase {
	c := effectCommon(effectCase{}, "", nil)["budget.usd"]
	c.value = value
	return c
}

// effectBuild adds the cases of a benchmark that is made from documents, to a domain whose files lie where it would make them.
func effectBuild(cases map[string]effectCase) map[string]effectCase {
	given := []string{"@+ generator \"fake\" \"a\" {\n}", "@+ generator \"fake\" \"b\" {\n}"}
	for _, edit := range []string{"-split.validation", "-split.dev", "-split.gate"} {
		given = append(given, "@domain.quantities/evaluation "+edit)
	}
	for _, edit := range []string{`documents = ["a.md"]`, `directory = "${path.module}"`, "teacher = generator.fake.a"} {
		given = append(given, "@domain.quantities/evaluation/build "+edit)
	}
	for name, value := range map[string]string{"documents": `["b.md"]`, "directory": `"${path.module}/."`, "teacher": "generator.fake.b", "items": "9", "kinds": `["question"]`,
		"held_out": "0.3", "dev": "0.3", "seed": "9", "second_pass": "false", "review": `"required"`} {
		cases["evaluation.build."+name] = v(value, given...)
	}
	return cases
}

// effectGiven puts the same text before each of several cases.
func effectGiven(given []string, cases map[string]effectCase) map[string]effectCase {
	for name, c := range cases {
		c.given = append(append([]string{}, given...), c.given...)
		cases[name] = c
	}
	return cases
}

// edit is a case's change at a section's place.
func (s effectSection) edit(name string, c effectCase) []string {
	place := s.place
	if c.place != "" {
		place = c.place
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		place, name = place+"/"+strings.ReplaceAll(name[:i], ".", "/"), name[i+1:]
	}
	return append([]string{place + " " + name + " = " + c.value}, c.with...)
}
