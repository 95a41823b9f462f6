package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"jupiter/plugins/host"
)

// What is sent. The program cuts records into batches of half a MiB, counted with what it says of each; a batch of the
// second kind is as large as the protocol has it.
var (
	small = load{Records: 200_000, Bytes: 1024, Batch: 456}
	large = load{Records: 16 * 384, Bytes: 1<<16 - 64, Batch: 16}
)

// flow is a direction of records.
type flow struct {
	name string
	run  func(context.Context, subject, *host.Host, string, load) (records int, err error)
}

var toPlugin = flow{"to a filter, verdicts back", func(ctx context.Context, s subject, h *host.Host, id string, l load) (int, error) {
	return s.judge(ctx, h, id, filtering{l.Profile}, l.each)
}}

var fromPlugin = flow{"from a collector", func(ctx context.Context, s subject, h *host.Host, id string, l load) (int, error) {
	n, bytes, err := s.collect(ctx, h, id, l)
	if err == nil && bytes != n*l.Bytes {
		err = fmt.Errorf("%d bytes came in %d records", bytes, n)
	}
	return n, err
}}

// rate takes how many records a second go through a process that has served a call before. profiles is a directory for
// CPU profiles of both sides; "": none.
func (s subject) rate(ctx context.Context, f flow, l load, profiles string) (out sample, err error) {
	h, err := s.host(nil)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	warm := l
	warm.Records = l.Batch
	if _, err := f.run(ctx, s, h, "warm", warm); err != nil {
		return out, err
	}
	if profiles != "" {
		name := filepath.Join(profiles, fmt.Sprintf("%.4s-%d-%s", f.name, l.Bytes, s.program.TLS))
		l.Profile = name + "-plugin.pprof"
		p, err := os.Create(name + "-host.pprof")
		if err != nil {
			return out, err
		}
		defer p.Close()
		if err := pprof.StartCPUProfile(p); err != nil {
			return out, err
		}
		defer pprof.StopCPUProfile()
	}
	began := time.Now()
	n, err := f.run(ctx, s, h, "timed", l)
	took := time.Since(began)
	if err == nil && n != l.Records {
		err = fmt.Errorf("%d of %d records went %s", n, l.Records, f.name)
	}
	return sample{value: float64(n) / took.Seconds()}, err
}
