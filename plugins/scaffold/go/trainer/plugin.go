// Command starter is a plugin of Jupiter with a trainer: its model is how often each word occurs. What a step does to a
// real model stands where learn is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Trainer[config]("starter", sdk.Options{
		Description: "Counts words.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was trained is trained again
		// Equal calls give equal bytes, and a window goes on from a checkpoint: true of what is below.
		Deterministic: true, Resumable: true,
		Produces: []string{sdk.CheckpointMediaType},
	}, trainer{}),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	BatchSize uint64  `jupiter:"batch_size" default:"8" desc:"Records that a step reads."`
	Decay     float64 `jupiter:"decay" default:"1" desc:"What is left of each count after a step, above 0 and up to 1."`
	LogEvery  uint64  `jupiter:"log_every,effect=none" default:"10" desc:"Steps between two reports."`
}

// Validate finds what the schema cannot.
func (c config) Validate() (out []*sdk.Diagnostic) {
	for name, n := range map[string]uint64{"batch_size": c.BatchSize, "log_every": c.LogEvery} {
		if n < 1 {
			out = append(out, sdk.Error("Number too small", name+" is at least 1.", name))
		}
	}
	if c.Decay <= 0 || c.Decay > 1 {
		out = append(out, sdk.Error("Decay out of range", "decay is above 0, and 1 at most.", "decay"))
	}
	return out
}

// model is what a checkpoint holds.
type model struct {
	Step  uint64             `json:"step"`
	Words map[string]float64 `json:"words"`
}

func (m *model) learn(c config, records []*sdk.Record) (tokens uint64) {
	if c.Decay < 1 {
		for w := range m.Words {
			m.Words[w] *= c.Decay
		}
	}
	for _, r := range records {
		for _, w := range strings.Fields(r.GetPrompt() + " " + r.GetText()) {
			m.Words[w]++
			tokens++
		}
	}
	return tokens
}

type trainer struct{}

// Estimate says how many records steps read: the host writes that many draws.
func (trainer) Estimate(c config, req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	n := req.GetItems() * c.BatchSize
	return &sdk.EstimateResponse{Records: n, PromptTokens: 10 * float64(n)}, nil
}

// Train goes from FromStep to ToStep. A window that is cut off goes on in another process, and must come to the same
// bytes: all that it depends on is in the checkpoint and in the order of the records.
func (trainer) Train(_ context.Context, call *sdk.Call, c config, req *sdk.TrainRequest, emit func(*sdk.Checkpoint) error) error {
	m := model{Words: map[string]float64{}}
	if cp := req.GetCheckpoint(); cp != nil {
		b, err := os.ReadFile(cp.GetPath())
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	data, err := sdk.OpenRecords(req.GetDataset().GetPath())
	if err != nil {
		return err
	}
	defer data.Close()
	if _, err := take(data, (req.GetFromStep()-req.GetWindowStart())*c.BatchSize); err != nil {
		return err
	}
	m.Step = req.GetFromStep()
	for m.Step < req.GetToStep() {
		batch, err := take(data, c.BatchSize)
		if err != nil {
			return fmt.Errorf("step %d: %w", m.Step+1, err)
		}
		call.Spend(m.learn(c, batch), 0)
		m.Step++
		if m.Step%c.LogEvery == 0 {
			call.Progress(m.Step-req.GetFromStep(), req.GetToStep()-req.GetFromStep(), "steps", map[string]float64{"words": float64(len(m.Words))})
		}
		every := req.GetSaveEverySteps()
		due := every > 0 && (m.Step-req.GetWindowStart())%every == 0 || m.Step == req.GetToStep()
		stopped := call.IsStopped()
		if due || stopped {
			if err := save(call.WorkDir, m, emit); err != nil {
				return err
			}
		}
		if stopped {
			return nil // the host goes on from the checkpoint
		}
	}
	return nil
}

// take reads n records.
func take(data *sdk.RecordReader, n uint64) ([]*sdk.Record, error) {
	var out []*sdk.Record
	for range n {
		r, err := data.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the data set ends too early")
		} else if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// save writes a checkpoint. JSON has its keys sorted, so equal models are equal bytes.
func save(dir string, m model, emit func(*sdk.Checkpoint) error) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("step-%d", m.Step)
	if err := os.WriteFile(filepath.Join(dir, name+".json"), b, 0o644); err != nil {
		return err
	}
	return emit(&sdk.Checkpoint{Step: m.Step, Output: &sdk.Output{Name: name, MediaType: sdk.CheckpointMediaType, Path: name + ".json"}})
}

func main() { sdk.Serve(plugin) }
