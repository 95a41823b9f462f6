package sdk

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// ImportFeature is the feature of a stage that takes models from elsewhere.
const ImportFeature = "import"

// Importer is what a GeneratorImpl or a TrainerImpl may be too. The stage has the feature "import" then, without naming
// it in its Options.
type Importer[C any] interface {
	// Import reads the model at path, a file or a directory, and emits it once: as a generator's output "model", in the
	// format that it runs, or as a trainer's output "checkpoint", which training starts from as if it were of step 0.
	// What cannot be taken exactly as it is, is refused. Output.Meta is shown to people: "format", "parameters".
	Import(ctx context.Context, c *Call, cfg C, path string, emit func(*Output) error) error
}

// takesModels gives a stage its import, where the implementation has one.
func takesModels[C any](s *stage, decode func([]byte) (C, error), impl any) {
	im, ok := impl.(Importer[C])
	if !ok {
		return
	}
	if !slices.Contains(s.info.Features, ImportFeature) {
		s.info.Features = append(slices.Clip(s.info.Features), ImportFeature)
	}
	s.importModel = func(ctx context.Context, c *Call, config []byte, path string, emit func(*Output) error) error {
		cfg, err := decode(config)
		if err != nil {
			return err
		}
		return im.Import(ctx, c, cfg, path, emit)
	}
}

// importModel serves an import for either kind: want is the name of the one output.
func (s *server) importModel(kind pluginv1.Kind, want string, req *pluginv1.ImportRequest, stream grpc.ServerStreamingServer[pluginv1.ImportEvent]) error {
	st, c, end, err := s.begin(kind, req.Call)
	if err != nil {
		return err
	}
	defer end()
	if st.importModel == nil {
		return status.Errorf(codes.Unimplemented, "stage %q takes no models from elsewhere", req.Call.Stage)
	}
	out := &outlet[*pluginv1.ImportEvent]{stream: stream}
	defer out.close()
	out.report(c, func(p *pluginv1.Progress) *pluginv1.ImportEvent {
		return &pluginv1.ImportEvent{Event: &pluginv1.ImportEvent_Progress{Progress: p}}
	}, func(d *Diagnostic) *pluginv1.ImportEvent {
		return &pluginv1.ImportEvent{Event: &pluginv1.ImportEvent_Diagnostic{Diagnostic: d}}
	})
	n := 0
	err = st.importModel(stream.Context(), c, req.Call.GetConfig().GetJson(), req.Path, func(o *Output) error {
		o, err := checkOutput(c, o)
		if err != nil {
			return err
		}
		if n++; n > 1 || o.Name != want {
			return broken("import gives one output, %q; this is number %d, %q", want, n, o.Name)
		}
		return out.put(&pluginv1.ImportEvent{Event: &pluginv1.ImportEvent_Output{Output: o}}, fmt.Sprintf("output %q", o.Name))
	})
	if err == nil && n == 0 && !c.IsStopped() {
		return broken("import gave no output %q", want)
	}
	return err
}

func (s *generatorServer) Import(req *pluginv1.ImportRequest, stream grpc.ServerStreamingServer[pluginv1.ImportEvent]) error {
	return s.importModel(pluginv1.Kind_KIND_GENERATOR, "model", req, stream)
}

func (s *trainerServer) Import(req *pluginv1.ImportRequest, stream grpc.ServerStreamingServer[pluginv1.ImportEvent]) error {
	return s.importModel(pluginv1.Kind_KIND_TRAINER, "checkpoint", req, stream)
}
