package conformance

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// checkpoint is what an exporter is given: that of the options, or one of a trainer of the same plugin, with what its training
// began with.
func (s *subject) checkpoint(ctx context.Context) (checkpoint, base *pluginv1.Artifact, err error) {
	if s.Checkpoint != "" {
		path, err := filepath.Abs(s.Checkpoint)
		return &pluginv1.Artifact{Path: path, MediaType: first(s.schema.Consumes)}, nil, err
	}
	from := s.of("trainer", func(t *subject) bool {
		return t.trained != nil && len(t.trained.checkpoints) > 0 && shares(t.schema.Produces, s.schema.Consumes)
	})
	if from == nil {
		return nil, nil, notChecked("there is no checkpoint to export: give one with --checkpoint, or configure a trainer of the plugin that makes one (%v)", s.schema.Consumes)
	}
	base, err = from.base(ctx)
	return from.trained.artifact(len(from.trained.checkpoints) - 1), base, err
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// openExport makes a call, and gives what receives its events.
func (s *subject) openExport(ctx context.Context, h *host.Host, call *pluginv1.Call) (func() (*pluginv1.ExportEvent, error), error) {
	req := &pluginv1.ExportRequest{Call: call}
	if call.Stage != nobody {
		var err error
		if req.Checkpoint, req.Base, err = s.checkpoint(ctx); err != nil {
			return nil, err
		}
	}
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Exporter().Export(ctx, req)
	if err != nil {
		return nil, err
	}
	return stream.Recv, nil
}

func (s *subject) export(ctx context.Context, h *host.Host) (outputs []*pluginv1.Output, work string, err error) {
	call, err := s.call(h)
	if err != nil {
		return nil, "", err
	}
	recv, err := s.openExport(ctx, h, call)
	if err != nil {
		return nil, "", err
	}
	err = each(recv, func(e *pluginv1.ExportEvent) error {
		if o := e.GetOutput(); o != nil {
			outputs = append(outputs, o)
		}
		return nil
	})
	return outputs, call.WorkDir, err
}

func (s *subject) plainExport(ctx context.Context, h *host.Host, t *transcript) error {
	outputs, work, err := s.export(ctx, h)
	if err != nil {
		return err
	}
	for _, o := range outputs {
		if h == s.host && o.Name == "model" {
			s.model = &pluginv1.Artifact{Path: filepath.Join(work, filepath.FromSlash(o.Path)), MediaType: o.MediaType}
		}
	}
	return t.outputs(outputs, work)
}

// outputs adds what files or directories hold.
func (t *transcript) outputs(all []*pluginv1.Output, work string) error {
	for _, o := range all {
		sum, err := digest(filepath.Join(work, filepath.FromSlash(o.Path)))
		if err != nil {
			return fmt.Errorf("output %q: %w", o.Name, err)
		}
		t.note("%s %s %x", o.Name, o.MediaType, sum)
	}
	return nil
}

func names(outputs []*pluginv1.Output) (all []string) {
	for _, o := range outputs {
		all = append(all, o.Name)
	}
	return all
}

func exporterOutput(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	outputs, work, err := s.export(ctx, s.host)
	if err != nil {
		return err
	}
	if len(outputs) != 1 || outputs[0].Name != "model" {
		return fmt.Errorf("its outputs are %q, want one called model", names(outputs))
	}
	if err := belowWork(outputs[0], work); err != nil {
		return err
	}
	if !slices.Contains(s.schema.Produces, outputs[0].MediaType) {
		return fmt.Errorf("its output is of the media type %q, and it says that it produces %q", outputs[0].MediaType, s.schema.Produces)
	}
	return nil
}

func (s *subject) beginExport(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	recv, err := s.openExport(ctx, h, call)
	return receiving(recv), err
}

// stopExport asks an export to stop when half the time has passed that it takes: its first message may be its last. It may
// give its output all the same, but then the whole of it.
func (s *subject) stopExport(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 3*s.Timeout+s.Grace, errSlow)
	defer cancel()
	began := time.Now()
	if _, err := s.plainAt(ctx, s.host); err != nil {
		return err
	}
	half := time.Since(began) / 2
	call, err := s.call(s.host)
	if err != nil {
		return err
	}
	recv, err := s.openExport(ctx, s.host, call)
	if err != nil {
		return err
	}
	var outputs []*pluginv1.Output
	g := receiving(func() (*pluginv1.ExportEvent, error) {
		e, err := recv()
		if o := e.GetOutput(); o != nil {
			outputs = append(outputs, o)
		}
		return e, err
	})
	select {
	case <-time.After(half):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := s.stopAnd(ctx, g); err != nil {
		return err
	}
	t := &transcript{}
	if err := t.outputs(outputs, call.WorkDir); err != nil {
		return err
	}
	if len(outputs) > 0 && s.sure() && !bytes.Equal(t.b.Bytes(), s.plain) {
		return fmt.Errorf("a stopped export gives an output, and not that of an undisturbed one")
	}
	return s.answersAgain(ctx)
}
