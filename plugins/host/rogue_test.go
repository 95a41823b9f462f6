//go:build linux

package host

import (
	"context"
	"errors"
	"os"
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

func (r *rogue) Info(context.Context, *pluginv1.InfoRequest) (*pluginv1.InfoResponse, error) {
	return &pluginv1.InfoResponse{Name: "rogue", Version: "0.0.1", Stages: []*pluginv1.Stage{
		{Kind: pluginv1.Kind_KIND_FILTER, Name: "rogue", Concurrent: true},
		{Kind: pluginv1.Kind_KIND_EXPORTER, Name: "rogue", Concurrent: true},
		{Kind: pluginv1.Kind_KIND_COLLECTOR, Name: "rogue"}, // which it does not serve
	}}, nil
}

func (r *rogue) Validate(context.Context, *pluginv1.ValidateRequest) (*pluginv1.ValidateResponse, error) {
	return &pluginv1.ValidateResponse{Diagnostics: []*pluginv1.Diagnostic{{Address: "not asked about"}}}, nil
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
