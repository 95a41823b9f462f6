package sdk

import (
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// The services that make models: trainers and exporters.

type trainerServer struct {
	pluginv1.UnimplementedTrainerServer
	*server
}

func (s *trainerServer) Train(req *pluginv1.TrainRequest, stream grpc.ServerStreamingServer[pluginv1.TrainEvent]) error {
	st, c, end, err := s.begin(pluginv1.Kind_KIND_TRAINER, req.Call)
	if err != nil {
		return err
	}
	defer end()
	out := &outlet[*pluginv1.TrainEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.TrainEvent {
		return &pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.TrainEvent {
		return &pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Diagnostic{Diagnostic: d}}
	})
	defer c.settle()
	last := req.FromStep
	return st.train(stream.Context(), c, req.Call.GetConfig().GetJson(), req, func(cp *Checkpoint) error {
		if cp.GetStep() < last || cp.GetStep() > req.ToStep {
			return broken("a checkpoint of step %d, wanted one from step %d to %d", cp.GetStep(), last, req.ToStep)
		}
		last = cp.Step
		o, err := checkOutput(c, cp.Output)
		if err != nil {
			return err
		}
		e := &pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Checkpoint{Checkpoint: &Checkpoint{Step: cp.Step, Output: o, Cursor: cp.Cursor}}}
		return out.put(e, fmt.Sprintf("the checkpoint of step %d", cp.Step))
	})
}

type exporterServer struct {
	pluginv1.UnimplementedExporterServer
	*server
}

func (s *exporterServer) Export(req *pluginv1.ExportRequest, stream grpc.ServerStreamingServer[pluginv1.ExportEvent]) error {
	st, c, end, err := s.begin(pluginv1.Kind_KIND_EXPORTER, req.Call)
	if err != nil {
		return err
	}
	defer end()
	c.Base = req.Base
	out := &outlet[*pluginv1.ExportEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.ExportEvent {
		return &pluginv1.ExportEvent{Event: &pluginv1.ExportEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.ExportEvent {
		return &pluginv1.ExportEvent{Event: &pluginv1.ExportEvent_Diagnostic{Diagnostic: d}}
	})
	names := map[string]bool{}
	return st.export(stream.Context(), c, req.Call.GetConfig().GetJson(), req.Checkpoint, func(o *Output) error {
		o, err := checkOutput(c, o)
		if err != nil {
			return err
		}
		if names[o.Name] {
			return broken("output %q is there twice", o.Name)
		}
		names[o.Name] = true
		return out.put(&pluginv1.ExportEvent{Event: &pluginv1.ExportEvent_Output{Output: o}}, fmt.Sprintf("output %q", o.Name))
	})
}

// checkOutput gives o with its path relative to the call's work directory. The file or directory must be there: the host
// takes it over at once.
func checkOutput(c *Call, o *Output) (*Output, error) {
	if o.GetName() == "" {
		return nil, broken("an output has no name")
	}
	path := o.Path
	if filepath.IsAbs(path) {
		rel, err := filepath.Rel(c.WorkDir, path)
		if err != nil {
			return nil, broken("output %q: %v", o.Name, err)
		}
		path = rel
	}
	if !filepath.IsLocal(path) {
		return nil, broken("output %q lies outside the call's work directory: %s", o.Name, o.Path)
	}
	if _, err := os.Lstat(filepath.Join(c.WorkDir, path)); err != nil {
		return nil, broken("output %q: %v", o.Name, err)
	}
	return &Output{Name: o.Name, MediaType: o.MediaType, Path: filepath.ToSlash(path), Meta: o.Meta}, nil
}
