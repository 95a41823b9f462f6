package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"sync/atomic"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// subject is a plugin and how the host starts it.
type subject struct {
	name     string // of the plugin and its filter
	program  host.Program
	confined string // the program that confines it; "": nothing does
}

// confineArg makes the program a wrapper.
const confineArg = "plugin-confine"

// host makes a host that has just this plugin, knows nothing of it, and counts the processes that it starts.
func (s subject) host(started *counter) (*host.Host, error) {
	o := host.Options{Plugins: map[string]host.Program{s.name: s.program}, Env: os.Environ(), Logger: slog.New(starts{slog.DiscardHandler, started})}
	if s.confined != "" {
		o.Wrapper = []string{s.confined, confineArg}
	}
	return host.New(o)
}

type counter = atomic.Int64

// starts counts what the host logs of starts.
type starts struct {
	slog.Handler
	n *counter // nil: nobody wants to know
}

func (starts) Enabled(context.Context, slog.Level) bool { return true }

func (s starts) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "plugin started" && s.n != nil {
		s.n.Add(1)
	}
	return nil
}

// call is what a stage is called with. A work directory is made for it.
func (s subject) call(h *host.Host, id string, config any) (*pluginv1.Call, error) {
	dir, err := h.CallDir(s.name, id)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(config)
	return &pluginv1.Call{Stage: s.name, Id: id, WorkDir: dir, Config: &pluginv1.Config{Json: b}}, err
}

// judge has the filter judge the batches that send hands over, and counts what it keeps.
func (s subject) judge(ctx context.Context, h *host.Host, id string, config any, send func(func(*pluginv1.RecordBatch) error) error) (kept int, err error) {
	st, err := h.Stage(ctx, "filter", s.name)
	if err != nil {
		return 0, err
	}
	call, err := s.call(h, id, config)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := st.Filter().Filter(ctx)
	if err != nil {
		return 0, err
	}
	sent := make(chan error, 1)
	go func() {
		err := stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Call{Call: call}})
		if err == nil {
			err = send(func(b *pluginv1.RecordBatch) error {
				return stream.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: b}})
			})
		}
		if err == nil {
			err = stream.CloseSend()
		}
		sent <- err
	}()
	err = drain(stream.Recv, func(e *pluginv1.FilterEvent) {
		for _, v := range e.GetVerdicts().GetVerdicts() {
			if v.Keep {
				kept++
			}
		}
	})
	if err == nil {
		err = <-sent
	}
	return kept, err
}

// collect counts what the collector sends.
func (s subject) collect(ctx context.Context, h *host.Host, id string, config any) (records, bytes int, err error) {
	st, err := h.Stage(ctx, "collector", s.name)
	if err != nil {
		return 0, 0, err
	}
	call, err := s.call(h, id, config)
	if err != nil {
		return 0, 0, err
	}
	stream, err := st.Collector().Collect(ctx, &pluginv1.CollectRequest{Call: call})
	if err != nil {
		return 0, 0, err
	}
	err = drain(stream.Recv, func(e *pluginv1.CollectEvent) {
		for _, r := range e.GetBatch().GetRecords() {
			records++
			bytes += len(r.Text)
		}
	})
	return records, bytes, err
}
