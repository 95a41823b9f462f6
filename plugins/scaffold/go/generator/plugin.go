// Command starter is a plugin of Jupiter with a generator: it continues a prompt with words from a list. A model would be
// read from req.GetModel().GetPath().
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Generator[config]("starter", sdk.Options{
		Description: "Draws words from a list.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was generated is generated again
		// Equal calls give equal bytes, a call goes on where it was cut off, and several run at once: true of what is below.
		Deterministic: true, Resumable: true, Concurrent: true,
		Produces: []string{sdk.RecordsMediaType},
	}, generator{}),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	Words  []string `jupiter:"words" default:"[\"to\",\"be\",\"or\",\"not\"]" desc:"What it can say."`
	Length int      `jupiter:"length" default:"5" desc:"Words of a text."`
	Batch  int      `jupiter:"batch,effect=none" default:"50" desc:"Samples that are handed over at once."`
}

// Validate finds what the schema cannot.
func (c config) Validate() (out []*sdk.Diagnostic) {
	if len(c.Words) == 0 {
		out = append(out, sdk.Error("No words", "There is nothing to draw from.", "words"))
	}
	for name, n := range map[string]int{"length": c.Length, "batch": c.Batch} {
		if n < 1 {
			out = append(out, sdk.Error("Number too small", name+" is at least 1.", name))
		}
	}
	return out
}

// Estimate says what n texts take, before anything runs.
func (c config) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	words := float64(req.GetItems()) * float64(c.Length)
	return &sdk.EstimateResponse{CompletionTokens: words, MaxCompletionTokens: words, BytesWritten: 8 * words}, nil
}

// draw makes a text that depends on its own seed alone, so that a call that goes on draws what the first would have. A word
// is a token here; the draft has as many as the sampling allows, and ends before the first stop sequence.
func (c config) draw(s *sdk.Sampling, seed ...any) *sdk.Draft {
	h := sha256.Sum256(fmt.Appendf(nil, "%q", seed))
	rng := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:])))
	draft, space := sdk.NewDraft(s), ""
	for range c.Length {
		if !draft.Add(space + c.Words[rng.IntN(len(c.Words))]) {
			break
		}
		space = " "
	}
	return draft
}

// A model that knows how likely a text is has a method Score too: see sdk.Scorer.
type generator struct{}

// Generate draws the samples of each set. The host moves a set's start past what it has; when the call is stopped, what
// was handed over stays.
func (generator) Generate(_ context.Context, call *sdk.Call, c config, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	var done, total uint64
	for _, set := range req.GetSets() {
		total += set.GetSamples()
	}
	for _, set := range req.GetSets() {
		first, end := set.GetStartIndex(), set.GetStartIndex()+set.GetSamples()
		for first < end && !call.IsStopped() {
			batch := &sdk.RecordBatch{}
			for last := min(end, first+uint64(c.Batch)); first < last; first++ {
				var prompt *sdk.Prompt // nil: a whole text
				if n := uint64(len(set.GetPrompts())); n > 0 {
					prompt = set.GetPrompts()[first%n]
				}
				draft := c.draw(req.GetSampling(), call.Seed, set.GetTemplate(), first)
				call.Spend(0, draft.Tokens())
				batch.Records = append(batch.Records, draft.Record(prompt))
			}
			done += uint64(len(batch.Records))
			batch.Cursor = fmt.Append(nil, done)
			if err := emit(batch); err != nil {
				return err
			}
			call.Progress(done, total, "samples", nil)
		}
	}
	return nil
}

// Complete answers prompts, one completion each, in order.
func (generator) Complete(_ context.Context, call *sdk.Call, c config, _ *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	for _, p := range prompts {
		if call.IsStopped() {
			return nil
		}
		draft := c.draw(s, call.Seed, p.GetText())
		call.Spend(0, draft.Tokens())
		if err := emit(draft.Completion()); err != nil {
			return err
		}
	}
	return nil
}

func main() { sdk.Serve(plugin) }
