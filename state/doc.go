// Package state is Jupiter's memory: what was done, with what, what came out, and which generator is current.
//
// # Model
//
// One bbolt file, <dir>/state.db, holds records; schema.go draws it. What is larger than a record is an artifact, in
// the content-addressed store beside it. A record is a memo, never a to-do list: there is no "in progress" state to
// resume from. A process that dies leaves the state as it was before its transaction or after it, and perhaps some
// bytes that nothing refers to.
//
// Two locks, for two lengths of time:
//
//   - The operation lock (Lock) belongs to a command that changes things, for as long as it runs. The kernel drops it
//     when the process ends, however it ends.
//   - The file's own lock belongs to one transaction, for milliseconds. The file is opened for each View and Update and
//     closed again, so that "jupiter status" in another process reads while an apply runs.
//
// Order of writing, each durable before the next: artifact bytes → one transaction → symbolic links. Removal runs
// backwards. docs/invariants.md derives the order from numbered sentences; Check proves them.
//
// # Caveats
//
//   - DO keep transactions short and do slow work outside. DON'T call View or Update inside the function of an Update:
//     it waits for itself until its wait is over, and fails with ErrBusy.
//   - DON'T keep a Tx after its function returned.
//   - An Update that changes nothing commits nothing, and leaves the serial alone.
//   - DON'T put the directory on NFS or SMB: bbolt maps the file into memory and needs locks that hold. Lock refuses.
//   - A file that is cut short, garbled or of a newer format gives ErrCorrupt or ErrNewer and is not written to. The
//     file is a memory map, so this package turns a bus error inside a transaction into ErrCorrupt; the map stays with
//     the process, which should end soon.
//   - Records refuse fields that they do not know, because writing them back would drop what a newer version said. A new
//     field needs a new format number.
package state
