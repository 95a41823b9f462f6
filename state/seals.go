package state

import (
	"fmt"
	"time"
)

// Seals returns the versions of a domain's sealed benchmark, oldest first. The last is in force.
func (tx *Tx) Seals(domain string) ([]Seal, error) { return collect[Seal](tx, bSeals, domain) }

// SealedDomains lists the domains that have a seal, in order.
func (tx *Tx) SealedDomains() []string { return tx.names(false, bSeals) }

// AppendSeal adds the next version. Its number is one more than the last, and its index is recorded as an artifact
// (M14).
func (tx *Tx) AppendSeal(s Seal) error {
	what := fmt.Sprintf("seal %d of %s", s.Version, s.Domain)
	if s.Domain == "" {
		return fmt.Errorf("seal: %w: no domain", ErrInvalid)
	}
	last, err := tx.last(bSeals, s.Domain)
	if err != nil {
		return err
	}
	switch {
	case s.Version != last+1:
		return fmt.Errorf("%s: %w: the last is %d", what, ErrHistory, last)
	case s.Spent:
		return fmt.Errorf("%s: %w: it begins spent", what, ErrInvalid)
	}
	if err := tx.needArtifact(s.Index); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.At, s.SpentAt = tx.at(s.At), utc(s.SpentAt)
	return put(tx, s, u64(s.Version), bSeals, s.Domain)
}

// SpendSeal records that a person looked at the gate items of a version. It is never unspent; the first who looked
// stays on record.
func (tx *Tx) SpendSeal(domain string, version uint64, who string) error {
	s, ok, err := get[Seal](tx, u64(version), bSeals, domain)
	if err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("seal %d of %s: %w", version, domain, ErrNotFound)
	}
	if s.Spent {
		return nil
	}
	s.Spent, s.SpentBy, s.SpentAt = true, who, tx.at(time.Time{})
	return put(tx, s, u64(version), bSeals, domain)
}
