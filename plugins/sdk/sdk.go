// Package sdk is all that the author of a Go plugin imports.
//
// A plugin is a process that offers stages. Each stage is one value, made by the constructor of its kind: Collector,
// Filter, Verifier, Generator, Trainer, Evaluator, Exporter. Serve answers for all of them until the host ends the
// process:
//
//	func main() {
//		sdk.Serve(sdk.Plugin{Name: "words", Version: "1.0.0", Stages: []sdk.Stage{
//			sdk.Filter("length", sdk.Options{Deterministic: true, Concurrent: true}, open),
//		}})
//	}
//
// The type parameter of a constructor is the stage's configuration, a plain struct whose tags are its schema; see
// Configuration in config.go. A stage gets its configuration decoded, with defaults filled in by the host.
//
// What to know before writing one:
//
//   - A stage gets a context and a Call. The context ends when the host gives up on the call: return at once. Call.Stopped
//     is closed when the host asks to save: bring what was finished to a resumable end, and return nil.
//   - emit is called from one goroutine at a time, and blocks while the host is busy. Its error ends the call: return it.
//     Progress and Warn may be called from any goroutine.
//   - The package splits long lists into messages and checks what the protocol promises (one verdict a record, answers
//     in the order of the prompts). A stage that breaks a promise gets an error that names it, not a confused host.
//   - A panic in a stage's own goroutine fails that call alone, with the stack on standard error. A panic in a goroutine
//     that the stage started ends the process, and with it every call in it.
//   - Standard output belongs to the protocol. Serve redirects os.Stdout to standard error, which the host keeps for its
//     crash reports; file descriptor 1 itself must not be written to.
//   - A stage whose Options say Concurrent is called from several goroutines at once.
package sdk

import (
	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// Plugin is what a process offers. Names are words of [a-z][a-z0-9_]*; Version is a semantic version, for people.
type Plugin struct {
	Name, Version string
	Stages        []Stage
}

// Options describe a stage to the host.
type Options struct {
	Description string
	Revision    uint32 // part of every action ID: raise it only when the same inputs would give different outputs

	Deterministic bool // the same inputs always give the same bytes
	Resumable     bool // can go on from a cursor or a checkpoint
	NeedsNetwork  bool
	Concurrent    bool // several calls at once in one process

	Consumes, Produces []string // media types
	Features           []string // optional behaviour by name: "json_schema", "chat"; "score" comes with a Scorer, "stream" with a Streamer, "import" with an Importer
}

// The messages of the protocol, by the names that a stage uses.
type (
	Record           = pluginv1.Record
	Message          = pluginv1.Message
	RecordBatch      = pluginv1.RecordBatch
	Verdict          = pluginv1.Verdict
	VerifyItem       = pluginv1.VerifyItem
	Judgement        = pluginv1.Judgement
	Prompt           = pluginv1.Prompt
	PromptSet        = pluginv1.PromptSet
	Sampling         = pluginv1.Sampling
	Completion       = pluginv1.Completion
	Piece            = pluginv1.Piece
	Token            = pluginv1.Token
	LikelihoodItem   = pluginv1.LikelihoodItem
	LikelihoodEvent  = pluginv1.LikelihoodEvent
	Likelihood       = pluginv1.Likelihood
	GenerateRequest  = pluginv1.GenerateRequest
	TrainRequest     = pluginv1.TrainRequest
	Checkpoint       = pluginv1.Checkpoint
	PrepareRequest   = pluginv1.PrepareRequest
	Question         = pluginv1.Question
	Answer           = pluginv1.Answer
	QuestionScore    = pluginv1.QuestionScore
	Output           = pluginv1.Output
	Artifact         = pluginv1.Artifact
	Domain           = pluginv1.Domain
	EstimateRequest  = pluginv1.EstimateRequest
	Finding          = pluginv1.Finding
	EstimateResponse = pluginv1.EstimateResponse
	ModelMaker       = pluginv1.ModelMaker
	Diagnostic       = pluginv1.Diagnostic
)

// Media types of what stages hand to each other.
const (
	RecordsMediaType    = "application/vnd.jupiter.records+jsonl+zstd"
	CheckpointMediaType = "application/vnd.jupiter.checkpoint"
	GGUFMediaType       = "application/vnd.gguf"
)
