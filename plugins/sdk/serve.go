package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// The handshake that host and plugin agree on, and the name under which the services are registered with go-plugin.
const (
	ProtocolVersion = 1
	CookieKey       = "JUPITER_PLUGIN"
	CookieValue     = "b0d4e2a7c1f84c0f9d2f6a3e5b7c8d91"
	ServiceName     = "jupiter"

	// WatchKey is set to "1" in the environment of a plugin whose standard input ends when its host does.
	WatchKey = "JUPITER_PLUGIN_WATCH"

	// Where the host makes the certificates of both sides, these hold the plugin's own certificate, its key, and the only
	// certificate that it should accept from a client, in PEM. Serve needs none of it: it makes its own.
	TLSCertKey   = "JUPITER_PLUGIN_TLS_CERT"
	TLSKeyKey    = "JUPITER_PLUGIN_TLS_KEY"
	TLSClientKey = "JUPITER_PLUGIN_TLS_CLIENT_CERT"
)

// Serve runs the process as the plugin p, until the host ends it. It writes the handshake to standard output, serves
// gRPC with the certificates that the host hands over, and returns when the host says that it is done. Started by hand
// it explains itself on standard error and exits with status 1.
func Serve(p Plugin) {
	stderr := os.Stderr
	if os.Getenv(CookieKey) != CookieValue {
		fmt.Fprintf(stderr, "%s is a plugin of Jupiter: it is started by jupiter, not by hand (magic cookie %s is missing or wrong).\n", p.Name, CookieKey)
		os.Exit(1)
	}
	if os.Getenv(WatchKey) == "1" {
		// A hang-up says that the host is gone, as the end of standard input does, which ends the process in order. The
		// signals are taken and dropped, not ignored: what the plugin starts would inherit that.
		signal.Notify(make(chan os.Signal, 1), hangup)
		go watch(os.Stdin)
	}
	certificates, err := certified(os.Getenv(AutoMTLSKey), os.Stdout)
	if err != nil {
		fmt.Fprintf(stderr, "plugin %s: make a certificate: %v\n", p.Name, err)
		os.Exit(1)
	}
	plugin.Serve(&plugin.ServeConfig{
		TLSProvider:     certificates,
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: ProtocolVersion, MagicCookieKey: CookieKey, MagicCookieValue: CookieValue},
		Plugins:         plugin.PluginSet{ServiceName: grpcPlugin{server: newServer(p)}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, interceptors(stderr)...)...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: stderr}),
	})
}

// Server gives a gRPC server with p's services registered, for tests that run a plugin in process.
func Server(p Plugin, opts ...grpc.ServerOption) *grpc.Server {
	s := grpc.NewServer(append(opts, interceptors(nil)...)...)
	newServer(p).register(s)
	return s
}

// grpcPlugin registers the services with go-plugin.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

func (p grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	p.server.register(s)
	return nil
}

func (grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("sdk: a plugin has no client side")
}

// watch ends the process, and all that it has started, when r ends: the host is gone.
func watch(r io.Reader) {
	_, _ = io.Copy(io.Discard, r)
	if dir := os.Getenv(plugin.EnvUnixSocketDir); dir != "" {
		_ = os.RemoveAll(dir)
	}
	endGroup()
}

// interceptors turn a panic into an error, and give errors their codes. With a standard error of the process's own they
// also undo go-plugin's redirection of os.Stdout and os.Stderr, which sends both through a gRPC stream: what a plugin
// writes there just before it dies would be lost, and that is when it is wanted.
func interceptors(stderr *os.File) []grpc.ServerOption {
	var once sync.Once
	restore := func() {
		if stderr != nil {
			once.Do(func() { os.Stdout, os.Stderr = stderr, stderr })
		}
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
			if !strings.HasPrefix(info.FullMethod, methodPrefix) {
				return next(ctx, req)
			}
			restore()
			defer func() { recovered(recover(), info.FullMethod, &err) }()
			resp, err = next(ctx, req)
			return resp, toStatus(ctx, err)
		}),
		grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
			if !strings.HasPrefix(info.FullMethod, methodPrefix) {
				return next(srv, s)
			}
			restore()
			defer func() { recovered(recover(), info.FullMethod, &err) }()
			return toStatus(s.Context(), next(srv, s))
		}),
	}
}

const methodPrefix = "/jupiter.plugin.v1."

// recovered turns the value of recover into an error, with the stack on standard error.
func recovered(r any, method string, err *error) {
	if r == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "panic in %s: %v\n\n%s\n", strings.TrimPrefix(method, methodPrefix), r, debug.Stack())
	*err = status.Error(codes.Internal, clip(fmt.Sprintf("panic%s: %v", panicked(), r)))
}

// toStatus gives an error the code that the host tells kinds of errors apart by. Canceled and Unavailable are what a
// connection's end looks like, and stay out of a stage's own errors.
func toStatus(ctx context.Context, err error) error {
	var ce *configError
	var passing *transientError
	var cannot *unsupportedError
	var invalid *invalidError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case errors.As(err, &ce) || errors.As(err, &invalid):
		return status.Error(codes.InvalidArgument, clip(err.Error()))
	case errors.As(err, &passing):
		return status.Error(codes.Aborted, clip(err.Error()))
	case errors.As(err, &cannot):
		return status.Error(codes.Unimplemented, clip(err.Error()))
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.Canceled && s.Code() != codes.Unavailable {
		return status.Error(s.Code(), clip(s.Message()))
	}
	return status.Error(codes.Unknown, clip(err.Error()))
}

// Transient marks an error as one that may pass, such as that of a server that is busy: the host tries the action again,
// from what it has saved, a few times and with growing pauses.
func Transient(err error) error {
	if err == nil {
		return nil
	}
	return &transientError{err}
}

type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }

// Invalid marks an error as one of the request, such as a prompt that the stage cannot take: another try would end the same
// way. A configuration that cannot work is said by its Validate method.
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	return &invalidError{err}
}

type invalidError struct{ error }

func (e *invalidError) Unwrap() error { return e.error }

// Unsupported marks an error as that of something which a feature stands for and which is not to be had of this model: the
// host goes on without it. A generator's Score answers so where the model's likelihoods are unavailable.
func Unsupported(err error) error {
	if err == nil {
		return nil
	}
	return &unsupportedError{err}
}

type unsupportedError struct{ error }

func (e *unsupportedError) Unwrap() error { return e.error }

// clip keeps a message fit for a gRPC trailer.
func clip(s string) string {
	const limit = 8 << 10
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// register adds the services of every kind that the plugin has a stage of.
func (s *server) register(g *grpc.Server) {
	pluginv1.RegisterPluginServer(g, s)
	for kind, add := range map[pluginv1.Kind]func(){
		pluginv1.Kind_KIND_COLLECTOR: func() { pluginv1.RegisterCollectorServer(g, &collectorServer{server: s}) },
		pluginv1.Kind_KIND_GENERATOR: func() { pluginv1.RegisterGeneratorServer(g, &generatorServer{server: s}) },
		pluginv1.Kind_KIND_FILTER:    func() { pluginv1.RegisterFilterServer(g, &filterServer{server: s}) },
		pluginv1.Kind_KIND_VERIFIER:  func() { pluginv1.RegisterVerifierServer(g, &verifierServer{server: s}) },
		pluginv1.Kind_KIND_TRAINER:   func() { pluginv1.RegisterTrainerServer(g, &trainerServer{server: s}) },
		pluginv1.Kind_KIND_EVALUATOR: func() { pluginv1.RegisterEvaluatorServer(g, &evaluatorServer{server: s}) },
		pluginv1.Kind_KIND_EXPORTER:  func() { pluginv1.RegisterExporterServer(g, &exporterServer{server: s}) },
	} {
		if s.has(kind) {
			add()
		}
	}
}
