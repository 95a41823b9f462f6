package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

// Rename gives what is recorded at one address to another.
type Rename struct {
	From addr.Address `json:"from"`
	To   addr.Address `json:"to"`
}

// moves finds which recorded addresses belong to another one now, as the configuration's moved blocks say, with one change
// a block. What is recorded at the new address already stays there, and the old one is left to itself.
func moves(cfg *config.Config, rec Recorded) (all []Rename, changes []Change) {
	if len(cfg.Moved) == 0 {
		return nil, nil
	}
	taken := map[addr.Address]bool{}
	recorded := append(rec.Stages(), rec.Cycles()...)
	for _, a := range recorded {
		taken[a] = true
	}
	by := map[*config.Moved]bool{}
	for _, from := range recorded {
		to := from
		var used []*config.Moved
		for range cfg.Moved { // a chain of moves is as long as there are blocks
			for _, m := range cfg.Moved {
				if to.Under(m.From) {
					to, used = to.Rebase(m.From, m.To), append(used, m)
				}
			}
		}
		if to == from || taken[to] {
			continue
		}
		taken[to] = true
		all = append(all, Rename{from, to})
		for _, m := range used {
			by[m] = true
		}
	}
	for _, m := range cfg.Moved {
		if by[m] {
			changes = append(changes, Change{Address: m.To, From: m.From, Op: Move, Title: fmt.Sprintf("was %s", m.From), Reasons: []Reason{
				{Code: Renamed, Names: []string{"moved"}, Was: string(m.From), Now: string(m.To), File: m.Range.Filename, Line: m.Range.Start.Line}}})
		}
	}
	slices.SortFunc(all, func(a, b Rename) int { return cmp.Compare(a.To, b.To) })
	return all, changes
}

// renamed is the past as it will be when the moves are done.
type renamed struct {
	Recorded
	from map[addr.Address]addr.Address // new → old
	gone map[addr.Address]bool         // old
}

func afterMoves(rec Recorded, all []Rename) Recorded {
	if len(all) == 0 {
		return rec
	}
	r := &renamed{rec, map[addr.Address]addr.Address{}, map[addr.Address]bool{}}
	for _, m := range all {
		r.from[m.To], r.gone[m.From] = m.From, true
	}
	return r
}

func (r *renamed) old(a addr.Address) addr.Address {
	if from, ok := r.from[a]; ok {
		return from
	}
	return a
}

func (r *renamed) Facts(cycle addr.Address) Facts { return r.Recorded.Facts(r.old(cycle)) }

func (r *renamed) Last(address string) *state.ActionRecord {
	if r.gone[addr.Address(address)] {
		return nil
	}
	return r.Recorded.Last(string(r.old(addr.Address(address))))
}

func (r *renamed) Stages() []addr.Address { return r.names(r.Recorded.Stages()) }
func (r *renamed) Cycles() []addr.Address { return r.names(r.Recorded.Cycles()) }

func (r *renamed) names(list []addr.Address) []addr.Address {
	var out []addr.Address
	for _, a := range list {
		if !r.gone[a] {
			out = append(out, a)
		}
	}
	for to, from := range r.from {
		if slices.Contains(list, from) {
			out = append(out, to)
		}
	}
	slices.Sort(out)
	return out
}

// left finds what is recorded at an address that no block of the configuration has any more.
func left(cfg *config.Config, rec Recorded) []Change {
	bases := map[addr.Address]bool{}
	for _, d := range cfg.Domains {
		bases[d.Addr.Child("benchmark")], bases[d.Addr.Child("real")] = true, true
		for _, s := range d.Sources {
			bases[s.Addr] = true
		}
		for _, t := range d.Templates {
			bases[t.Addr] = true
		}
	}
	for _, s := range cfg.Stages {
		bases[s.Addr] = true
	}
	cycles := map[string]bool{}
	for _, c := range cfg.Cycles {
		bases[c.Addr] = true
		cycles[c.Name] = len(cfg.Cycles) > 1 // the only one is in no address but its own
	}
	var all []Change
	for _, a := range rec.Stages() {
		if declared(a, bases, cycles) {
			continue
		}
		ch := Change{Address: a, Op: Destroy, Title: "no longer configured", Reasons: []Reason{{Code: NotConfigured, Names: []string{string(a)}}}}
		if last := rec.Last(string(a)); last != nil {
			ch.Kind = Kind(last.Kind)
		}
		all = append(all, ch)
	}
	return all
}

// declared says whether a block, or what the core derives from one, is at an address: the block's own address, then
// parts of it, numbers of windows, and the cycle that it is for.
func declared(a addr.Address, bases map[addr.Address]bool, cycles map[string]bool) bool {
	for i := len(a); i > 0; i-- {
		if (i == len(a) || a[i] == '.' || a[i] == '[') && bases[a[:i]] {
			return ofCycles(string(a[i:]), cycles)
		}
	}
	return false
}

// ofCycles says whether each key in quotes in the rest of an address names a cycle.
func ofCycles(rest string, cycles map[string]bool) bool {
	for {
		i := strings.Index(rest, `["`)
		if i < 0 {
			return true
		}
		quoted, err := strconv.QuotedPrefix(rest[i+1:])
		if err != nil {
			return false
		}
		key, err := strconv.Unquote(quoted)
		if err != nil || !cycles[key] {
			return false
		}
		rest = rest[i+1+len(quoted):]
	}
}

// forgotten says of each recorded cycle that is no longer configured that its history stays.
func forgotten(cfg *config.Config, rec Recorded) []string {
	var notes []string
	for _, a := range rec.Cycles() {
		if f := rec.Facts(a); len(f.Generators)+len(f.Decisions) == 0 {
			continue // nothing but looks, which stay spent
		}
		if !slices.ContainsFunc(cfg.Cycles, func(c *config.Cycle) bool { return c.Addr == a }) {
			notes = append(notes, fmt.Sprintf("%s is not configured any more. Its history stays: a moved block carries it over to another cycle, jupiter state rm forgets it.", a))
		}
	}
	return notes
}
