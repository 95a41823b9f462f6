//go:build linux

package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/certificate"
)

// given is a plugin that makes no certificate, and takes the one that the host has made.
type given struct {
	plugin.NetRPCUnsupportedPlugin
	pluginv1.UnimplementedPluginServer
}

func serveGiven() {
	config := &plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: sdk.ProtocolVersion, MagicCookieKey: sdk.CookieKey, MagicCookieValue: sdk.CookieValue},
		Plugins:         plugin.PluginSet{sdk.ServiceName: given{}},
		GRPCServer:      plugin.DefaultGRPCServer,
		Logger:          hclog.NewNullLogger(),
	}
	if os.Getenv(sdk.TLSCertKey) != "" {
		config.TLSProvider = func() (*tls.Config, error) {
			cert, err := tls.X509KeyPair([]byte(os.Getenv(sdk.TLSCertKey)), []byte(os.Getenv(sdk.TLSKeyKey)))
			if err != nil {
				return nil, err
			}
			clients := x509.NewCertPool()
			if !clients.AppendCertsFromPEM([]byte(os.Getenv(sdk.TLSClientKey))) {
				return nil, errors.New("no certificate of the host")
			}
			return &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2"}}, nil
		}
	}
	plugin.Serve(config)
}

func (given) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pluginv1.RegisterPluginServer(s, given{})
	return nil
}

func (given) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no client side")
}

func (given) Info(context.Context, *pluginv1.InfoRequest) (*pluginv1.InfoResponse, error) {
	return &pluginv1.InfoResponse{Name: "given", Version: "1.0.0", Stages: []*pluginv1.Stage{{Kind: pluginv1.Kind_KIND_FILTER, Name: "given"}}}, nil
}

// A plugin answers the host, and no stranger: neither one without a certificate nor one with another. "given" is served with
// go-plugin alone, and "good" with the SDK.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		plugin string
		mode   TLS
	}{{"given", TLSGiven}, {"given", TLSOff}, {"given", TLSAuto}, {"good", TLSAuto}} {
		mode := tt.mode
		t.Run(tt.plugin+" "+string(mode), func(t *testing.T) {
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			h, err := New(Options{Plugins: map[string]Program{tt.plugin: {Path: exe, Args: []string{"plugin", tt.plugin}, TLS: mode}}})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if _, err := h.Stage(t.Context(), "filter", tt.plugin); err != nil {
				t.Fatal(err)
			}
			sockets, err := filepath.Glob(h.tmp + "/plugin*/plugin*")
			if err != nil || len(sockets) != 1 {
				t.Fatalf("sockets %v, %v", sockets, err)
			}
			cc, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return net.Dial("unix", sockets[0]) }))
			if err != nil {
				t.Fatal(err)
			}
			defer cc.Close()
			_, err = pluginv1.NewPluginClient(cc).Info(t.Context(), &pluginv1.InfoRequest{})
			if (err == nil) != (mode == TLSOff) {
				t.Errorf("a stranger without a certificate: %v", err)
			}
			if mode == TLSOff {
				return
			}
			stranger, _, _, err := certificate.New()
			if err != nil {
				t.Fatal(err)
			}
			raw, err := net.Dial("unix", sockets[0])
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			c := tls.Client(raw, &tls.Config{Certificates: []tls.Certificate{stranger}, InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err := c.Handshake(); err == nil { // TLS 1.3 tells a refused client with its first read
				if _, err := c.Read(make([]byte, 1)); err == nil {
					t.Error("the plugin answers a stranger with a certificate of its own")
				}
			}
		})
	}
}

// The host's certificates are on a curve that every TLS library knows and that costs little, and until a plugin has shown its
// certificate the host trusts none: no root of the system's.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode  TLS
		env   []string
		trust int
	}{
		{TLSAuto, []string{sdk.AutoMTLSKey}, 0},
		{TLSGiven, []string{sdk.TLSCertKey, sdk.TLSKeyKey, sdk.TLSClientKey}, 1},
	} {
		config, env, err := tt.mode.certificates()
		if err != nil {
			t.Fatal(err)
		}
		key, ok := config.Certificates[0].PrivateKey.(*ecdsa.PrivateKey)
		if !ok || key.Curve != elliptic.P256() {
			t.Errorf("%s: a key of another kind: %T", tt.mode, config.Certificates[0].PrivateKey)
		}
		trusted := 0
		if config.RootCAs == nil || !config.RootCAs.Equal(x509.NewCertPool()) {
			trusted = 1
		}
		var names []string
		for _, kv := range env {
			name, _, _ := strings.Cut(kv, "=")
			names = append(names, name)
		}
		if trusted != tt.trust || !slices.Equal(names, tt.env) {
			t.Errorf("%s: trusts %d, hands over %v", tt.mode, trusted, names)
		}
	}
	if config, env, err := TLSOff.certificates(); config != nil || env != nil || err != nil {
		t.Errorf("off: %v, %v, %v", config, env, err)
	}
}
