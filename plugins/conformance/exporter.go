package conformance

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// checkpoint is what an exporter is given: that of the options, or one of a trainer of the same plugin.
func (s *subject) checkpoint() (*pluginv1.Artifact, error) {
	if s.Checkpoint != "" {
		path, err := filepath.Abs(s.Checkpoint)
		return &pluginv1.Artifact{Path: path, MediaType: first(s.schema.Consumes)}, err
	}
	from := s.of("trainer", func(t *subject) bool {
		return t.trained != nil && len(t.trained.checkpoints) > 0 && shares(t.schema.Produces, s.schema.Consumes)
	})
	if from == nil {
		return nil, notChecked("there is no checkpoint to export: give one with --checkpoint, or configure a trainer of the plugin that makes one (%v)", s.schema.Consumes)
	}
	return from.trained.artifact(len(from.trained.checkpoints) - 1), nil
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

func (s *subject) export(ctx context.Context, h *host.Host) (outputs []*pluginv1.Output, work string, err error) {
	from, err := s.checkpoint()
	if err != nil {
		return nil, "", err
	}
	call, err := s.call(h)
	if err != nil {
		return nil, "", err
	}
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, "", err
	}
	stream, err := on.Exporter().Export(ctx, &pluginv1.ExportRequest{Call: call, Checkpoint: from})
	if err != nil {
		return nil, "", err
	}
	err = each(stream.Recv, func(e *pluginv1.ExportEvent) error {
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
		path := filepath.Join(work, filepath.FromSlash(o.Path))
		sum, err := digest(path)
		if err != nil {
			return fmt.Errorf("output %q: %w", o.Name, err)
		}
		t.note("%s %s %x", o.Name, o.MediaType, sum)
		if h == s.host && o.Name == "model" {
			s.model = &pluginv1.Artifact{Path: path, MediaType: o.MediaType}
		}
	}
	return nil
}

func exporterOutput(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	outputs, work, err := s.export(ctx, s.host)
	if err != nil {
		return err
	}
	if len(outputs) != 1 || outputs[0].Name != "model" {
		var names []string
		for _, o := range outputs {
			names = append(names, o.Name)
		}
		return fmt.Errorf("its outputs are %q, want one called model", names)
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
	req := &pluginv1.ExportRequest{Call: call}
	if call.Stage != nobody {
		var err error
		if req.Checkpoint, err = s.checkpoint(); err != nil {
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
	return receiving(stream.Recv), nil
}
