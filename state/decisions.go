package state

import (
	"fmt"
	"slices"

	"jupiter/plan/addr"
)

// Decisions returns a cycle's decisions in the order of their epochs.
func (tx *Tx) Decisions(cycle addr.Address) ([]Decision, error) {
	return collect[Decision](tx, bDecisions, string(cycle))
}

// Decision returns the decision of one epoch; false: there is none.
func (tx *Tx) Decision(cycle addr.Address, epoch uint64) (Decision, bool, error) {
	return get[Decision](tx, u64(epoch), bDecisions, string(cycle))
}

// DecidedCycles lists the cycles that have a decision, in order.
func (tx *Tx) DecidedCycles() []addr.Address { return addresses(tx.names(false, bDecisions)) }

// AppendDecision adds the next decision. Its epoch is one more than the last (M9). One that promotes names a version
// that the same transaction added for this epoch, and one that spent a look says what the look said (M10).
func (tx *Tx) AppendDecision(cycle addr.Address, d Decision) error {
	what := fmt.Sprintf("decision %d of %s", d.Epoch, cycle)
	last, err := tx.last(bDecisions, string(cycle))
	if err != nil {
		return err
	}
	if d.Epoch != last+1 {
		return fmt.Errorf("%s: %w: the last is %d", what, ErrHistory, last)
	}
	if d.Resolution != nil {
		return fmt.Errorf("%s: %w: it begins resolved", what, ErrInvalid)
	}
	if err := tx.checkDecision(cycle, d); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	d.At = tx.at(d.At)
	return put(tx, d, u64(d.Epoch), bDecisions, string(cycle))
}

// ResolveDecision records how a person answered a pending promotion. Promoted is the version that an approval made, in
// the same transaction; 0 for a refusal. A decision that does not wait is ErrHistory.
func (tx *Tx) ResolveDecision(cycle addr.Address, epoch uint64, r Resolution, promoted uint64) error {
	what := fmt.Sprintf("decision %d of %s", epoch, cycle)
	d, ok, err := tx.Decision(cycle, epoch)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case !d.Pending:
		return fmt.Errorf("%s: %w: it is not pending", what, ErrHistory)
	}
	r.At = tx.at(r.At)
	d.Pending, d.Resolution, d.Promoted = false, &r, promoted
	if err := tx.checkDecision(cycle, d); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return put(tx, d, u64(epoch), bDecisions, string(cycle))
}

// checkDecision proves M10 for one decision.
func (tx *Tx) checkDecision(cycle addr.Address, d Decision) error {
	refused := d.Resolution != nil && !d.Resolution.Approved
	switch {
	case !slices.Contains([]string{Promote, Hold, Reject, Ceiling}, d.Verdict):
		return fmt.Errorf("%w: verdict %q", ErrInvalid, d.Verdict)
	case d.Verdict != Promote && (d.Pending || d.Promoted != 0 || d.Resolution != nil):
		return fmt.Errorf("%w: %s neither waits nor promotes", ErrInvalid, d.Verdict)
	case d.Pending && (d.Promoted != 0 || d.Resolution != nil):
		return fmt.Errorf("%w: it waits and is resolved", ErrInvalid)
	case d.Verdict == Promote && !d.Pending && (d.Promoted == 0) != refused:
		return fmt.Errorf("%w: PROMOTE with version %d", ErrInvalid, d.Promoted)
	}
	if d.Promoted != 0 {
		g, ok, err := tx.Generator(cycle, d.Promoted)
		if err != nil {
			return err
		} else if !ok || g.Epoch != d.Epoch {
			return fmt.Errorf("%w: generator v%d of epoch %d", ErrNotFound, d.Promoted, d.Epoch)
		}
	}
	if d.Look == nil {
		if d.Verdict == Promote {
			return fmt.Errorf("%w: PROMOTE without a look at the gate pool", ErrInvalid)
		}
		return nil
	}
	l, ok, err := get[Look](tx, u64(*d.Look), bLooks, string(cycle))
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: look %d", ErrNotFound, *d.Look)
	case l.Verdict != d.Verdict:
		return fmt.Errorf("%w: verdict %s, look %d says %q", ErrInvalid, d.Verdict, l.K, l.Verdict)
	}
	return nil
}

// Looks returns the openings of a cycle's gate pool, the first first.
func (tx *Tx) Looks(cycle addr.Address) ([]Look, error) {
	return collect[Look](tx, bLooks, string(cycle))
}

// LookedCycles lists the cycles whose gate pool was opened, in order.
func (tx *Tx) LookedCycles() []addr.Address { return addresses(tx.names(false, bLooks)) }

// AppendLook records an opening of the gate pool and returns it with its number. It must be committed before the pool
// is read. The evaluation that already has a look gets that one: a repetition after a crash spends nothing. K and
// Verdict of l are ignored.
func (tx *Tx) AppendLook(cycle addr.Address, l Look) (Look, error) {
	if l.Evaluation == "" {
		return Look{}, fmt.Errorf("look of %s: %w: no evaluation", cycle, ErrInvalid)
	}
	all, err := tx.Looks(cycle)
	if err != nil {
		return Look{}, err
	}
	for _, have := range all {
		if have.Evaluation == l.Evaluation {
			return have, nil
		}
	}
	l.K, l.Verdict, l.At = uint64(len(all))+1, "", tx.at(l.At)
	return l, put(tx, l, u64(l.K), bLooks, string(cycle))
}

// SetLookVerdict records what a look said. It never changes afterwards: setting the same again is no error, another is
// ErrHistory.
func (tx *Tx) SetLookVerdict(cycle addr.Address, k uint64, verdict string) error {
	what := fmt.Sprintf("look %d of %s", k, cycle)
	if !slices.Contains([]string{Promote, Hold, Reject, Ceiling}, verdict) {
		return fmt.Errorf("%s: %w: verdict %q", what, ErrInvalid, verdict)
	}
	l, ok, err := get[Look](tx, u64(k), bLooks, string(cycle))
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case l.Verdict != "" && l.Verdict != verdict:
		return fmt.Errorf("%s: %w: it said %s", what, ErrHistory, l.Verdict)
	}
	l.Verdict = verdict
	return put(tx, l, u64(k), bLooks, string(cycle))
}
