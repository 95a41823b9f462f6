package neardup

import (
	"context"
	"strings"

	"jupiter/plugins/sdk"
)

// Config is the configuration of the filter.
type Config struct {
	SimilarityThreshold float64 `jupiter:"similarity_threshold" default:"0.8" desc:"Jaccard similarity from which a record counts as a near-duplicate; above 0, at most 1."`
	NumHashes           int     `jupiter:"num_hashes" default:"112" desc:"Hashes in a signature, 16 to 1024: more hashes, finer estimates, more time and memory."`
	NgramSize           int     `jupiter:"ngram_size" default:"5" desc:"Words in a shingle, 1 to 50; characters in short text."`
	MaxMemoryMB         float64 `jupiter:"max_memory_mb,effect=none" default:"2048" desc:"Most memory for the index, in MiB; about 1 KiB a kept record. To need more is an error."`
}

// Validate finds what the schema cannot: figures out of range.
func (c Config) Validate() []*sdk.Diagnostic {
	var out []*sdk.Diagnostic
	if !(c.SimilarityThreshold > 0 && c.SimilarityThreshold <= 1) {
		out = append(out, sdk.Error("Similarity out of range", "A Jaccard similarity lies between 0 and 1; at 0 everything would be a duplicate.", "similarity_threshold"))
	}
	if c.NumHashes < 16 || c.NumHashes > 1024 {
		out = append(out, sdk.Error("Number of hashes out of range", "Use 16 to 1024 hashes; with fewer the estimate says little.", "num_hashes"))
	}
	if c.NgramSize < 1 || c.NgramSize > 50 {
		out = append(out, sdk.Error("Size of shingles out of range", "Use 1 to 50 words a shingle; 5 is usual.", "ngram_size"))
	}
	if !(c.MaxMemoryMB > 0) {
		out = append(out, sdk.Error("No memory", "max_memory_mb must be above 0.", "max_memory_mb"))
	}
	return out
}

// Estimate says what the index holds where all of so many records are kept; see the package comment.
func (c Config) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	const identifier = 32 // what the host gives
	each := c.NumHashes + identifier + entryBytes + cut(c.NumHashes, c.SimilarityThreshold).bands*bytesPerBand
	return &sdk.EstimateResponse{PeakMemoryBytes: float64(req.GetItems()) * float64(each)}, nil
}

// Plugin serves the filter.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "neardup", Version: version, Stages: []sdk.Stage{Stage()}}
}

// Stage is the filter "neardup".
func Stage() sdk.Stage {
	return sdk.Filter("neardup", sdk.Options{
		Description:   "Drops near-duplicates, found by MinHash with locality-sensitive hashing.",
		Revision:      1,
		Deterministic: true,
		Concurrent:    true,
	}, func(_ context.Context, _ *sdk.Call, cfg Config) (sdk.Judge, error) {
		return &judge{New(cfg)}, nil
	})
}

type judge struct{ index *Index }

func (j *judge) Refer(records []*sdk.Record) error {
	for _, r := range records {
		if _, err := j.index.Add(r.GetId(), whole(r)); err != nil {
			return err
		}
	}
	return nil
}

func (j *judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	out := make([]*sdk.Verdict, len(records))
	for i, r := range records {
		m, err := j.index.Add(r.GetId(), whole(r))
		if err != nil {
			return nil, err
		}
		out[i] = &sdk.Verdict{Id: r.GetId(), Keep: true, Score: m.Similarity}
		if m.Duplicate {
			out[i].Keep, out[i].Reason, out[i].DuplicateOf = false, "near_duplicate", m.Of
		}
	}
	return out, nil
}

// whole is all that a record says: answers to different questions may be alike.
func whole(r *sdk.Record) string {
	parts := []string{r.GetPrompt(), r.GetText()}
	for _, m := range r.GetMessages() {
		parts = append(parts, m.GetContent())
	}
	return strings.Join(parts, "\n")
}
