package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"jupiter/plugins/sdk"
)

// collectorConfig configures the collector, which records N questions with their answers.
type collectorConfig struct {
	N       uint64  `jupiter:"n" default:"10" desc:"Records."`
	Start   uint64  `jupiter:"start" default:"0" desc:"Number of the first question."`
	Quality float64 `jupiter:"quality" default:"1" desc:"Share of records with the right answer."`
	Batch   uint64  `jupiter:"batch,effect=none" default:"10" desc:"Records in a batch."`
	Key
	Faults
}

func collectorStage() sdk.Stage {
	o := options("Records questions with their answers.")
	o.Resumable = true
	return sdk.Collector("fake", o, func(ctx context.Context, c *sdk.Call, cfg collectorConfig, emit func(*sdk.RecordBatch) error) error {
		if err := cfg.unlock(); err != nil {
			return err
		}
		from := uint64(0)
		if len(c.Cursor) > 0 {
			var err error
			if from, err = strconv.ParseUint(string(c.Cursor), 10, 64); err != nil {
				return fmt.Errorf("cursor: %w", err)
			}
		}
		b := &batcher{size: cfg.Batch, emit: emit}
		for i := from; i < cfg.N && !c.IsStopped(); i++ {
			if err := cfg.before(ctx, i+1); err != nil {
				return err
			}
			p := Prompt(cfg.Start + i)
			if err := b.add(&sdk.Record{Prompt: p, Text: answer(p, cfg.Quality, 0), Meta: map[string]string{"source_line": fmt.Sprint(i + 1)}}, i+1); err != nil {
				return err
			}
			c.Progress(i+1, cfg.N, "records", nil)
		}
		return b.flush()
	})
}

// batcher gathers records. The cursor of a batch is the number of records up to its end.
type batcher struct {
	size    uint64
	emit    func(*sdk.RecordBatch) error
	records []*sdk.Record
	done    uint64
}

func (b *batcher) add(r *sdk.Record, done uint64) error {
	b.records, b.done = append(b.records, r), done
	if uint64(len(b.records)) >= b.size {
		return b.flush()
	}
	return nil
}

func (b *batcher) flush() error {
	if len(b.records) == 0 {
		return nil
	}
	out := &sdk.RecordBatch{Records: b.records, Cursor: strconv.AppendUint(nil, b.done, 10)}
	b.records = nil
	return b.emit(out)
}

// filterConfig configures the filter, which keeps a share of the records.
type filterConfig struct {
	Quality float64 `jupiter:"quality" default:"1" desc:"Share of records that are kept, by a hash of what they say."`
	Against string  `jupiter:"against,accepts=application/vnd.jupiter.records+jsonl+zstd" desc:"Records that are dropped where they come again: a filter's, or a side of a domain."`
	Poison
	Faults
}

func filterStage() sdk.Stage {
	return sdk.Filter("fake", options("Keeps a share of the records."), func(ctx context.Context, c *sdk.Call, cfg filterConfig) (sdk.Judge, error) {
		f := &filter{before: func(n uint64) error { return cfg.before(ctx, n) }, poison: cfg.Poison, quality: cfg.Quality, seen: map[string]string{}}
		if a := c.Inputs["against"]; a != nil {
			return f, f.against(a.GetPath())
		}
		return f, nil
	})
}

// against makes the records of a file known.
func (f *filter) against(path string) error {
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
		if err != nil {
			return err
		}
		f.seen[says(rec)] = rec.GetId()
	}
}

type filter struct {
	before  func(n uint64) error
	poison  Poison
	quality float64
	n       uint64
	seen    map[string]string // what a record says → its identifier
}

func says(r *sdk.Record) string { return r.GetPrompt() + r.GetText() }

// Refer makes records known: the same text again is a duplicate.
func (f *filter) Refer(records []*sdk.Record) error {
	for _, r := range records {
		f.seen[says(r)] = r.GetId()
	}
	return nil
}

func (f *filter) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	var out []*sdk.Verdict
	for _, r := range records {
		f.n++
		if err := f.before(f.n); err != nil {
			return nil, err
		}
		f.poison.swallow(says(r))
		v := &sdk.Verdict{Id: r.GetId(), Keep: true, Score: 1}
		if id, known := f.seen[says(r)]; known {
			v = &sdk.Verdict{Id: r.GetId(), Reason: "duplicate", DuplicateOf: id}
		} else if !happens(f.quality, says(r), 0) {
			v = &sdk.Verdict{Id: r.GetId(), Reason: "fake"}
		}
		out = append(out, v)
	}
	return out, nil
}

// verifierConfig configures the verifier.
type verifierConfig struct {
	Quality float64 `jupiter:"quality" default:"1" desc:"Share of items that are judged; the others are not well formed to it."`
	Poison
	Faults
}

func verifierStage() sdk.Stage {
	return sdk.Verifier("fake", options("Judges answers."), func(ctx context.Context, _ *sdk.Call, cfg verifierConfig) (func([]*sdk.VerifyItem) ([]*sdk.Judgement, error), error) {
		n := uint64(0)
		return func(items []*sdk.VerifyItem) ([]*sdk.Judgement, error) {
			var out []*sdk.Judgement
			for _, it := range items {
				n++
				if err := cfg.before(ctx, n); err != nil {
					return nil, err
				}
				cfg.swallow(it.GetPrompt() + it.GetText())
				out = append(out, judge(it, cfg.Quality))
			}
			return out, nil
		}, nil
	})
}

func judge(it *sdk.VerifyItem, quality float64) *sdk.Judgement {
	j := &sdk.Judgement{Id: it.GetId()}
	prompt, text := it.GetPrompt(), it.GetText()
	if prompt == "" {
		colon := strings.IndexByte(text, ':') + 1
		prompt, text = text[:colon], text[colon:]
		j.Question, j.Answer = prompt, text
	}
	n, ok := Parse(prompt)
	if !ok {
		j.Reason = "no_question"
		return j
	}
	j.Key, j.Family = strings.TrimSuffix(prompt, ":"), "even"
	if n%2 == 1 {
		j.Family = "odd"
	}
	got, err := strconv.ParseUint(text, 10, 64)
	if err != nil || !happens(quality, prompt+text, 1) {
		j.Reason = "shape"
		return j
	}
	j.WellFormed, j.Consistent = true, true
	j.AnswerOk = got == n && strconv.FormatUint(n, 10) == text
	j.StepsOk = j.AnswerOk
	if !j.AnswerOk {
		j.Reason = "wrong_answer"
	}
	return j
}
