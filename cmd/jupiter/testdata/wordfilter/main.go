// Command wordfilter is a plugin from elsewhere: the scripts build it, and start it as anybody's.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"jupiter/plugins/sdk"
)

// identity is patched into the built program, so that it is linked once: name, version, type of its filter, and "bare"
// for a plugin that makes no certificates, as those in Python do.
var identity = "IDENTITY:wordfilter 1.0.0 wordfilter                                                             "

type config struct {
	Words []string `jupiter:"words" desc:"Texts with one of these words are dropped."`
}

type judge struct{ config }

func (judge) Refer([]*sdk.Record) error { return nil }

func (j judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	out := make([]*sdk.Verdict, len(records))
	for i, r := range records {
		bad := slices.ContainsFunc(j.Words, func(w string) bool { return strings.Contains(r.GetText(), w) })
		out[i] = &sdk.Verdict{Keep: !bad}
		if bad {
			out[i].Reason = "word"
		}
	}
	return out, nil
}

func main() {
	is := strings.Fields(strings.TrimPrefix(identity, "IDENTITY:"))
	p := sdk.Plugin{Name: is[0], Version: is[1], Stages: []sdk.Stage{
		sdk.Filter(is[2], sdk.Options{Description: "Drops texts with certain words.", Revision: 1, Deterministic: true, Concurrent: true},
			func(_ context.Context, _ *sdk.Call, c config) (sdk.Judge, error) { return judge{c}, nil }),
	}}
	if len(is) == 3 {
		sdk.Serve(p)
		return
	}
	os.Unsetenv("PLUGIN_CLIENT_CERT")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: sdk.ProtocolVersion, MagicCookieKey: sdk.CookieKey, MagicCookieValue: sdk.CookieValue},
		Plugins:         plugin.PluginSet{sdk.ServiceName: bare{}},
		TLSProvider:     given,
		GRPCServer:      func(opts []grpc.ServerOption) *grpc.Server { return sdk.Server(p, opts...) },
		Logger:          hclog.NewNullLogger(),
	})
}

// given takes the certificate that the host has made, where it has.
func given() (*tls.Config, error) {
	if os.Getenv(sdk.TLSCertKey) == "" {
		return nil, nil
	}
	cert, err := tls.X509KeyPair([]byte(os.Getenv(sdk.TLSCertKey)), []byte(os.Getenv(sdk.TLSKeyKey)))
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(os.Getenv(sdk.TLSClientKey)))
	return &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2"}}, nil
}

// bare registers nothing with go-plugin: sdk.Server has registered the services.
type bare struct{ plugin.NetRPCUnsupportedPlugin }

func (bare) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (bare) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}
