package mix

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Record is what the sampler knows of a record.
type Record struct {
	ID     string
	Bucket string
	Real   bool
	Bytes  uint64
	Tokens uint64 // 0: unknown
}

// Anchor bounds the real share of the draws.
type Anchor struct{ Min, Max float64 }

// Request is what a window asks for.
type Request struct {
	Records    []Record           // in any order; IDs are unique, and a bucket is all real or all synthetic
	Shares     map[string]float64 // bucket → share of the draws; they sum to 1
	Anchor     Anchor             // the real buckets' shares sum to a value within it
	Draws      uint64             // steps × examples a step
	Block      uint64             // draws that belong together: the examples of one step; divides Draws
	MaxRepeats uint64             // draws of one record; 0: no bound
	MinRecords uint64             // different records that each bucket with a share must have; 0: one
	Shorten    bool               // give fewer whole blocks where records run out, instead of an error
	Seed       uint64
}

// Schedule is the ordered list of draws.
type Schedule struct {
	Draws     []uint32 // indices into Request.Records
	Buckets   []Bucket // in alphabetical order
	Real      Share
	Shortened string // why there are fewer draws than asked for; empty: there are not
}

// Share is a part of a schedule. Shares are of all draws, bytes and tokens of the schedule.
type Share struct {
	Draws       uint64   `json:"draws"`
	DrawShare   float64  `json:"draw_share"`
	Bytes       uint64   `json:"bytes"`
	ByteShare   float64  `json:"byte_share"`
	Tokens      *uint64  `json:"tokens"` // nil: unknown for some record that was drawn
	TokenShare  *float64 `json:"token_share"`
	Records     uint64   `json:"records"` // different records drawn
	Available   uint64   `json:"available"`
	RepeatsMax  uint64   `json:"repeats_max"`
	RepeatsMean float64  `json:"repeats_mean"` // draws / different records drawn
}

// Bucket is one bucket's part of a schedule.
type Bucket struct {
	Name  string  `json:"name"`
	Real  bool    `json:"real"`
	Asked float64 `json:"asked"` // the configured share
	Share
}

// ShortError says that a bucket has too few records for the draws asked for.
type ShortError struct {
	Bucket    string
	Real      bool
	Available uint64 // records
	Needed    uint64 // records
	Blocks    uint64 // whole blocks that could be drawn at the configured shares; 0: none
}

// Error names the bucket and both counts.
func (e *ShortError) Error() string {
	kind := "synthetic"
	if e.Real {
		kind = "real"
	}
	return fmt.Sprintf("bucket %q has %d %s records and needs %d", e.Bucket, e.Available, kind, e.Needed)
}

// Plan makes the schedule of a window. It depends on the request alone, and not on the order of Records but through
// the indices it returns. It fails with a *ShortError where a bucket with a share has fewer than MinRecords records, or
// cannot fill its share within MaxRepeats and Shorten is off or leaves no block; with another error where the request
// contradicts itself: shares that do not sum to 1, a real share outside the anchor, a record in a bucket of the other
// side, a repeated ID, or draws that are no whole number of blocks.
func Plan(r Request) (Schedule, error) {
	buckets, err := sides(r)
	if err != nil {
		return Schedule{}, err
	}
	if err := anchored(r, buckets); err != nil {
		return Schedule{}, err
	}
	blocks, short := fit(r, buckets)
	if short != nil && (blocks == 0 || !r.Shorten) {
		return Schedule{}, short
	}
	s := Schedule{Draws: draw(r, buckets, blocks*r.Block)}
	if short != nil {
		s.Shortened = fmt.Sprintf("%s: %d of %d draws, at the shares asked for", short, blocks*r.Block, r.Draws)
	}
	s.Buckets, s.Real = account(r, buckets, s.Draws)
	return s, nil
}

// side is one bucket with a share, and its records in the order of their IDs.
type side struct {
	name    string
	share   float64
	real    bool
	records []uint32
}

func sides(r Request) ([]side, error) {
	if r.Block == 0 || r.Draws == 0 || r.Draws%r.Block != 0 {
		return nil, fmt.Errorf("%d draws are no whole number of blocks of %d", r.Draws, r.Block)
	}
	if uint64(len(r.Records)) > math.MaxUint32 {
		return nil, fmt.Errorf("%d records are more than a schedule can index", len(r.Records))
	}
	by := map[string]*side{}
	seen := make(map[string]struct{}, len(r.Records))
	for i, rec := range r.Records {
		if _, ok := seen[rec.ID]; ok || rec.ID == "" {
			return nil, fmt.Errorf("record %q has no ID of its own", rec.ID)
		}
		seen[rec.ID] = struct{}{}
		b := by[rec.Bucket]
		if b == nil {
			b = &side{name: rec.Bucket, real: rec.Real}
			by[rec.Bucket] = b
		}
		if b.real != rec.Real {
			return nil, fmt.Errorf("bucket %q holds real and synthetic records: its part of the anchor cannot be told", rec.Bucket)
		}
		b.records = append(b.records, uint32(i))
	}
	var out []side
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(r.Shares)) {
		share := r.Shares[name]
		if !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("share of bucket %q is %v", name, share)
		}
		sum += share
		if share == 0 {
			continue
		}
		b := by[name]
		if least := max(r.MinRecords, 1); b == nil || uint64(len(b.records)) < least {
			short := &ShortError{Bucket: name, Needed: least}
			if b != nil {
				short.Real, short.Available = b.real, uint64(len(b.records))
			}
			return nil, short
		}
		b.share = share
		slices.SortFunc(b.records, func(i, j uint32) int { return strings.Compare(r.Records[i].ID, r.Records[j].ID) })
		out = append(out, *b)
	}
	if math.Abs(sum-1) > 1e-9 {
		return nil, fmt.Errorf("shares sum to %v, and must sum to 1", sum)
	}
	return out, nil
}

func anchored(r Request, buckets []side) error {
	real := 0.0
	for _, b := range buckets {
		if b.real {
			real += b.share
		}
	}
	if real < r.Anchor.Min-1e-9 || real > r.Anchor.Max+1e-9 {
		return fmt.Errorf("real share %.4g lies outside the anchor %.4g to %.4g", real, r.Anchor.Min, r.Anchor.Max)
	}
	return nil
}
