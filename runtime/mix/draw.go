package mix

import (
	"math/bits"
	"math/rand/v2"
)

// stream keeps the schedule's random numbers apart from any other use of the same seed.
const stream = 0x6d69782d64726177 // "mix-draw"

// source draws integers from PCG. It reduces them itself, so that a schedule's digest does not hang on how a version
// of the standard library does.
type source struct{ pcg *rand.PCG }

// below returns an integer in [0, n), without bias (Lemire, 2019).
func (s source) below(n uint64) uint64 {
	hi, lo := bits.Mul64(s.pcg.Uint64(), n)
	if lo < n {
		for least := -n % n; lo < least; {
			hi, lo = bits.Mul64(s.pcg.Uint64(), n)
		}
	}
	return hi
}

// draw makes the list: buckets by apportionment, records uniformly with replacement, blocks shuffled within themselves
// so that a bucket has no fixed place in a step.
func draw(r Request, buckets []side, n uint64) []uint32 {
	src := source{rand.NewPCG(r.Seed, stream)}
	a := newApportion(shares(buckets))
	urns := make([]urn, len(buckets))
	for i, b := range buckets {
		urns[i] = newUrn(b.records, r.MaxRepeats)
	}
	out := make([]uint32, 0, n)
	for uint64(len(out)) < n {
		start := len(out)
		for range r.Block {
			out = append(out, urns[a.next()].draw(src))
		}
		block := out[start:]
		for i := len(block) - 1; i > 0; i-- {
			j := src.below(uint64(i) + 1)
			block[i], block[j] = block[j], block[i]
		}
	}
	return out
}

// urn draws records with replacement; one that was drawn max times is taken out.
type urn struct {
	records []uint32
	left    []uint64 // draws left, beside records; nil: no bound
}

func newUrn(records []uint32, most uint64) urn {
	u := urn{records: append([]uint32(nil), records...)}
	if most > 0 {
		u.left = make([]uint64, len(records))
		for i := range u.left {
			u.left[i] = most
		}
	}
	return u
}

func (u *urn) draw(src source) uint32 {
	i := src.below(uint64(len(u.records)))
	rec := u.records[i]
	if u.left == nil {
		return rec
	}
	if u.left[i]--; u.left[i] == 0 {
		last := len(u.records) - 1
		u.records[i], u.left[i] = u.records[last], u.left[last]
		u.records, u.left = u.records[:last], u.left[:last]
	}
	return rec
}

// account counts what a schedule holds.
func account(r Request, buckets []side, draws []uint32) ([]Bucket, Share) {
	times := make([]uint64, len(r.Records))
	for _, i := range draws {
		times[i]++
	}
	out := make([]Bucket, len(buckets))
	var all, real Share
	all.Tokens, real.Tokens = new(uint64), new(uint64)
	for i, b := range buckets {
		out[i] = Bucket{Name: b.name, Real: b.real, Asked: b.share, Share: Share{Tokens: new(uint64)}}
		for _, j := range b.records {
			rec, n := r.Records[j], times[j]
			out[i].add(rec, n)
			all.add(rec, n)
			if b.real {
				real.add(rec, n)
			}
		}
	}
	for i := range out {
		out[i].close(all)
	}
	real.close(all)
	return out, real
}

func (s *Share) add(rec Record, times uint64) {
	s.Available++
	if times == 0 {
		return
	}
	s.Records++
	s.Draws += times
	s.Bytes += times * rec.Bytes
	s.RepeatsMax = max(s.RepeatsMax, times)
	switch {
	case rec.Tokens == 0:
		s.Tokens = nil
	case s.Tokens != nil:
		*s.Tokens += times * rec.Tokens
	}
}

func (s *Share) close(all Share) {
	part := func(a, b uint64) float64 {
		if b == 0 {
			return 0
		}
		return float64(a) / float64(b)
	}
	s.DrawShare, s.ByteShare = part(s.Draws, all.Draws), part(s.Bytes, all.Bytes)
	s.RepeatsMean = part(s.Draws, s.Records)
	if s.Tokens != nil && all.Tokens != nil {
		s.TokenShare = new(part(*s.Tokens, *all.Tokens))
	}
}
