package mix

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Member is one synthetic record of a pool.
type Member struct {
	ID      string `json:"id"`
	Key     string `json:"key"`     // canonical key; empty: only the ID, a hash of the content, tells it from others
	Version uint64 `json:"version"` // generator that wrote it
	Cycle   uint64 `json:"cycle"`   // in which it was drawn
}

// known is the IDs and keys of records that were seen.
type known map[string]bool

func (k known) add(m Member) {
	k["id\x00"+m.ID] = true
	if m.Key != "" {
		k["key\x00"+m.Key] = true
	}
}

func (k known) has(m Member) bool {
	return k["id\x00"+m.ID] || m.Key != "" && k["key\x00"+m.Key]
}

// Pool is the synthetic records that may be drawn, in the order they were taken in. The zero value is empty.
type Pool struct {
	Members []Member `json:"members"`
}

// Intake is a new batch for a pool.
type Intake struct {
	New     []Member // verified, and checked against the seal; in the order they were generated
	Real    []Member // real records; ID and Key count
	Cap     float64  // the pool holds at most Cap × real records; without real records, none
	Replace bool     // drop what was there before, instead of accumulating
}

// Change is what became of a batch. Taken + DuplicateReal + DuplicatePool is the number of New.
type Change struct {
	Taken         int `json:"taken"`          // entered; some of them may be evicted at once where the cap is small
	DuplicateReal int `json:"duplicate_real"` // had the key or ID of a real record
	DuplicatePool int `json:"duplicate_pool"` // had the key or ID of a record in the pool, or earlier in the batch
	Replaced      int `json:"replaced"`
	Dropped       int `json:"dropped"` // older members with the key of a real record, which was not there before
	Evicted       int `json:"evicted"` // over the cap
	Withdrawn     int `json:"withdrawn"`
}

// Accept returns the pool with a batch taken in, and leaves the receiver as it is.
//
// What comes first stays: a member of the pool before a new record, and an earlier new record before a later one with
// the same key. Over the cap the oldest generation is evicted first, by Cycle and then by Version; within one, members
// go in the order of the SHA-256 of their IDs, which is arbitrary and always the same. Cap must be a positive number.
func (p Pool) Accept(in Intake) (Pool, Change, error) {
	if !(in.Cap > 0) || math.IsInf(in.Cap, 0) {
		return Pool{}, Change{}, fmt.Errorf("pool cap is %v × real records, and must be positive", in.Cap)
	}
	var c Change
	real, seen := known{}, known{}
	for _, m := range in.Real {
		real.add(m)
	}
	var out []Member
	if in.Replace {
		c.Replaced = len(p.Members)
		p = Pool{}
	}
	for _, m := range p.Members {
		if real.has(m) {
			c.Dropped++
			continue
		}
		seen.add(m)
		out = append(out, m)
	}
	for _, m := range in.New {
		switch {
		case real.has(m):
			c.DuplicateReal++
		case seen.has(m):
			c.DuplicatePool++
		default:
			seen.add(m)
			c.Taken++
			out = append(out, m)
		}
	}
	most := int(math.Floor(in.Cap * float64(len(in.Real))))
	if len(out) > most {
		c.Evicted = len(out) - most
		out = evict(out, c.Evicted)
	}
	return Pool{Members: out}, c, nil
}

// evict takes n members out, and keeps the order of the rest.
func evict(members []Member, n int) []Member {
	order := make([]int, len(members))
	hash := make([]string, len(members))
	for i, m := range members {
		order[i] = i
		h := sha256.Sum256([]byte(m.ID))
		hash[i] = string(h[:])
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := members[i], members[j]
		return cmp.Or(cmp.Compare(a.Cycle, b.Cycle), cmp.Compare(a.Version, b.Version), strings.Compare(hash[i], hash[j]))
	})
	gone := make(map[int]bool, n)
	for _, i := range order[:n] {
		gone[i] = true
	}
	out := make([]Member, 0, len(members)-n)
	for i, m := range members {
		if !gone[i] {
			out = append(out, m)
		}
	}
	return out
}

// Withdraw returns the pool without what the given generator versions wrote: those of a rollback.
func (p Pool) Withdraw(versions ...uint64) (Pool, Change) {
	var c Change
	var out []Member
	for _, m := range p.Members {
		if slices.Contains(versions, m.Version) {
			c.Withdrawn++
			continue
		}
		out = append(out, m)
	}
	return Pool{Members: out}, c
}
