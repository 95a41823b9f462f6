package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"jupiter/plugins/sdk"
)

// trainerConfig configures the trainer.
type trainerConfig struct {
	Quality   float64 `jupiter:"quality" default:"0.3" desc:"Quality at step 0, without a checkpoint."`
	Gain      float64 `jupiter:"gain" default:"0.001" desc:"What a step adds to the quality, which stays between 0 and 1."`
	BatchSize uint64  `jupiter:"batch_size" default:"4" desc:"Records that a step reads."`
	Adapter   *bool   `jupiter:"adapter" desc:"Checkpoints hold what was learnt, and not the imported model that training began with."`
	Key
	Faults
}

func trainerStage() sdk.Stage {
	o := options("Raises a number by steps.")
	o.Resumable = true
	o.Produces = []string{sdk.CheckpointMediaType}
	return sdk.Trainer("fake", o, trainer{})
}

type trainer struct{}

// Estimate says what steps cost: nothing but the records that they read, each of which is a token.
func (trainer) Estimate(cfg trainerConfig, req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	n := req.GetItems() * cfg.BatchSize
	return &sdk.EstimateResponse{Records: n, PromptTokens: float64(n), BytesWritten: 32 * max(1, float64(req.GetCheckpoints())), PeakMemoryBytes: 1 << 20}, nil
}

// Train reads each step's records, so that a data set that is too short is found, and learns nothing from them.
func (trainer) Train(ctx context.Context, c *sdk.Call, cfg trainerConfig, req *sdk.TrainRequest, emit func(*sdk.Checkpoint) error) error {
	if err := cfg.unlock(); err != nil {
		return err
	}
	if req.GetFromStep() < req.GetWindowStart() {
		return fmt.Errorf("from_step %d lies before window_start %d", req.GetFromStep(), req.GetWindowStart())
	}
	m, err := cfg.start(req)
	if err != nil {
		return err
	}
	data, err := sdk.OpenRecords(req.GetDataset().GetPath())
	if err != nil {
		return err
	}
	defer data.Close()
	if err := skip(data, (req.GetFromStep()-req.GetWindowStart())*cfg.BatchSize); err != nil {
		return err
	}
	m.Step = req.GetFromStep()
	saved := m.Step
	save := func() error {
		saved = m.Step
		path, err := writeModel(c.WorkDir, fmt.Sprintf("checkpoint-%d.json", m.Step), m)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("step-%d", m.Step)
		return emit(&sdk.Checkpoint{Step: m.Step, Output: &sdk.Output{Name: name, MediaType: sdk.CheckpointMediaType, Path: path}, Cursor: strconv.AppendUint(nil, m.Step, 10)})
	}
	for m.Step < req.GetToStep() && !c.IsStopped() {
		if err := cfg.before(ctx, m.Step+1); err != nil {
			return err
		}
		if err := skip(data, cfg.BatchSize); err != nil {
			return fmt.Errorf("step %d: %w", m.Step+1, err)
		}
		m.Step++
		c.Spend(cfg.BatchSize, 0)
		m.Quality = max(0, min(1, m.Quality+cfg.Gain))
		whole, err := m.merged(req.GetBase())
		if err != nil {
			return err
		}
		c.Progress(m.Step-req.GetFromStep(), req.GetToStep()-req.GetFromStep(), "steps", map[string]float64{"loss": 1 - whole.Quality})
		if every := req.GetSaveEverySteps(); every > 0 && (m.Step-req.GetWindowStart())%every == 0 {
			if err := save(); err != nil {
				return err
			}
		}
	}
	if saved == m.Step {
		return nil
	}
	return save()
}

// start is what training goes on from.
func (cfg trainerConfig) start(req *sdk.TrainRequest) (model, error) {
	m := model{Quality: cfg.Quality}
	if req.GetCheckpoint() != nil {
		var err error
		if m, err = readModel(req.GetCheckpoint()); err != nil {
			return m, err
		}
	}
	if cfg.Adapter != nil && *cfg.Adapter && m.On == nil {
		base, err := readModel(req.GetBase())
		if err != nil {
			return m, fmt.Errorf("an adapter needs an imported model to begin with: %w", err)
		}
		m = model{Step: m.Step, On: &base.Quality}
	}
	return m, nil
}

// Import makes a start checkpoint of a model from elsewhere.
func (trainer) Import(ctx context.Context, c *sdk.Call, _ trainerConfig, path string, emit func(*sdk.Output) error) error {
	return importModel(c, "checkpoint", sdk.CheckpointMediaType, path, emit)
}

// skip reads n records.
func skip(data *sdk.RecordReader, n uint64) error {
	for range n {
		if _, err := data.Next(); errors.Is(err, io.EOF) {
			return errors.New("the data set ends too early")
		} else if err != nil {
			return err
		}
	}
	return nil
}

// exporterConfig configures the exporter.
type exporterConfig struct {
	Quality float64 `jupiter:"quality" default:"1" desc:"Factor by which the export changes the quality."`
	Faults
}

// Estimate says what a model file takes.
func (exporterConfig) Estimate(*sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	return &sdk.EstimateResponse{BytesWritten: 32, PeakMemoryBytes: 1 << 20}, nil
}

func exporterStage() sdk.Stage {
	o := options("Makes a model file of a checkpoint.")
	o.Consumes = []string{sdk.CheckpointMediaType}
	o.Produces = []string{ModelMediaType}
	return sdk.Exporter("fake", o, func(ctx context.Context, c *sdk.Call, cfg exporterConfig, checkpoint *sdk.Artifact, emit func(*sdk.Output) error) error {
		if err := cfg.before(ctx, 1); err != nil {
			return err
		}
		m, err := readModel(checkpoint)
		if err == nil {
			m, err = m.merged(c.Base)
		}
		if err != nil {
			return err
		}
		m.Quality *= cfg.Quality
		path, err := writeModel(c.WorkDir, modelFile, m)
		if err != nil {
			return err
		}
		return emit(&sdk.Output{Name: "model", MediaType: ModelMediaType, Path: path})
	})
}
