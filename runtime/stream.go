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

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

// Shards bound what a kill can cost: a shard is made durable after so many records or so much time, whichever is first, and
// what is bought elsewhere with each batch.
const (
	shardRecords = 4096
	shardBytes   = 64 << 20
	shardEvery   = 5 * time.Second
)

// maxHeld bounds what a call may give without a cursor, in bytes: until there is one it is held in memory, where each record
// takes recordOverhead besides what it says.
const (
	maxHeld        = 512 << 20
	recordOverhead = 256
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
	bytes  int // of buffer, about
	loose  int // bytes of what came after the last cursor
	cursor []byte
	since  time.Time
	eager  bool     // each batch is made durable: somebody may be paid for it
	use    *callUse // nil: no model runs
	state  state.Partial

	most   uint64                                 // records that are asked for; 0: as many as there are
	breach func(format string, args ...any) error // of the stage that gives them
}

// newSink goes on from the job's partial result, if it has one.
func newSink(j *job, st *host.Stage, method, unit string, stamp func(*sdk.Record) error) *sink {
	s := &sink{j: j, unit: unit, stamp: stamp, since: j.r.Clock(), eager: bought(st)}
	s.breach = func(format string, args ...any) error {
		return st.Breach(method, fmt.Sprintf("after %d %s", s.done(), unit), format, args...)
	}
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
	if n := s.done() + uint64(len(b.Records)); s.most > 0 && n > s.most {
		return errors.Join(s.breach("it gives at least %d %s where %d are due", n, s.unit, s.most), s.flush(ctx))
	}
	for _, rec := range b.Records {
		size := proto.Size(rec) + recordOverhead
		s.bytes, s.loose = s.bytes+size, s.loose+size
		s.use.saw(rec.PromptTokens, rec.CompletionTokens)
		if err := s.stamp(rec); err != nil {
			return err
		}
		s.buffer = append(s.buffer, rec)
	}
	if len(b.Cursor) > 0 {
		s.cursor, s.sure, s.loose = b.Cursor, len(s.buffer), 0
		if s.eager || len(s.buffer) >= shardRecords || s.bytes >= shardBytes || s.j.r.Clock().Sub(s.since) >= shardEvery {
			return s.flush(ctx)
		}
	}
	if s.loose > maxHeld {
		return errors.Join(s.breach("it gives more than %d MiB without a cursor", maxHeld>>20), s.flush(ctx))
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
	s.state, s.buffer, s.sure, s.bytes, s.since = p, s.buffer[s.sure:], 0, s.loose, s.j.r.Clock()
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
func drain[E recordEvent](ctx context.Context, j *job, st *host.Stage, s *sink, recv func() (E, error)) error {
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
			if err = j.diagnostic(st, e.GetDiagnostic()); err != nil {
				err = errors.Join(err, s.flush(ctx))
			}
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
