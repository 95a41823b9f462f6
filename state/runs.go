package state

import (
	"fmt"
	"iter"
)

// Run returns one apply; false: there is none of this ID.
func (tx *Tx) Run(id string) (Run, bool, error) { return get[Run](tx, []byte(id), bRuns) }

// PutRun records an apply: once when it begins, once when it ends. A run that has ended does not change.
func (tx *Tx) PutRun(r Run) error {
	if r.ID == "" {
		return fmt.Errorf("run: %w: no id", ErrInvalid)
	}
	have, ok, err := tx.Run(r.ID)
	if err != nil {
		return err
	}
	if ok && !have.Ended.IsZero() {
		return fmt.Errorf("run %s: %w: it ended", r.ID, ErrHistory)
	}
	r.Began, r.Ended = tx.at(r.Began), utc(r.Ended)
	return put(tx, r, []byte(r.ID), bRuns)
}

// Runs gives all applies in the order of their IDs.
func (tx *Tx) Runs() iter.Seq2[Run, error] { return each[Run](tx, bRuns) }

// AppendEntry adds a line to a run's journal and numbers it.
func (tx *Tx) AppendEntry(run string, e Entry) error {
	if _, ok, err := tx.Run(run); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("journal: %w: run %q", ErrNotFound, run)
	}
	last, err := tx.last(bJournal, run)
	if err != nil {
		return err
	}
	e.Seq, e.At = last+1, tx.at(e.At)
	return put(tx, e, u64(e.Seq), bJournal, run)
}

// Journal gives a run's lines in order.
func (tx *Tx) Journal(run string) iter.Seq2[Entry, error] { return each[Entry](tx, bJournal, run) }

// AppendEvent records a manual act and numbers it.
func (tx *Tx) AppendEvent(e Event) error {
	last, err := tx.last(bEvents)
	if err != nil {
		return err
	}
	e.Seq, e.At = last+1, tx.at(e.At)
	return put(tx, e, u64(e.Seq), bEvents)
}

// Events gives the manual acts in order.
func (tx *Tx) Events() iter.Seq2[Event, error] { return each[Event](tx, bEvents) }
