package llama

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
	"jupiter/plugins/sdk"
)

// trainerStage is trainer "llama": it fits a Llama-style model to the window's records.
func trainerStage(free func()) sdk.Stage {
	return sdk.Trainer("llama", sdk.Options{
		Description:   "Trains a Llama-style language model on this machine's processors.",
		Revision:      2,
		Deterministic: true,
		Resumable:     true,
		Produces:      []string{sdk.CheckpointMediaType},
	}, trainer{ticks: halfSeconds, free: free})
}

// trainer implements sdk.TrainerImpl.
type trainer struct {
	// ticks starts a clock that says when to report progress.
	ticks func() (tick <-chan time.Time, stop func())
	free  func() // what this process keeps besides, before it trains
}

func halfSeconds() (<-chan time.Time, func()) {
	t := time.NewTicker(500 * time.Millisecond)
	return t.C, t.Stop
}

// Train runs the steps of one call: part of a window, or all of it.
func (t trainer) Train(ctx context.Context, c *sdk.Call, cfg trainerConfig, req *sdk.TrainRequest, emit func(*sdk.Checkpoint) error) error {
	s, wrong := cfg.settings()
	if len(wrong) > 0 {
		return fmt.Errorf("%s: %s", wrong[0].Summary, wrong[0].Detail)
	}
	if err := checkRequest(req); err != nil {
		return err
	}
	t.free()
	start, err := begin(c, s, req)
	if err != nil {
		return err
	}
	s.options.Seed, s.options.OneRate = c.Seed, start.imported
	s.schedule.Steps = req.WindowEnd - req.WindowStart
	tr, err := train.New(start.weights, start.moments, s.options)
	if err != nil {
		return err
	}
	defer tr.Close()
	r := &trainRun{call: c, settings: s, request: req, start: start, trainer: tr, emit: emit,
		cutPath: cfg.merge().path("max_seq_length")}
	m := newMeter(c, req.ToStep-req.FromStep)
	stop := m.start(t.ticks)
	defer stop()
	return r.steps(ctx, m)
}

// checkRequest refuses what this trainer cannot do.
func checkRequest(req *sdk.TrainRequest) error {
	switch {
	case len(req.GetTopology().GetPeers()) > 1:
		return fmt.Errorf("trainer \"llama\" runs on one machine, and the cluster has %d peers for it", len(req.Topology.Peers))
	case req.WindowStart > req.FromStep || req.FromStep > req.ToStep || req.ToStep > req.WindowEnd || req.WindowStart == req.WindowEnd:
		return fmt.Errorf("steps %d to %d do not lie in the window from %d to %d", req.FromStep, req.ToStep, req.WindowStart, req.WindowEnd)
	case req.Dataset == nil:
		return errors.New("there is no dataset to train on")
	}
	return nil
}

// startState is where training begins.
type startState struct {
	weights   *model.Weights
	moments   *train.Moments
	tokenizer *bpe.Tokenizer
	imported  bool // the run began with a model from elsewhere
	windows   []train.Window
	real      string // digest of what the tokenizer was trained on; "": the run began with a tokenizer
}

// begin reads the start checkpoint, or makes a tokenizer and fresh parameters.
func begin(c *sdk.Call, s settings, req *sdk.TrainRequest) (startState, error) {
	if req.Checkpoint == nil {
		if req.FromStep > req.WindowStart {
			return startState{}, fmt.Errorf("step %d lies within a window: going on from it needs its checkpoint", req.FromStep)
		}
		return fresh(c, s, req)
	}
	cp, err := train.ReadCheckpoint(req.Checkpoint.Path)
	if err != nil {
		return startState{}, fmt.Errorf("read the start checkpoint: %w", err)
	}
	if req.FromStep > req.WindowStart && cp.Info.Step != req.FromStep {
		return startState{}, fmt.Errorf("going on from step %d needs its checkpoint, and this one is of step %d", req.FromStep, cp.Info.Step)
	}
	if s.tokenizer != nil && !bytes.Equal(s.tokenizer.JSON(), cp.Tokenizer.JSON()) {
		return startState{}, errors.New("the start checkpoint has another tokenizer than the configuration gives: take the attribute tokenizer or vocabulary out, since a student keeps the tokenizer that it began with")
	}
	have, want := cp.Weights.Config, s.model
	want.Vocab = cp.Tokenizer.Size()
	if cp.Info.Imported { // no attribute says these: they are the model's own
		want.HeadDim, want.RopeTheta, want.NormEps, want.Tied = have.HeadDim, have.RopeTheta, have.NormEps, have.Tied
		want.RopeScaling = have.RopeScaling
	}
	if !have.SameArchitecture(want) {
		return startState{}, fmt.Errorf("the start checkpoint has %v; the configuration asks for %v", have, want)
	}
	cp.Weights.Context = want.Context
	return startState{weights: cp.Weights, moments: &cp.Moments, tokenizer: cp.Tokenizer, imported: cp.Info.Imported, windows: cp.Info.Windows, real: cp.Info.Real}, nil
}

// fresh draws parameters, and trains a tokenizer where none is given: on the real data, or on the dataset where the call has
// none apart.
func fresh(c *sdk.Call, s settings, req *sdk.TrainRequest) (startState, error) {
	if s.tokenizer != nil {
		w := model.New(s.model)
		w.Init(c.Seed)
		return startState{weights: w, tokenizer: s.tokenizer}, nil
	}
	source := req.Real
	if source == nil {
		source = req.Dataset
	}
	var failed error
	tok := bpe.Train(texts(source.Path, &failed), bpe.Options{VocabSize: s.vocabSize, SpacesApart: s.spacesApart})
	if failed != nil {
		return startState{}, fmt.Errorf("read the data for a tokenizer: %w", failed)
	}
	shape := s.model
	shape.Vocab = tok.Size()
	w := model.New(shape)
	w.Init(c.Seed)
	return startState{weights: w, tokenizer: tok, real: source.GetDigest()}, nil
}

// trainRun is one call under way.
type trainRun struct {
	call     *sdk.Call
	settings settings
	request  *sdk.TrainRequest
	start    startState
	trainer  *train.Trainer
	emit     func(*sdk.Checkpoint) error
	cutPath  []string // where the user wrote max_seq_length
	saved    uint64   // step of the last checkpoint; 0: none yet
}

// steps trains from FromStep to ToStep, and saves on the way, at the end, and when asked to stop.
func (r *trainRun) steps(ctx context.Context, m *meter) error {
	req := r.request
	f := newFeed(r.start.tokenizer, r.settings, req.Dataset.Path, (req.FromStep-req.WindowStart)*uint64(r.settings.batch))
	defer f.close()
	watch := newExplosion(r.start.tokenizer.Size())
	for step := req.FromStep; step < req.ToStep; step++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		seqs, err := f.next()
		if err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		lr := r.settings.schedule.At(step - req.WindowStart)
		res, err := r.trainer.Step(seqs, lr)
		if errors.Is(err, train.ErrNotFinite) {
			return r.diverged(step, fmt.Sprintf("%v (loss %g, gradient norm %g)", err, res.Loss, res.GradNorm))
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		if mean, exploded := watch.step(res.Loss); exploded {
			return r.diverged(step, fmt.Sprintf("the loss has exploded (%.3g nats a token in the last %d steps; at its best it was %.3g, and a guess costs %.3g)",
				mean, explosionSteps, watch.best, watch.guess))
		}
		m.step(res, lr)
		done := step + 1
		stopped := r.call.IsStopped()
		if stopped || r.due(done) {
			if err := r.save(done); err != nil {
				return fmt.Errorf("save step %d: %w", done, err)
			}
		}
		if stopped {
			break
		}
	}
	f.warn(r.call, r.cutPath)
	return nil
}

// diverged is the error of a run that learns nothing any more.
func (r *trainRun) diverged(step uint64, why string) error {
	kept := fmt.Sprintf("nothing was saved since step %d", r.request.FromStep)
	if r.saved > 0 {
		kept = fmt.Sprintf("the checkpoint of step %d was saved before", r.saved)
	}
	return fmt.Errorf("step %d: %s; %s: try a lower learning_rate than %g, a longer warmup_steps, or clip = 1", step, why, kept, r.settings.schedule.Peak)
}

// due reports whether a checkpoint belongs after so many steps.
func (r *trainRun) due(done uint64) bool {
	req := r.request
	if done == req.ToStep || done == req.WindowEnd {
		return true
	}
	return req.SaveEverySteps > 0 && (done-req.WindowStart)%req.SaveEverySteps == 0
}

// save writes and emits a checkpoint.
func (r *trainRun) save(step uint64) error {
	name := fmt.Sprintf("step-%d", step)
	err := train.WriteCheckpoint(filepath.Join(r.call.WorkDir, name), train.Checkpoint{
		Info: train.Info{
			Step: step, WindowStart: r.request.WindowStart, WindowEnd: r.request.WindowEnd,
			Seed: r.call.Seed, Kernel: kernel.Implementation(), Imported: r.start.imported,
			Windows: r.windows(step), Real: r.start.real,
		},
		Weights:   r.trainer.Weights(),
		Moments:   r.trainer.Moments(),
		Tokenizer: r.start.tokenizer,
	})
	if err != nil {
		return err
	}
	r.saved = step
	return r.emit(&sdk.Checkpoint{
		Step:   step,
		Output: &sdk.Output{Name: name, MediaType: sdk.CheckpointMediaType, Path: name},
	})
}

// windows are those of the start, and this one up to a step: as if the window had not been interrupted.
func (r *trainRun) windows(step uint64) []train.Window {
	before := slices.DeleteFunc(slices.Clone(r.start.windows), func(w train.Window) bool { return w.Start >= r.request.WindowStart })
	return append(before, train.Window{Start: r.request.WindowStart, End: step, Dataset: r.request.Dataset.GetDigest()})
}

// Estimate forecasts so many steps, with as many checkpoints as the host says, or one. The lengths of records are not
// known: a sequence is taken to fill an eighth of max_seq_length, as the default domain's do.
func (trainer) Estimate(cfg trainerConfig, req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	s, wrong := cfg.settings()
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %s", wrong[0].Summary, wrong[0].Detail)
	}
	length := max(2, float64(s.model.Context)/8)
	perStep := float64(s.batch) * length
	cost := train.Estimate(s.model, s.options, length, perStep)
	steps := float64(req.Items)
	return &sdk.EstimateResponse{
		Flop:            steps * perStep * cost.FlopPerRow,
		PromptTokens:    steps * perStep,
		BytesWritten:    cost.CheckpointBytes * max(1, float64(req.Checkpoints)),
		PeakMemoryBytes: cost.MemoryBytes,
		Records:         req.Items * uint64(s.batch),
	}, nil
}
