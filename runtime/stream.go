package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

// Shards bound what a kill can cost: a shard is made durable after so many records or so much time, whichever is first.
const (
	shardRecords = 4096
	shardEvery   = 5 * time.Second
)

const recordsFile = "records.jsonl.zst"

// recordEvent is what collectors and generators stream.
type recordEvent interface {
	GetBatch() *pluginv1.RecordBatch
	GetProgress() *pluginv1.Progress
	GetDiagnostic() *pluginv1.Diagnostic
}

// sink gathers the records of a call that may be cut off. Finished shards and the cursor behind them are durable; what
// comes after them is lost with the process and asked for again.
type sink struct {
	j      *job
	unit   string
	stamp  func(*sdk.Record) error // completes each record before it is kept
	buffer []*sdk.Record
	sure   int // of buffer: what came before the last cursor
	cursor []byte
	since  time.Time
	use    *callUse // nil: no model runs
	state  state.Partial
}

// newSink goes on from the job's partial result, if it has one.
func newSink(j *job, unit string, stamp func(*sdk.Record) error) *sink {
	s := &sink{j: j, unit: unit, stamp: stamp, since: j.r.Clock()}
	if j.partial != nil {
		s.state = *j.partial
		s.cursor = j.partial.Cursor
	}
	s.state.Unit = unit
	return s
}

// done counts the records so far.
func (s *sink) done() uint64 { return s.state.Done + uint64(len(s.buffer)) }

func (s *sink) take(ctx context.Context, b *pluginv1.RecordBatch) error {
	for _, rec := range b.Records {
		s.use.saw(rec.PromptTokens, rec.CompletionTokens)
		if err := s.stamp(rec); err != nil {
			return err
		}
		s.buffer = append(s.buffer, rec)
	}
	if len(b.Cursor) > 0 {
		s.cursor, s.sure = b.Cursor, len(s.buffer)
		if len(s.buffer) >= shardRecords || s.j.r.Clock().Sub(s.since) >= shardEvery {
			return s.flush(ctx)
		}
	}
	return nil
}

// flush makes durable what came before the last cursor. What came after it would come again.
func (s *sink) flush(ctx context.Context) error {
	if s.sure == 0 {
		return nil
	}
	path := filepath.Join(s.j.work, fmt.Sprintf("shard-%d.jsonl.zst", len(s.state.Shards)))
	if err := writeRecords(path, s.buffer[:s.sure]); err != nil {
		return err
	}
	art, err := s.j.ingest(ctx, put{path: path, mediaType: sdk.RecordsMediaType})
	if err != nil {
		return err
	}
	p := s.state
	p.Cursor, p.Shards, p.Done = s.cursor, append(p.Shards[:len(p.Shards):len(p.Shards)], art.Digest), p.Done+uint64(s.sure)
	if err := s.j.save(ctx, &p, art); err != nil {
		return err
	}
	s.state, s.buffer, s.sure, s.since = p, s.buffer[s.sure:], 0, s.j.r.Clock()
	return nil
}

// close writes all records, in order, to one file. Its bytes do not depend on where the shards were cut.
func (s *sink) close() (put, error) {
	w, err := sdk.CreateRecords(filepath.Join(s.j.work, recordsFile))
	if err != nil {
		return put{}, err
	}
	for _, d := range s.state.Shards {
		if err := eachRecord(s.j.r.at(d), w.Write); err != nil {
			return put{}, errors.Join(err, w.Close())
		}
	}
	for _, rec := range s.buffer {
		if err := w.Write(rec); err != nil {
			return put{}, errors.Join(err, w.Close())
		}
	}
	return put{path: recordsFile, mediaType: sdk.RecordsMediaType}, w.Close()
}

// drain reads a stream of records to its end. Asked to stop, it keeps what came and returns ErrInterrupted.
func drain[E recordEvent](ctx context.Context, j *job, s *sink, recv func() (E, error)) error {
	for {
		e, err := recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if j.r.stopping.Load() || ctx.Err() != nil {
				if ferr := s.flush(context.WithoutCancel(ctx)); ferr != nil {
					return ferr
				}
				return ErrInterrupted
			}
			return errors.Join(err, s.flush(ctx))
		}
		switch {
		case e.GetBatch() != nil:
			err = s.take(ctx, e.GetBatch())
		case e.GetProgress() != nil:
			s.use.heard(e.GetProgress())
			j.progress(e.GetProgress())
		case e.GetDiagnostic() != nil:
			err = j.diagnostic(e.GetDiagnostic())
		}
		if err != nil {
			return err
		}
	}
}

// recordID names a record by its content.
func recordID(r *sdk.Record) string {
	h := sha256.New()
	for _, s := range []string{r.Prompt, r.Text} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	for _, m := range r.Messages {
		fmt.Fprintf(h, "%d:%s%d:%s%t", len(m.Role), m.Role, len(m.Content), m.Content, m.Train)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func writeRecords(path string, recs []*sdk.Record) error {
	w, err := sdk.CreateRecords(path)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

func eachRecord(path string, f func(*sdk.Record) error) error {
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
		if err := f(rec); err != nil {
			return err
		}
	}
}

// readRecords reads an input's records.
func (j *job) readRecords(input string) ([]*sdk.Record, error) {
	path, err := j.path(input)
	if err != nil {
		return nil, err
	}
	var recs []*sdk.Record
	err = eachRecord(path, func(r *sdk.Record) error {
		recs = append(recs, r)
		return nil
	})
	return recs, err
}
