package state

import "encoding/binary"

// The file. Names in <> are keys; an arrow leads to a value, a slash to a bucket. Values are canonical JSON (codec.go)
// but for the three of meta and those of current.
//
//	meta/         format     → "1"    raw ASCII, so that any version can read it
//	              lineage    → UUID   ASCII; made with the file, never changed
//	              serial     → u64    one more with each transaction that changed something
//	stages/       <address>           → StageRecord   last good result of an address
//	actions/      <action id>         → ActionRecord  memo: outputs, and the inputs that explain it
//	partials/     <lineage id>        → Partial       cursor, shards or checkpoint so far
//	artifacts/    <digest>            → Artifact
//	pins/         <digest>/ <address> → Pin           why gc must keep it
//	generators/   <cycle>/  <u64>     → Generator     append-only; a version number is never used twice
//	current/      <cycle>             → u64
//	decisions/    <cycle>/  <u64>     → Decision      by epoch
//	looks/        <cycle>/  <u64>     → Look          by k: openings of the gate pool
//	runs/         <run id>            → Run
//	journal/      <run id>/ <u64>     → Entry         for people; correctness never reads it
//	events/       <u64>               → Event         manual acts
//	seals/        <domain>/ <u64>     → Seal          by version: sealed benchmarks
//
// u64 is eight bytes, big-endian, so that keys sort by number.
const (
	bMeta       = "meta"
	bStages     = "stages"
	bActions    = "actions"
	bPartials   = "partials"
	bArtifacts  = "artifacts"
	bPins       = "pins"
	bGenerators = "generators"
	bCurrent    = "current"
	bDecisions  = "decisions"
	bLooks      = "looks"
	bRuns       = "runs"
	bJournal    = "journal"
	bEvents     = "events"
	bSeals      = "seals"

	kFormat  = "format"
	kLineage = "lineage"
	kSerial  = "serial"
)

// Format is the number of the format that this version reads and writes.
const Format = 1

// buckets are the top-level buckets. All exist from the first transaction on.
func buckets() []string {
	return []string{bMeta, bStages, bActions, bPartials, bArtifacts, bPins, bGenerators, bCurrent, bDecisions, bLooks,
		bRuns, bJournal, bEvents, bSeals}
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func fromU64(b []byte) (uint64, bool) {
	if len(b) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}
