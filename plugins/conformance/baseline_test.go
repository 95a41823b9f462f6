//go:build linux

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"jupiter/plugins/sdk"
)

// baseline is a plugin with a stage of each kind, called "t", which keeps all rules. breaks names the one that a stage
// breaks instead.
type baseline struct{ breaks string }

type config struct {
	Count int    `jupiter:"count" default:"3" desc:"A number from 0 on."`
	Label string `jupiter:"label" default:"\"x\"" desc:"A text."`
}

func (c config) Validate() []*sdk.Diagnostic {
	if c.Count < 0 {
		return []*sdk.Diagnostic{sdk.Error("Negative count", "Give at least 0.", "count")}
	}
	return nil
}

// Fingerprint names a source that never changes.
func (c config) Fingerprint(context.Context) (string, error) { return c.Label, nil }

func (b baseline) plugin() sdk.Plugin {
	o := sdk.Options{Description: "For the suite's own test.", Revision: 1, Deterministic: true, Concurrent: true, Resumable: true}
	train, export, generate := o, o, o
	train.Produces = []string{"application/x-checkpoint"}
	export.Consumes, export.Produces = train.Produces, []string{"application/x-model"}
	generate.Consumes, generate.Features = export.Produces, []string{"score", "json_schema"}
	return sdk.Plugin{Name: "rogue", Version: "1.0.0", Stages: []sdk.Stage{
		sdk.Collector("t", o, b.collect),
		sdk.Filter("t", o, func(context.Context, *sdk.Call, config) (sdk.Judge, error) { return &judge{baseline: b}, nil }),
		sdk.Verifier("t", o, func(context.Context, *sdk.Call, config) (func([]*sdk.VerifyItem) ([]*sdk.Judgement, error), error) {
			return (&judge{baseline: b}).verify, nil
		}),
		sdk.Trainer("t", train, trains{b}),
		sdk.Exporter("t", export, b.export),
		sdk.Generator("t", generate, generates{b}),
		sdk.Evaluator("t", o, evaluates{b}),
	}}
}

const step = 10 // records of a batch

// touched is memory that a process has: pages that are not touched take none.
func touched(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// collect gives records whose cursors are their numbers.
func (b baseline) collect(ctx context.Context, c *sdk.Call, _ config, emit func(*sdk.RecordBatch) error) error {
	from := 0
	if len(c.Cursor) > 0 {
		from, _ = strconv.Atoi(string(c.Cursor))
		if b.breaks == "collector-resume" {
			from++
		}
	}
	var leaked [][]byte
	for n := from; n < 20_000 && !c.IsStopped(); n += step {
		batch := &sdk.RecordBatch{Cursor: strconv.AppendInt(nil, int64(n+step), 10)}
		if b.breaks == "collector-memory" && n < 6000 {
			leaked = append(leaked, touched(step*8<<10))
		}
		for k := range step {
			batch.Records = append(batch.Records, &sdk.Record{Text: fmt.Sprintf("record %d of a long row, with some words more", n+k)})
		}
		if b.breaks == "stop" && n > from {
			batch.Cursor = strconv.AppendInt(nil, int64(n+step+len(c.Cursor)), 10)
		}
		if err := emit(batch); err != nil {
			return err
		}
	}
	runtime.KeepAlive(leaked)
	if b.breaks == "stop" && c.IsStopped() {
		return emit(&sdk.RecordBatch{Cursor: []byte("5999")}) // it forgets what lies between
	}
	return nil
}

// hash is a number that is made of texts.
func hash(texts ...string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(strings.Join(texts, "\x00")))
	return h.Sum64()
}

// state is what checkpoints and models hold.
type state struct{ Step, Sum uint64 }

func (s state) write(c *sdk.Call, name string) (*sdk.Output, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &sdk.Output{Name: name, Path: name, MediaType: "application/x-checkpoint"}, os.WriteFile(filepath.Join(c.WorkDir, name), b, 0o644)
}

func read(a *sdk.Artifact) (s state, err error) {
	b, err := os.ReadFile(a.GetPath())
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// withBase is a mode that keeps all rules, and whose trainer and exporter need the model that training began with.
const withBase = "needs a base"

type trains struct{ baseline }

func (t trains) Estimate(_ config, req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	if t.breaks == "trainer-estimate" {
		return &sdk.EstimateResponse{Records: 8}, nil
	}
	return &sdk.EstimateResponse{Records: 2 * req.GetItems()}, nil
}

// take takes a state from elsewhere.
func (b baseline) take(c *sdk.Call, path, name string, emit func(*sdk.Output) error) error {
	s, err := read(&sdk.Artifact{Path: path})
	if err == nil && s.Step == 0 {
		err = errors.New("that is no state")
	}
	if err != nil && b.breaks != "import-refused" {
		return err
	}
	o, err := s.write(c, name)
	if err != nil {
		return err
	}
	return emit(o)
}

func (t trains) Import(_ context.Context, c *sdk.Call, _ config, path string, emit func(*sdk.Output) error) error {
	return t.take(c, path, "checkpoint", emit)
}

func (t trains) Train(ctx context.Context, c *sdk.Call, _ config, req *sdk.TrainRequest, emit func(*sdk.Checkpoint) error) error {
	var s state
	if t.breaks == withBase && req.GetBase() == nil {
		return errors.New("this trainer has nothing to begin with")
	}
	if req.GetCheckpoint() != nil {
		var err error
		if s, err = read(req.GetCheckpoint()); err != nil {
			return err
		}
		if t.breaks == "trainer-resume" {
			s.Sum++
		}
	}
	if t.breaks == "trainer-records" {
		if err := plainOnly(req.GetDataset().GetPath()); err != nil {
			return err
		}
	}
	s.Step = req.GetFromStep()
	saved := s.Step
	save := func() error {
		saved = s.Step
		o, err := s.write(c, fmt.Sprintf("step-%d", s.Step))
		if err != nil {
			return err
		}
		return emit(&sdk.Checkpoint{Step: s.Step, Output: o})
	}
	for s.Step < req.GetToStep() && !c.IsStopped() && ctx.Err() == nil {
		s.Step++
		s.Sum = hash(strconv.FormatUint(s.Sum, 10))
		if t.breaks == "stop-late" {
			time.Sleep(time.Millisecond)
		}
		c.Spend(2, 0)
		c.Progress(s.Step-req.GetFromStep(), req.GetToStep(), "steps", nil)
		if s.Step%req.GetSaveEverySteps() == 0 && t.breaks != "trainer-checkpoints" {
			if err := save(); err != nil {
				return err
			}
		}
	}
	if saved == s.Step || t.breaks == "stop-unsaved" && c.IsStopped() && s.Step > 100 {
		return ctx.Err()
	}
	return save()
}

// plainOnly refuses records that are more than a text.
func plainOnly(path string) error {
	r, err := sdk.OpenRecords(path)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && rec.Prompt != "" {
			err = errors.New("a prompt")
		}
		if err != nil {
			return err
		}
	}
}

func (b baseline) export(_ context.Context, c *sdk.Call, _ config, checkpoint *sdk.Artifact, emit func(*sdk.Output) error) error {
	s, err := read(checkpoint)
	if err != nil {
		return err
	}
	if b.breaks == withBase && c.Base == nil {
		return errors.New("there is no base")
	}
	if b.breaks == "stop-failed" {
		select {
		case <-c.Stopped:
			return errors.New("I was not done")
		case <-time.After(600 * time.Millisecond):
		}
	}
	name := "model"
	if b.breaks == "exporter-output" {
		name = "weights"
	}
	o, err := s.write(c, name)
	if err != nil {
		return err
	}
	o.MediaType = "application/x-model"
	return emit(o)
}

type evaluates struct{ baseline }

func (e evaluates) Prepare(_ context.Context, _ *sdk.Call, _ config, _ *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	var all []*sdk.Question
	for i := range 10 {
		id := fmt.Sprintf("q%d", i)
		if e.breaks == "evaluator-prepare" {
			id = "q"
		}
		all = append(all, &sdk.Question{Prompt: &sdk.Prompt{Id: id, Text: fmt.Sprintf("%d + 1 =", i)}, Reference: strconv.Itoa(i + 1), Split: "gate"})
		if e.breaks == "deterministic" {
			all[i].Cluster = strconv.FormatInt(time.Now().UnixNano(), 10)
		}
	}
	return emit(all)
}

func (e evaluates) Score(_ context.Context, _ *sdk.Call, _ config, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	var all []*sdk.QuestionScore
	for i, a := range answers {
		if e.breaks == "evaluator-unicode" && strings.Contains(a.GetCompletion().GetText(), "\x00") {
			return nil, errors.New("that ends early")
		}
		x := &sdk.QuestionScore{PromptId: a.GetQuestion().GetPrompt().GetId()}
		score := 0.0
		if a.GetCompletion().GetText() == a.GetQuestion().GetReference() {
			score = 1
		}
		switch {
		case e.breaks == "evaluator-score" && i > 0:
			score = score / 2 // of what does not come first
		case e.breaks == "evaluator-unavailable":
			x.Accuracy = &score
		}
		if a.GetCompletion() != nil {
			x.Accuracy = &score
		}
		all = append(all, x)
	}
	return all, nil
}
