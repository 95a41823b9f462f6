package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/sdk"
)

// cursor says what was emitted: everything of the files before File, and its items up to Item.
type cursor struct {
	File    string `json:"file"` // relative path
	Pattern int    `json:"pattern"`
	Item    int    `json:"item"`
	Bad     uint64 `json:"bad"` // bad records so far
}

const (
	batchBytes   = maxRecord // of the records of a batch: below 1 MiB
	batchRecords = 1000
	maxWarnings  = 20 // of bad records one by one
)

// collector is one collection in progress.
type collector struct {
	ctx   context.Context
	call  *sdk.Call
	cfg   Config
	emit  func(*sdk.RecordBatch) error
	at    cursor
	batch []*sdk.Record
	bytes int
}

func collect(ctx context.Context, call *sdk.Call, cfg Config, emit func(*sdk.RecordBatch) error) error {
	found, err := find(cfg.Paths)
	if err != nil {
		return err
	}
	c := &collector{ctx: ctx, call: call, cfg: cfg, emit: emit}
	if len(call.Cursor) > 0 {
		if err := json.Unmarshal(call.Cursor, &c.at); err != nil {
			return fmt.Errorf("cursor: %w", err)
		}
	}
	last := file{rel: c.at.File, pattern: c.at.Pattern}
	var done, total int64
	for _, f := range found {
		total += f.size
	}
	for _, f := range found {
		skip := 0
		switch o := order(f, last); {
		case o < 0:
			done += f.size
			continue
		case o == 0:
			skip = c.at.Item
		}
		err := c.file(f, skip)
		if err == nil && call.IsStopped() {
			err = errStopped
		}
		if errors.Is(err, errStopped) {
			return c.flush()
		}
		if err != nil {
			return err
		}
		done += f.size
		call.Progress(uint64(done), uint64(total), "bytes", nil)
	}
	if c.at.Bad > 0 {
		call.Warn("Bad records were skipped", fmt.Sprintf("%d records could not be read and are left out; max_bad is %d.", c.at.Bad, cfg.MaxBad), "max_bad")
	}
	return c.flush()
}

// file emits the records of a file after the first skip items.
func (c *collector) file(f file, skip int) error {
	return c.cfg.read(f, func(it item) error {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if it.index <= skip {
			return nil
		}
		if it.bad != nil {
			if err := c.skip(f, it); err != nil {
				return err
			}
			c.at = cursor{f.rel, f.pattern, it.index, c.at.Bad}
			return nil
		}
		it.rec.Meta["source_path"] = f.rel
		it.rec.Meta["source_line"] = strconv.Itoa(it.line)
		if err := c.add(it.rec); err != nil {
			return err
		}
		c.at = cursor{f.rel, f.pattern, it.index, c.at.Bad}
		return nil
	})
}

// add puts a record into the batch. A batch that is full goes out first, and then is the time to stop.
func (c *collector) add(r *sdk.Record) error {
	n := proto.Size(r) + 8
	if len(c.batch) == batchRecords || c.bytes+n > batchBytes {
		if err := c.flush(); err != nil {
			return err
		}
		if c.call.IsStopped() {
			return errStopped
		}
	}
	c.batch = append(c.batch, r)
	c.bytes += n
	return nil
}

// errStopped ends the reading of a file when the host asks to save.
var errStopped = errors.New("stopped")

// skip counts a bad record, and fails when there are too many.
func (c *collector) skip(f file, it item) error {
	c.at.Bad++
	place := fmt.Sprintf("%s:%d", f.path, it.line)
	if c.at.Bad > c.cfg.MaxBad {
		if c.cfg.MaxBad == 0 {
			return fmt.Errorf("%s: %w; correct it, or set max_bad to skip bad records", place, it.bad)
		}
		return fmt.Errorf("%s: %w; that is one more than max_bad = %d", place, it.bad, c.cfg.MaxBad)
	}
	if c.at.Bad <= maxWarnings {
		c.call.Warn("Bad record skipped", fmt.Sprintf("%s: %v.", place, it.bad), "paths", strconv.Itoa(f.pattern))
	}
	return nil
}

func (c *collector) flush() error {
	if len(c.batch) == 0 {
		return nil
	}
	at, err := json.Marshal(c.at)
	if err != nil {
		return err
	}
	b := &sdk.RecordBatch{Records: c.batch, Cursor: at}
	c.batch, c.bytes = nil, 0
	return c.emit(b)
}
