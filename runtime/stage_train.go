package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

// trained is what a window left behind.
type trained struct {
	From        uint64             `json:"from"`
	To          uint64             `json:"to"`
	Checkpoints int                `json:"checkpoints"`
	Metrics     map[string]float64 `json:"metrics"`
}

func (t trained) String() string {
	if loss, ok := t.Metrics["loss"]; ok {
		return fmt.Sprintf("steps %d → %d, loss %.4f", t.From, t.To, loss)
	}
	return fmt.Sprintf("steps %d → %d, loss unavailable", t.From, t.To)
}

// saved is a window's checkpoints so far: what a partial result of training remembers.
type saved struct {
	Checkpoints map[string]string `json:"checkpoints"` // output name → digest
}

// stepOutput is the output name of the checkpoint at a step; names sort as the steps do.
func stepOutput(step uint64) string { return fmt.Sprintf("step-%09d", step) }

// train runs one window. Each checkpoint is durable as soon as the trainer has finished writing it; an interrupted
// window goes on from the last one.
func (j *job) train(ctx context.Context) (*result, error) {
	stage, w := j.a.Stage, j.a.Window
	req, have, err := j.trainRequest(ctx)
	if err != nil {
		return nil, err
	}
	st, err := j.r.stage(ctx, stage)
	if err != nil {
		return nil, err
	}
	use := j.use(stage)
	req.Call.Limit = use.limit()
	last := req.FromStep
	metrics := map[string]float64{}
	if last < w.End {
		stream, err := st.Trainer().Train(ctx, req)
		if err != nil {
			return nil, err
		}
		for {
			e, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if j.r.stopping.Load() || ctx.Err() != nil {
					return nil, ErrInterrupted
				}
				return nil, err
			}
			switch {
			case e.GetProgress() != nil:
				use.heard(e.GetProgress())
				if m := j.progress(e.GetProgress()); len(e.GetProgress().Metrics) > 0 {
					metrics = m
				}
			case e.GetDiagnostic() != nil:
				err = j.diagnostic(st, e.GetDiagnostic())
			case e.GetCheckpoint() != nil:
				cp := e.GetCheckpoint()
				if err = j.checkpoint(ctx, st, cp, have); err == nil {
					last = cp.Step
				}
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if last < w.End {
		if j.r.stopping.Load() || ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		return nil, st.Breach("Train", "", "it ends at step %d of %d", last, w.End)
	}
	res := &result{outputs: map[string]put{}, detail: trained{w.Start, w.End, len(have.Checkpoints), metrics}}
	for name, digest := range have.Checkpoints {
		res.outputs[name] = put{digest: digest, mediaType: sdk.CheckpointMediaType}
	}
	return res, nil
}

// trainRequest asks for the window, from where an earlier try left off.
func (j *job) trainRequest(ctx context.Context) (*pluginv1.TrainRequest, *saved, error) {
	stage, w := j.a.Stage, j.a.Window
	call, err := j.call(stage.Type, stage.Body)
	if err != nil {
		return nil, nil, err
	}
	if _, err := j.path("dataset"); err != nil {
		return nil, nil, err
	}
	req := &pluginv1.TrainRequest{Call: call, FromStep: w.Start, ToStep: w.End, WindowStart: w.Start, WindowEnd: w.End,
		SaveEverySteps: stage.SaveEverySteps,
		Dataset:        j.artifact(j.inputs["dataset"], sdk.RecordsMediaType),
		Real:           j.artifact(j.inputs["real"], sdk.RecordsMediaType),
		Topology:       &pluginv1.Topology{Peers: []*pluginv1.Peer{{Name: "local"}}}}
	if d := j.inputs["start"]; d != "" {
		if _, err := j.path("start"); err != nil {
			return nil, nil, err
		}
		req.Checkpoint = j.artifact(d, sdk.CheckpointMediaType)
	}
	if req.Base, err = j.base(); err != nil {
		return nil, nil, err
	}
	have := &saved{Checkpoints: map[string]string{}}
	if p := j.partial; p != nil && p.Checkpoint != "" && j.r.has(p.Checkpoint) {
		if err := json.Unmarshal(p.Detail, have); err != nil {
			return nil, nil, fmt.Errorf("partial result: %w", err)
		}
		req.Checkpoint, req.FromStep, call.Cursor = j.artifact(p.Checkpoint, sdk.CheckpointMediaType), p.Done, p.Cursor
	}
	return req, have, nil
}

// checkpoint makes one checkpoint durable. A checkpoint between two multiples of save_every_steps is where an
// interruption stopped: the next try starts there, and it is no candidate.
func (j *job) checkpoint(ctx context.Context, st *host.Stage, cp *pluginv1.Checkpoint, have *saved) error {
	w := j.a.Window
	path, err := j.output(st, "Train", cp.GetOutput().GetPath())
	if err != nil {
		return fmt.Errorf("the checkpoint of step %d: %w", cp.Step, err)
	}
	art, err := j.ingest(ctx, put{path: path, mediaType: sdk.CheckpointMediaType, from: st})
	if err != nil {
		return fmt.Errorf("the checkpoint of step %d: %w", cp.Step, err)
	}
	every := j.a.Stage.SaveEverySteps
	if cp.Step == w.End || every > 0 && (cp.Step-w.Start)%every == 0 {
		have.Checkpoints[stepOutput(cp.Step)] = art.Digest
	}
	detail, err := json.Marshal(have)
	if err != nil {
		return err
	}
	return j.save(ctx, &state.Partial{Checkpoint: art.Digest, Done: cp.Step, Unit: "steps", Cursor: cp.Cursor, Detail: detail}, art)
}
