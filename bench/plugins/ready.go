package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"jupiter/plugins/proto/pluginv1"
)

// drain reads a stream to its end.
func drain[E any](recv func() (E, error), each func(E)) error {
	for {
		e, err := recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		each(e)
	}
}

// ready takes how long it is from a host that knows nothing of a plugin, and has not read its executable, to the plugin's
// first verdict. That holds the checksum of the executable, the certificates, the start of the wrapper and of the plugin, the
// handshake, the connection, what the plugin says of itself, and a call with one record.
func (s subject) ready(ctx context.Context, config any) (sample, error) {
	began := time.Now()
	h, err := s.host(nil)
	if err != nil {
		return sample{}, err
	}
	kept, err := s.judge(ctx, h, "ready", config, func(put func(*pluginv1.RecordBatch) error) error {
		return put(&pluginv1.RecordBatch{Records: []*pluginv1.Record{{Id: "1", Text: "The first record of all."}}})
	})
	took := time.Since(began)
	if err == nil && kept != 1 {
		err = fmt.Errorf("plugin %s does not keep the one record", s.name)
	}
	return sample{value: took.Seconds() * 1000}, errors.Join(err, h.Close())
}

// share has many handles on one stage make a call each, one after the other and then all at once, and gives how many
// processes the host has started for them.
func (s subject) share(ctx context.Context, handles int) (int64, error) {
	var started counter
	h, err := s.host(&started)
	if err != nil {
		return 0, err
	}
	one := func(id string) error {
		_, _, err := s.collect(ctx, h, id, load{Records: 1, Bytes: 1024, Batch: 1})
		return err
	}
	for i := range handles {
		if err := one(fmt.Sprintf("in-turn-%d", i)); err != nil {
			return 0, errors.Join(err, h.Close())
		}
	}
	ends := make(chan error)
	for i := range handles {
		go func() { ends <- one(fmt.Sprintf("at-once-%d", i)) }()
	}
	for range handles {
		err = errors.Join(err, <-ends)
	}
	return started.Load(), errors.Join(err, h.Close())
}
