// Command starter is a plugin of Jupiter with a filter: it drops texts in capitals.
package main

import (
	"context"
	"unicode"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Filter("starter", sdk.Options{
		Description: "Drops texts in capitals.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was filtered is filtered again
		// Equal calls give equal bytes, and several run at once: true of what is below.
		Deterministic: true, Concurrent: true,
	}, open),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	MaxShare float64 `jupiter:"max_share" default:"0.5" desc:"Most of a text's letters that may be capitals, from 0 to 1."`
	Report   bool    `jupiter:"report,effect=none" default:"true" desc:"Show how many were dropped while it runs."`
}

// Validate finds what the schema cannot.
func (c config) Validate() []*sdk.Diagnostic {
	if c.MaxShare < 0 || c.MaxShare > 1 {
		return []*sdk.Diagnostic{sdk.Error("Share out of range", "max_share is between 0 and 1.", "max_share")}
	}
	return nil
}

// judge serves one call, from one goroutine.
type judge struct {
	config
	call          *sdk.Call
	seen, dropped int
}

func open(_ context.Context, call *sdk.Call, c config) (sdk.Judge, error) {
	return &judge{config: c, call: call}, nil
}

// Refer is shown what counts as seen already. It makes no difference to this filter.
func (*judge) Refer([]*sdk.Record) error { return nil }

// Judge gives one verdict a record, in order. A call that is stopped has nothing to save, so it answers what it was asked,
// and the host ends it between two batches.
func (j *judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	verdicts := make([]*sdk.Verdict, len(records))
	for i, r := range records {
		share := capitals(r.GetText())
		verdicts[i] = &sdk.Verdict{Keep: share <= j.MaxShare, Score: share}
		if !verdicts[i].Keep {
			verdicts[i].Reason = "capitals" // a short stable word: dropped records are counted by it
			j.dropped++
		}
	}
	j.seen += len(records)
	if j.Report && !j.call.IsStopped() {
		j.call.Progress(uint64(j.seen), 0, "records", map[string]float64{"dropped": float64(j.dropped)})
	}
	return verdicts, nil
}

// capitals is the share of a text's letters that are capitals.
func capitals(text string) float64 {
	letters, upper := 0, 0
	for _, c := range text {
		if unicode.IsLetter(c) {
			letters++
			if unicode.IsUpper(c) {
				upper++
			}
		}
	}
	return float64(upper) / float64(max(1, letters))
}

func main() { sdk.Serve(plugin) }
