package conformance

import "context"

// rule is one thing that a plugin promises.
type rule struct {
	ID    string
	About string // the promise, in one sentence
	Where string // that the contract says so: a page of docs with a heading, or a file

	kinds  []string // of the stages that promise it; nil: the plugin as a whole
	early  bool     // it can be checked whatever the plugin says of itself
	calls  bool     // it builds on the plain call
	needs  string   // the rule that it builds on, which it would otherwise find broken a second time
	needed bool     // other rules build on it: it is checked in any case, and shown where it is asked for
	last   bool     // it is checked after all stages

	// check gives nil, an open, or why the rule is broken.
	check func(context.Context, *subject) error
}

const (
	rulesOf  = "plugin-protocol.md#what-the-plugin-guarantees"
	lifeOf   = "plugin-protocol.md#a-plugins-life"
	servesOf = "plugin-protocol.md#a-stage"
	kindsOf  = "plugin-protocol.md#calls"
	wire     = "plugin.proto"
)

// Rule is a rule as people read of it.
type Rule struct{ ID, About, Where string }

// Rules lists all rules in the order in which they are checked.
func Rules() []Rule {
	var all []Rule
	for _, r := range rules {
		all = append(all, Rule{r.ID, r.About, r.Where})
	}
	return all
}

var (
	every     = []string{"collector", "generator", "filter", "verifier", "trainer", "exporter", "evaluator"}
	collector = []string{"collector"}
	generator = []string{"generator"}
	trainer   = []string{"trainer"}
	exporter  = []string{"exporter"}
	evaluator = []string{"evaluator"}
	filter    = []string{"filter"}
	verifier  = []string{"verifier"}
)

var rules = []*rule{
	{ID: "info-name", Where: servesOf, early: true, check: infoName,
		About: "The plugin and each of its stages has a name that is an identifier, of a kind that there is, and no two stages share one."},
	{ID: "info-version", Where: servesOf, early: true, check: infoVersion,
		About: "The plugin's version is a semantic one."},
	{ID: "info-schema", Where: servesOf, early: true, check: infoSchema,
		About: "Each schema can be read: names are identifiers, unique and none of the core's, types are cty's, defaults fit them, effects are known, and nothing required has a default."},
	{ID: "info-media", Where: servesOf, early: true, check: infoMedia,
		About: "Media types are well formed, and are there where stages hand things on: a trainer produces one, an exporter consumes and produces one."},
	{ID: "info-features", Where: servesOf, early: true, check: infoFeatures,
		About: "Features that the protocol knows are at stages of the kinds that have them."},
	{ID: "info-same", Where: servesOf, early: true, check: infoSame,
		About: "Info gives the same answer each time, also from another process."},
	{ID: "unknown-stage", Where: wire, check: unknownStage,
		About: "A call of a stage that the plugin does not have is an error, and the process goes on."},

	{ID: "validate-plain", Where: servesOf, kinds: every, check: validatePlain,
		About: "Validate has no error about the configuration that the other rules use, and says the same twice."},
	{ID: "validate-hostile", Where: servesOf, kinds: every, check: validateHostile,
		About: "Validate answers hostile values that fit the schema, such as huge texts and numbers, control characters and empty lists, with diagnostics or none, in time, and the process goes on."},
	{ID: "validate-malformed", Where: wire, kinds: every, check: validateMalformed,
		About: "A configuration that does not fit the schema is a diagnostic or INVALID_ARGUMENT, and the process goes on."},
	{ID: "validate-items", needs: "validate-plain", Where: kindsOf, kinds: every, check: validateItems,
		About: "Of several configurations in a request each has its own diagnostics, under its address."},
	{ID: "validate-paths", Where: servesOf, kinds: every, check: validatePaths,
		About: "The path of each diagnostic leads to a place that the schema has."},

	{ID: "estimate", Where: rulesOf, kinds: every, check: estimates,
		About: "Estimate, where it is implemented, gives figures that are at least 0 and grow with the work, and the same twice."},

	{ID: "stage-answers", Where: kindsOf, kinds: every, needed: true, check: stageAnswers,
		About: "A plain call ends well, or with an error that the stage returns."},
	{ID: "deterministic", Where: servesOf, kinds: every, calls: true, check: deterministic,
		About: "A stage that says it is deterministic gives the same bytes for the same call, also in another process."},

	{ID: "fingerprint", Where: kindsOf, kinds: []string{"collector", "generator"}, calls: true, check: fingerprints,
		About: "Fingerprint, where it is implemented, says the same while nothing changes, also from another process."},
	{ID: "collector-records", Where: rulesOf, kinds: collector, calls: true, check: collectorRecords,
		About: "A batch of records has at most 1 MiB, or one record of at most 3 MiB; records have a text, or a prompt and a text, or messages, and no identifier."},
	{ID: "collector-resume", Where: rulesOf, kinds: collector, calls: true, check: collectorResume,
		About: "From each cursor of a resumable collector come the records that followed it, and no others."},
	{ID: "collector-memory", Where: rulesOf, kinds: collector, calls: true, check: collectsInBoundedMemory,
		About: "Over 100,000 records the memory of the plugin's processes stays within 256 MiB of what it was after 10,000."},

	{ID: "filter-order", Where: rulesOf, kinds: filter, calls: true, check: judgesInOrder,
		About: "There is one verdict for each record, in their order, under their identifiers."},
	{ID: "filter-empty", needs: "filter-order", Where: rulesOf, kinds: filter, calls: true, check: judgesNothing,
		About: "An empty batch has no verdicts, and a call without any ends well."},
	{ID: "filter-large", needs: "filter-order", Where: rulesOf, kinds: filter, calls: true, check: judgesLarge,
		About: "Batches of 1 MiB and a record of 3 MiB are judged like others."},
	{ID: "filter-unicode", needs: "filter-order", Where: rulesOf, kinds: filter, calls: true, check: judgesUnicode,
		About: "Any text of valid UTF-8 is judged, whatever its characters, alone, behind a prompt or in the messages of a chat."},
	{ID: "filter-batches", needs: "filter-order", Where: rulesOf, kinds: filter, calls: true, check: judgesAnyBatches,
		About: "How records are dealt out to batches changes no verdict of a deterministic filter."},
	{ID: "filter-reference", needs: "filter-order", Where: kindsOf, kinds: filter, calls: true, check: filterReference,
		About: "Reference records come first and get no verdicts."},
	{ID: "filter-verdict", needs: "filter-order", Where: wire, kinds: filter, calls: true, check: filterVerdict,
		About: "A verdict's score is a number, and one that drops a record has a short reason."},
	{ID: "filter-memory", needs: "filter-order", Where: rulesOf, kinds: filter, calls: true, check: judgesInBoundedMemory,
		About: "Over 100,000 records the memory of the plugin's processes stays within 256 MiB of what it was after 10,000."},

	{ID: "verifier-order", Where: rulesOf, kinds: verifier, calls: true, check: judgesInOrder,
		About: "There is one judgement for each item, in their order, under their identifiers."},
	{ID: "verifier-empty", needs: "verifier-order", Where: rulesOf, kinds: verifier, calls: true, check: judgesNothing,
		About: "An empty batch has no judgements, and a call without any ends well."},
	{ID: "verifier-large", needs: "verifier-order", Where: rulesOf, kinds: verifier, calls: true, check: judgesLarge,
		About: "Batches of 1 MiB and an item of 3 MiB are judged like others."},
	{ID: "verifier-unicode", needs: "verifier-order", Where: rulesOf, kinds: verifier, calls: true, check: judgesUnicode,
		About: "Any text of valid UTF-8 is judged, whatever its characters, alone or behind a prompt."},
	{ID: "verifier-batches", needs: "verifier-order", Where: rulesOf, kinds: verifier, calls: true, check: judgesAnyBatches,
		About: "How items are dealt out to batches changes no judgement of a deterministic verifier."},
	{ID: "verifier-memory", needs: "verifier-order", Where: rulesOf, kinds: verifier, calls: true, check: judgesInBoundedMemory,
		About: "Over 100,000 items the memory of the plugin's processes stays within 256 MiB of what it was after 10,000."},

	{ID: "trainer-estimate", Where: servesOf, kinds: trainer, check: trainerEstimate,
		About: "A trainer's estimate says how many records it reads for so many steps, and more for more steps."},
	{ID: "trainer-checkpoints", Where: rulesOf, kinds: trainer, calls: true, check: trainerCheckpoints,
		About: "Checkpoints come in rising order, at each multiple of save_every_steps and at the end, each a file or a directory below the work directory."},
	{ID: "trainer-resume", needs: "trainer-checkpoints", Where: rulesOf, kinds: trainer, calls: true, check: trainerResume,
		About: "Training that goes on from a checkpoint ends where undisturbed training does, with the same bytes where the trainer is deterministic."},
	{ID: "trainer-records", Where: wire, kinds: trainer, calls: true, check: trainerRecords,
		About: "A trainer reads any text of valid UTF-8, alone or behind a prompt; the messages of a chat it reads too, or refuses with an error of its own."},
	{ID: "trainer-limit", Where: rulesOf, kinds: trainer, calls: true, check: trainerLimit,
		About: "At the limit of tokens a trainer saves and returns."},

	{ID: "import-refused", Where: wire, kinds: []string{"trainer", "generator"}, calls: true, check: importRefused,
		About: "What is no model, such as an empty file or noise, is refused with an error that the stage returns, and the process goes on."},
	{ID: "import-output", Where: wire, kinds: []string{"trainer", "generator"}, calls: true, check: importOutput,
		About: "An import has exactly one output, checkpoint of a trainer and model of a generator, below the work directory, and changes nothing that it reads."},

	{ID: "exporter-output", Where: wire, kinds: exporter, calls: true, check: exporterOutput,
		About: "An export has exactly one output, called model, below the work directory."},

	{ID: "generator-samples", Where: kindsOf, kinds: generator, calls: true, check: generatorSamples,
		About: "A generator gives exactly the samples that were asked for, each of valid text and without an identifier; sample i of a set with n prompts has prompt i mod n."},
	{ID: "generator-continues", needs: "generator-samples", Where: rulesOf, kinds: generator, calls: true, check: generatorContinues,
		About: "Samples from an index on are the same alone as with those before them, where the generator is deterministic."},
	{ID: "generator-order", Where: rulesOf, kinds: generator, calls: true, check: generatorOrder,
		About: "There is one completion for each prompt, in their order, under their identifiers."},
	{ID: "generator-parts", needs: "generator-order", Where: "plugin-protocol.md#what-the-host-guarantees", kinds: generator, calls: true, check: generatorParts,
		About: "Prompts, sets of prompts and what is to be scored may come in several messages, and have the answers that they have in one."},
	{ID: "generator-alone", needs: "generator-order", Where: rulesOf, kinds: generator, calls: true, check: generatorAlone,
		About: "A deterministic generator's answer to a prompt does not depend on the prompts beside it."},
	{ID: "generator-max-tokens", Where: kindsOf, kinds: generator, calls: true, check: generatorMaxTokens,
		About: "A completion has at most max_tokens tokens; 0 leaves its length to the stage."},
	{ID: "generator-stop", needs: "generator-order", Where: wire, kinds: generator, calls: true, check: generatorStop,
		About: "A completion ends before the first stop sequence."},
	{ID: "generator-finish", Where: wire, kinds: generator, calls: true, check: generatorFinish,
		About: "A completion says why it ended: stop or length."},
	{ID: "generator-unicode", Where: rulesOf, kinds: generator, calls: true, check: generatorUnicode,
		About: "Any prompt of valid UTF-8 has a completion, which is valid text."},
	{ID: "generator-score", Where: kindsOf, kinds: generator, calls: true, check: generatorScore,
		About: "A generator with the feature score gives each continuation a finite log-likelihood of at most 0, with its tokens and bytes; one without it gives none."},
	{ID: "generator-stream", needs: "generator-order", Where: servesOf, kinds: generator, calls: true, check: generatorStream,
		About: "With the feature stream the pieces of a completion are its beginning, and it is the one that comes without them."},
	{ID: "generator-json", needs: "generator-order", Where: servesOf, kinds: generator, calls: true, check: generatorJSON,
		About: "With the feature json_schema a completion that ends by itself is JSON that fits the schema."},
	{ID: "generator-limit", Where: rulesOf, kinds: generator, calls: true, check: generatorLimit,
		About: "At the limit of tokens a generator returns what it has."},

	{ID: "evaluator-prepare", Where: kindsOf, kinds: evaluator, calls: true, check: evaluatorPrepare,
		About: "Questions have a prompt with an identifier, which no two share, and a reference."},
	{ID: "evaluator-score", needs: "evaluator-prepare", Where: rulesOf, kinds: evaluator, calls: true, check: evaluatorScore,
		About: "There is one score for each answer, in order, and none where there are no answers; accuracy and coherence are from 0 to 1, domain is from -1 to 1; and none depends on what is scored before or beside it."},
	{ID: "evaluator-unavailable", needs: "evaluator-prepare", Where: rulesOf, kinds: evaluator, calls: true, check: evaluatorUnavailable,
		About: "What cannot be measured has no score: without an answer there is no accuracy."},

	{ID: "evaluator-unicode", needs: "evaluator-score", Where: rulesOf, kinds: evaluator, calls: true, check: evaluatorUnicode,
		About: "Any answer of valid UTF-8 is scored, an empty one and one of 1 MiB too."},

	{ID: "cancel", Where: kindsOf, kinds: every, calls: true, check: cancelled,
		About: "A call that is cancelled in its middle ends, and the process answers the next one as before."},
	{ID: "concurrent", needs: "cancel", Where: servesOf, kinds: every, calls: true, check: together,
		About: "A stage that says it is concurrent takes several calls at once in one process, and each gives what it does alone."},
	{ID: "stop", Where: lifeOf, kinds: every, calls: true, check: stopped,
		About: "A call that is asked to stop ends well within its grace, and has given what it had: going on from there gives what an undisturbed call does. The process answers the next call as before."},
	{ID: "write-inside", Where: rulesOf, kinds: every, calls: true, check: writeInside,
		About: "A call writes below its work directory and its temporary one alone, and changes nothing that it was given to read."},

	{ID: "contract", Where: rulesOf, kinds: every, calls: true, check: keepsContract,
		About: "No message of the calls that were made is one for which the host would end the process."},

	{ID: "works-confined", Where: lifeOf, last: true, check: worksConfined,
		About: "The plugin does its work where the system lets it write to its own directories alone."},
	{ID: "stdout-clean", Where: lifeOf, early: true, last: true, check: stdoutClean,
		About: "Nothing but the handshake is written to standard output."},
	{ID: "stdin-end", Where: lifeOf, last: true, check: stdinEnd,
		About: "The process ends within 2 seconds of its standard input, and leaves no other behind."},
}
