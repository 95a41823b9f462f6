// Package sdktest runs a plugin in process, for the tests of its stages.
//
// The plugin answers over a real gRPC connection in memory: messages are encoded, split and bounded as they are between
// processes. What it does not have is a process of its own: a stage that exits takes the test with it.
package sdktest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// Conn is a connection to a plugin, with a client of each service. A service that the plugin has no stage for answers
// Unimplemented.
type Conn struct {
	Plugin    pluginv1.PluginClient
	Collector pluginv1.CollectorClient
	Generator pluginv1.GeneratorClient
	Filter    pluginv1.FilterClient
	Verifier  pluginv1.VerifierClient
	Trainer   pluginv1.TrainerClient
	Evaluator pluginv1.EvaluatorClient
	Exporter  pluginv1.ExporterClient

	stages []*pluginv1.Stage
}

// Open serves p until the test ends.
func Open(t testing.TB, p sdk.Plugin) *Conn {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	s := sdk.Server(p)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	cc, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cc.Close()
		s.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	c := &Conn{
		Plugin:    pluginv1.NewPluginClient(cc),
		Collector: pluginv1.NewCollectorClient(cc),
		Generator: pluginv1.NewGeneratorClient(cc),
		Filter:    pluginv1.NewFilterClient(cc),
		Verifier:  pluginv1.NewVerifierClient(cc),
		Trainer:   pluginv1.NewTrainerClient(cc),
		Evaluator: pluginv1.NewEvaluatorClient(cc),
		Exporter:  pluginv1.NewExporterClient(cc),
	}
	info, err := c.Plugin.Info(t.Context(), &pluginv1.InfoRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c.stages = info.Stages
	return c
}

// Call makes the call of a stage: config is any value whose JSON is an object, and the defaults of the schema are
// filled in as the host does. The work directory is new and empty.
func (c *Conn) Call(t testing.TB, kind pluginv1.Kind, stage string, config any) *pluginv1.Call {
	t.Helper()
	return &pluginv1.Call{Stage: stage, Id: t.Name(), WorkDir: t.TempDir(), Config: c.Config(t, kind, stage, config)}
}

// Config gives config as it crosses the wire, with the defaults of the stage's schema filled in. nil is {}.
func (c *Conn) Config(t testing.TB, kind pluginv1.Kind, stage string, config any) *pluginv1.Config {
	t.Helper()
	attrs := map[string]json.RawMessage{}
	if config != nil {
		b, err := json.Marshal(config)
		if err == nil {
			err = json.Unmarshal(b, &attrs)
		}
		if err != nil {
			t.Fatalf("configuration of %s: %v", stage, err)
		}
		if attrs == nil { // config was a nil map
			attrs = map[string]json.RawMessage{}
		}
	}
	i := slices.IndexFunc(c.stages, func(s *pluginv1.Stage) bool { return s.Kind == kind && s.Name == stage })
	if i < 0 {
		t.Fatalf("the plugin has no %v %q", kind, stage)
	}
	for _, a := range c.stages[i].Schema.Attributes {
		if v := attrs[a.Name]; len(a.Default) > 0 && (v == nil || string(v) == "null") {
			attrs[a.Name] = a.Default
		}
	}
	for _, b := range c.stages[i].Schema.Blocks {
		nested := map[string]json.RawMessage{}
		if v := attrs[b.Type]; v == nil || json.Unmarshal(v, &nested) != nil || nested == nil {
			continue
		}
		for _, a := range b.Schema.Attributes {
			if v := nested[a.Name]; len(a.Default) > 0 && (v == nil || string(v) == "null") {
				nested[a.Name] = a.Default
			}
		}
		whole, err := json.Marshal(nested)
		if err != nil {
			t.Fatalf("configuration of %s: %v", stage, err)
		}
		attrs[b.Type] = whole
	}
	b, err := json.Marshal(attrs)
	if err != nil {
		t.Fatalf("configuration of %s: %v", stage, err)
	}
	return &pluginv1.Config{Json: b}
}

// Stream is the receiving half of a call.
type Stream[E any] interface{ Recv() (*E, error) }

// All reads a stream to its end. Its error is nil when the call ended well.
func All[E any](s Stream[E]) ([]*E, error) {
	var all []*E
	for {
		e, err := s.Recv()
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return all, err
		}
		all = append(all, e)
	}
}
