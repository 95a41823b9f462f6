//go:build linux

package host

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// rogue is a plugin that was not made with the SDK, and breaks the promises that the SDK keeps.
type rogue struct {
	plugin.NetRPCUnsupportedPlugin
	pluginv1.UnimplementedPluginServer
	pluginv1.UnimplementedFilterServer
	pluginv1.UnimplementedExporterServer
	server *grpc.Server
}

func serveRogue() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: sdk.ProtocolVersion, MagicCookieKey: sdk.CookieKey, MagicCookieValue: sdk.CookieValue},
		Plugins:         plugin.PluginSet{sdk.ServiceName: &rogue{}},
		GRPCServer:      plugin.DefaultGRPCServer,
		Logger:          hclog.NewNullLogger(),
	})
	time.Sleep(time.Minute) // it does not end with its server
	os.Exit(1)
}

func (r *rogue) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	r.server = s
	pluginv1.RegisterPluginServer(s, r)
	pluginv1.RegisterFilterServer(s, r)
	pluginv1.RegisterExporterServer(s, r)
	return nil
}

func (r *rogue) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no client side")
}

// Info answers otherwise where the file "fickle" is not empty, and leaves it so.
func (r *rogue) Info(context.Context, *pluginv1.InfoRequest) (*pluginv1.InfoResponse, error) {
	if b, err := os.ReadFile("fickle"); err == nil {
		if len(b) > 0 {
			return &pluginv1.InfoResponse{Name: "rogue", Version: "2.0.0", Stages: []*pluginv1.Stage{{Kind: pluginv1.Kind_KIND_VERIFIER, Name: "another"}}}, nil
		}
		if err := os.WriteFile("fickle", []byte("asked"), 0o644); err != nil {
			return nil, err
		}
	}
	return &pluginv1.InfoResponse{Name: "rogue", Version: "0.0.1", Stages: []*pluginv1.Stage{
		{Kind: pluginv1.Kind_KIND_FILTER, Name: "rogue", Concurrent: true},
		{Kind: pluginv1.Kind_KIND_EXPORTER, Name: "rogue", Concurrent: true},
		{Kind: pluginv1.Kind_KIND_COLLECTOR, Name: "rogue"}, // which it does not serve
	}}, nil
}

func (r *rogue) Validate(context.Context, *pluginv1.ValidateRequest) (*pluginv1.ValidateResponse, error) {
	return &pluginv1.ValidateResponse{Diagnostics: []*pluginv1.Diagnostic{{Address: "not asked about"}}}, nil
}

// Estimate never comes, or gives what is no figure.
func (r *rogue) Estimate(ctx context.Context, req *pluginv1.EstimateRequest) (*pluginv1.EstimateResponse, error) {
	switch string(req.Config.GetJson()) {
	case "never":
		select {}
	case "NaN":
		return &pluginv1.EstimateResponse{Flop: math.NaN()}, nil
	}
	return r.UnimplementedPluginServer.Estimate(ctx, req)
}

// Filter answers one record with two verdicts.
func (r *rogue) Filter(s grpc.BidiStreamingServer[pluginv1.FilterRequest, pluginv1.FilterEvent]) error {
	for range 2 {
		if _, err := s.Recv(); err != nil {
			return err
		}
	}
	return s.Send(&pluginv1.FilterEvent{Event: &pluginv1.FilterEvent_Verdicts{Verdicts: &pluginv1.VerdictBatch{Verdicts: []*pluginv1.Verdict{{Id: "a"}, {Id: "a"}}}}})
}

// Export sends too much, or shuts the server down.
func (r *rogue) Export(req *pluginv1.ExportRequest, s grpc.ServerStreamingServer[pluginv1.ExportEvent]) error {
	if req.Call.Id == "close" {
		go r.server.Stop()
		<-s.Context().Done()
		return nil
	}
	return s.Send(&pluginv1.ExportEvent{Event: &pluginv1.ExportEvent_Output{Output: &pluginv1.Output{Name: strings.Repeat("n", 5<<20)}}})
}

func TestRogue(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "rogue")
	stage := func(kind string) *Stage {
		s, err := h.Stage(t.Context(), kind, "rogue")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(err error, text string) {
		t.Helper()
		var pe *ProtocolError
		if !errors.As(err, &pe) || pe.Version != "0.0.1" || !strings.Contains(err.Error(), text) {
			t.Errorf("%T: %v, want a protocol error: %s", err, err, text)
		}
	}
	c, err := stage("collector").Collector().Collect(t.Context(), &pluginv1.CollectRequest{})
	if err == nil {
		_, err = c.Recv()
	}
	want(err, "it lists a stage that it does not serve: unknown service jupiter.plugin.v1.Collector")

	_, err = stage("filter").Validate(t.Context(), []byte("{}"))
	want(err, `a diagnostic for the address "not asked about"`)

	export := func(id string) error {
		x, err := stage("exporter").Exporter().Export(t.Context(), &pluginv1.ExportRequest{Call: &pluginv1.Call{Id: id}})
		if err != nil {
			return err
		}
		_, err = x.Recv()
		return err
	}
	want(export("large"), "a message holds at most 4194304 bytes: received message larger than max")

	pid := h.processes()[0].pid()
	want(export("close"), "it closed its connection and lives on")
	gone(t, pid)

	f, err := stage("filter").Filter().Filter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*pluginv1.FilterRequest{
		{Message: &pluginv1.FilterRequest_Call{Call: &pluginv1.Call{}}},
		{Message: &pluginv1.FilterRequest_Batch{Batch: &pluginv1.RecordBatch{Records: []*pluginv1.Record{{Id: "a"}}}}},
	} {
		if err := f.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	_, err = f.Recv()
	want(err, "it answers more than it was asked")
	if _, err := stage("filter").Estimate(t.Context(), nil, 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("estimate: %v, want ErrUnsupported", err)
	}
}

// A plugin that owes an answer about a configuration is ended after Options.AnswerWithin; one that gives a figure that is none
// may live.
func TestRogueEstimates(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{AnswerWithin: 200 * time.Millisecond}, "rogue")
	s, err := h.Stage(t.Context(), "filter", "rogue")
	if err != nil {
		t.Fatal(err)
	}
	pid := h.processes()[0].pid()
	var pe *ProtocolError
	if _, err := s.Estimate(t.Context(), []byte("NaN"), 1); !errors.As(err, &pe) || !strings.Contains(err.Error(), "plugin rogue 0.0.1 breaks the protocol in filter rogue, Estimate: it estimates flop = NaN") {
		t.Errorf("%v, want that NaN is no estimate", err)
	}
	if !running(pid) {
		t.Error("the process was ended for an estimate")
	}
	var c *Crash
	if _, err := s.Estimate(t.Context(), []byte("never"), 1); !errors.As(err, &c) || !c.Stalled || !strings.Contains(err.Error(), "plugin rogue 0.0.1 stalled in filter rogue, Estimate: no message for 200ms") {
		t.Errorf("%v, want that it stalled", err)
	}
	gone(t, pid)
}

// A plugin that describes itself otherwise than before is taken at its first word, until its bytes change.
func TestRogueFickle(t *testing.T) {
	t.Parallel()
	dir, cache := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fickle"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h := newHost(t, Options{Dir: dir, CacheDir: cache}, "rogue")
		s, err := h.Stage(t.Context(), "filter", "rogue")
		if err != nil {
			t.Fatalf("%v, want its first word", err)
		}
		if _, err := s.Estimate(t.Context(), nil, 1); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, want that the stage is there", err)
		}
	}
	h := newHost(t, Options{Dir: dir, CacheDir: t.TempDir()}, "rogue")
	if _, err := h.Stage(t.Context(), "filter", "rogue"); err == nil || !strings.Contains(err.Error(), `no plugin offers filter "rogue"`) {
		t.Errorf("%v, want what it says where nobody knows it", err)
	}
}

// What only the caller sees to be wrong names the plugin as the host's own errors do.
func TestBreach(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "filter", "good")
	if err != nil {
		t.Fatal(err)
	}
	err = s.Breach("Filter", "record r", "it ends after %d of %d verdicts", 1, 2)
	if want := "plugin good 1.2.3 breaks the protocol in filter good, Filter, record r: it ends after 1 of 2 verdicts\nits executable: sha256:"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s…", err, want)
	}
	if err := s.Refuses("no"); err.Error() != "filter good: no" {
		t.Errorf("%v", err)
	}
	if e := (&StageError{Plugin: "acme", Stage: "filter good", Message: "no"}); e.Error() != "plugin acme, filter good: no" {
		t.Errorf("%v does not name the plugin", e)
	}
}
