package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"jupiter/plugins/contract"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// The plain training: two checkpoints at multiples, and one at an end that is none.
const (
	plainSteps = 5
	plainEvery = 2
)

var plainWindow = window{to: plainSteps, end: plainSteps, every: plainEvery}

// training is what came of a training.
type training struct {
	checkpoints []*pluginv1.Checkpoint
	work        string // the call's directory
	done        uint64 // steps, as progress said; 0 where it counts something else
}

// path is where a checkpoint lies.
func (t *training) path(i int) string {
	return filepath.Join(t.work, filepath.FromSlash(t.checkpoints[i].GetOutput().GetPath()))
}

func (t *training) artifact(i int) *pluginv1.Artifact {
	return &pluginv1.Artifact{Path: t.path(i), MediaType: t.checkpoints[i].GetOutput().GetMediaType()}
}

// window is which steps are trained.
type window struct {
	from, to, end, every uint64
	start                *pluginv1.Artifact // nil: from nothing
}

// needs is how many records a trainer reads for so many steps.
func (s *subject) needs(ctx context.Context, h *host.Host, steps uint64) (uint64, error) {
	config, err := s.configuration()
	if err != nil {
		return 0, err
	}
	on, err := s.on(ctx, h)
	if err != nil {
		return 0, err
	}
	e, err := on.EstimateFor(ctx, &pluginv1.EstimateRequest{Config: &pluginv1.Config{Json: config}, Items: steps, Checkpoints: 1})
	return e.GetRecords(), err
}

func (s *subject) trainRequest(ctx context.Context, h *host.Host, call *pluginv1.Call, w window) (*pluginv1.TrainRequest, error) {
	n, err := s.needs(ctx, h, w.end)
	if err != nil {
		return nil, err
	}
	data, err := s.dataset(int(min(n, mostDrawn)))
	if err != nil {
		return nil, err
	}
	base, err := s.base(ctx)
	return w.request(call, data, base), err
}

// request asks for a window. Training that begins with a model from elsewhere has it as its first checkpoint, and as its base
// from there on.
func (w window) request(call *pluginv1.Call, data, base *pluginv1.Artifact) *pluginv1.TrainRequest {
	start := w.start
	if start == nil {
		start = base
	}
	return &pluginv1.TrainRequest{
		Call: call, Dataset: data, Real: data, Checkpoint: start, Base: base, FromStep: w.from, ToStep: w.to, WindowEnd: w.end, SaveEverySteps: w.every,
		Topology: &pluginv1.Topology{Peers: []*pluginv1.Peer{{Name: "local"}}},
	}
}

// mostDrawn bounds the records of a data set.
const mostDrawn = 200_000

func (s *subject) train(ctx context.Context, h *host.Host, w window) (*training, error) {
	call, err := s.call(h)
	if err != nil {
		return nil, err
	}
	req, err := s.trainRequest(ctx, h, call, w)
	if err != nil {
		return nil, err
	}
	t := &training{work: call.WorkDir}
	return t, s.receiveTraining(ctx, h, req, t)
}

// openTrain makes a call, and gives what receives its events.
func (s *subject) openTrain(ctx context.Context, h *host.Host, req *pluginv1.TrainRequest) (func() (*pluginv1.TrainEvent, error), error) {
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Trainer().Train(ctx, req)
	if err != nil {
		return nil, err
	}
	return stream.Recv, nil
}

func (s *subject) receiveTraining(ctx context.Context, h *host.Host, req *pluginv1.TrainRequest, t *training) error {
	recv, err := s.openTrain(ctx, h, req)
	if err != nil {
		return err
	}
	return each(recv, func(e *pluginv1.TrainEvent) error { t.take(e); return nil })
}

func (t *training) take(e *pluginv1.TrainEvent) {
	if c := e.GetCheckpoint(); c != nil {
		t.checkpoints = append(t.checkpoints, c)
	}
	if e.GetProgress().GetUnit() == "steps" {
		t.done = max(t.done, e.GetProgress().Done)
	}
}

func (s *subject) plainTrain(ctx context.Context, h *host.Host, t *transcript) error {
	got, err := s.train(ctx, h, plainWindow)
	if err != nil {
		return err
	}
	for i, c := range got.checkpoints {
		sum, err := digest(got.path(i))
		if err != nil {
			return fmt.Errorf("checkpoint of step %d: %w", c.Step, err)
		}
		t.note("step %d %x", c.Step, sum)
	}
	if h == s.host {
		s.trained = got
	}
	return nil
}

// digest is of a file's bytes, or of a directory's files with their names.
func digest(path string) ([]byte, error) {
	sum := sha256.New()
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\x00%d\x00", rel, info.Size())
		_, err = io.Copy(sum, f)
		return err
	})
	return sum.Sum(nil), err
}

func trainerEstimate(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	last := uint64(0)
	for _, steps := range []uint64{1, 10, 1000} {
		n, err := s.needs(ctx, s.host, steps)
		if err != nil {
			return err
		}
		if n <= last {
			return fmt.Errorf("%d records for %d steps, and %d for fewer", n, steps, last)
		}
		last = n
	}
	return nil
}

func trainerCheckpoints(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	got, err := s.train(ctx, s.host, plainWindow)
	if err != nil {
		return err
	}
	var steps []uint64
	for i, c := range got.checkpoints {
		steps = append(steps, c.Step)
		if err := belowWork(c.Output, got.work); err != nil {
			return fmt.Errorf("checkpoint of step %d: %w", got.checkpoints[i].Step, err)
		}
	}
	if want := []uint64{2, 4, 5}; fmt.Sprint(steps) != fmt.Sprint(want) {
		return fmt.Errorf("%d steps with save_every_steps = %d have checkpoints at %v, want %v", plainSteps, plainEvery, steps, want)
	}
	return nil
}

// belowWork says what is wrong with an output.
func belowWork(o *pluginv1.Output, work string) error {
	if wrong := contract.Output(o); wrong != "" {
		return errors.New(wrong)
	}
	path, err := filepath.EvalSymlinks(filepath.Join(work, filepath.FromSlash(o.Path)))
	if err != nil {
		return fmt.Errorf("its output %q is not there", o.Path)
	}
	if rel, err := filepath.Rel(work, path); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("its output %q is a link out of the work directory", o.Path)
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = fmt.Errorf("its output %q has %s in it, which is neither a file nor a directory", o.Path, d.Name())
		}
		return err
	})
}

// trainerRecords trains on texts that are hard to carry, alone and behind a prompt, and then on chats. A record without text
// never reaches a trainer.
func trainerRecords(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	var texts, chats []*pluginv1.Record
	for i, text := range hard {
		if text == "" {
			continue
		}
		texts = append(texts, &pluginv1.Record{Id: fmt.Sprintf("t%d", i), Text: text}, &pluginv1.Record{Id: fmt.Sprintf("p%d", i), Prompt: text, Text: "4"})
		chats = append(chats, &pluginv1.Record{Id: fmt.Sprintf("m%d", i), Messages: []*pluginv1.Message{{Role: "user", Content: text}, {Role: "assistant", Content: "4", Train: true}}})
	}
	if err := s.trainOn(ctx, "texts", texts); err != nil {
		return err
	}
	err := s.trainOn(ctx, "chats", chats)
	var own *host.StageError
	if errors.As(err, &own) && own.Code != "Internal" { // a model may have no tokens for turns
		return nil
	}
	return err
}

// trainOn trains two steps on records, over and over.
func (s *subject) trainOn(ctx context.Context, name string, records []*pluginv1.Record) error {
	const steps = 2
	n, err := s.needs(ctx, s.host, steps)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, name+".jsonl.zst")
	err = writeRecords(path, int(min(n, mostDrawn)), func(i int) (*pluginv1.Record, error) { return records[i%len(records)], nil })
	if err != nil {
		return err
	}
	call, err := s.call(s.host)
	if err != nil {
		return err
	}
	base, err := s.base(ctx)
	if err != nil {
		return err
	}
	got := &training{work: call.WorkDir}
	data := &pluginv1.Artifact{Path: path, MediaType: sdk.RecordsMediaType}
	if err := s.receiveTraining(ctx, s.host, window{to: steps, end: steps, every: steps}.request(call, data, base), got); err != nil {
		return err
	}
	if len(got.checkpoints) == 0 {
		return fmt.Errorf("it trains on %s and ends well, without a checkpoint", name)
	}
	return nil
}

func trainerResume(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	whole, err := s.train(ctx, s.host, plainWindow)
	if err != nil {
		return err
	}
	if len(whole.checkpoints) < 2 || whole.checkpoints[0].Step >= plainSteps {
		return notChecked("there is no checkpoint to go on from, see trainer-checkpoints")
	}
	other, err := s.fresh()
	if err != nil {
		return err
	}
	defer other.Close()
	first := whole.checkpoints[0].Step
	rest, err := s.train(ctx, other, window{from: first, to: plainSteps, end: plainSteps, every: plainEvery, start: whole.artifact(0)})
	if err != nil {
		return fmt.Errorf("from the checkpoint of step %d: %w", first, err)
	}
	return s.sameEnd(whole, rest)
}

// sameEnd compares the last checkpoints of two trainings.
func (s *subject) sameEnd(a, b *training) error {
	i, j := len(a.checkpoints)-1, len(b.checkpoints)-1
	if i < 0 || j < 0 || a.checkpoints[i].Step != b.checkpoints[j].Step {
		return fmt.Errorf("it does not end at the step of undisturbed training")
	}
	if !s.sure() {
		return nil
	}
	x, err := digest(a.path(i))
	if err != nil {
		return err
	}
	y, err := digest(b.path(j))
	if err == nil && !bytes.Equal(x, y) {
		err = fmt.Errorf("the checkpoint of step %d has other bytes than that of undisturbed training", a.checkpoints[i].Step)
	}
	return err
}

// many are more steps than a stop lets a trainer take. It does not matter how long they would last.
func (s *subject) many(ctx context.Context) (window, error) {
	const steps = 20_000
	n, err := s.needs(ctx, s.host, steps)
	if err != nil {
		return window{}, err
	}
	end := uint64(steps)
	if n > mostDrawn {
		end = max(1, steps*mostDrawn/n)
	}
	return window{to: end, end: end, every: max(1, end/4)}, nil
}

func (s *subject) beginTrain(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	req := window{to: 1, end: 1}.request(call, nil, nil)
	if call.Stage != nobody {
		w, err := s.many(ctx)
		if err == nil {
			req, err = s.trainRequest(ctx, h, call, w)
		}
		if err != nil {
			return nil, err
		}
	}
	recv, err := s.openTrain(ctx, h, req)
	return receiving(recv), err
}
