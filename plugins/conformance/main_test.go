//go:build linux

package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"jupiter/plugins/builtin/fake"
	"jupiter/plugins/builtin/files"
	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/builtin/neardup"
	"jupiter/plugins/builtin/openai"
	"jupiter/plugins/builtin/panel"
	"jupiter/plugins/builtin/quality"
	"jupiter/plugins/host/confine"
	"jupiter/plugins/sdk"
)

// The test binary is the plugin under test too: "serve MODE" serves the plugin of baseline_test.go, which keeps all rules
// unless its mode says which one it breaks; "builtin NAME" serves a plugin that comes with the program.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "serve":
			serve(os.Args[2])
			os.Exit(0)
		case "builtin":
			sdk.Serve(builtins()[os.Args[2]])
			os.Exit(0)
		case "confine":
			code, err := confine.Main(os.Args[2:])
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			os.Exit(code)
		}
	}
	os.Exit(m.Run())
}

func builtins() map[string]sdk.Plugin {
	const v = "1.0.0"
	return map[string]sdk.Plugin{
		"fake": fake.Plugin(v), "files": files.Plugin(v), "llama": llama.Plugin(v), "neardup": neardup.Plugin(v), "openai": openai.Plugin(v),
		"panel": panel.Plugin(v), "quality": quality.Plugin(v),
	}
}

// served hands the SDK's services to go-plugin, without what sdk.Serve does besides: what lies between can break promises
// that the SDK keeps.
type served struct{ plugin.NetRPCUnsupportedPlugin }

func (served) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil } // sdk.Server has done it

func (served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no client side")
}

func serve(mode string) {
	r := rogue(mode)
	if r.unwatched {
		r.stray()
	} else {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: sdk.ProtocolVersion, MagicCookieKey: sdk.CookieKey, MagicCookieValue: sdk.CookieValue},
		Plugins:         plugin.PluginSet{sdk.ServiceName: served{}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return sdk.Server(r.plugin(), append(opts, grpc.ChainUnaryInterceptor(r.unary), grpc.ChainStreamInterceptor(r.stream))...)
		},
		Logger: hclog.NewNullLogger(),
	})
}
