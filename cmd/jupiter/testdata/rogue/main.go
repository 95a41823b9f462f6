// Command rogue is a plugin that lies. It has the stages of the plugin fake under its own name, and what these send passes
// through a fault (faults.go) on its way to the host. The file rogue.fault in its working directory, that of the plan,
// names the fault; without it, all goes as it should.
package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that this one stands before
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"jupiter/plugins/builtin/fake"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

const (
	name  = "rogue"
	truth = "fake" // what its stages are called where they come from
)

func main() {
	early(faultNow())
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{ProtocolVersion: sdk.ProtocolVersion, MagicCookieKey: sdk.CookieKey, MagicCookieValue: sdk.CookieValue},
		Plugins:         plugin.PluginSet{sdk.ServiceName: nothing{}},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return sdk.Server(fake.Plugin("6.6.6"), append(o, grpc.ChainUnaryInterceptor(unary), grpc.ChainStreamInterceptor(streaming), grpc.ForceServerCodecV2(codec{}))...)
		},
		Logger: hclog.NewNullLogger(),
	})
}

// nothing registers nothing: the services are there already.
type nothing struct{ plugin.NetRPCUnsupportedPlugin }

func (nothing) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }
func (nothing) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no client side")
}

// faultNow is the fault that is asked for; "": none.
func faultNow() string {
	b, err := os.ReadFile("rogue.fault")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// unary answers calls with one response, under the plugin's own name.
func unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	switch r := req.(type) {
	case *pluginv1.ValidateRequest:
		for _, it := range r.Items {
			it.Stage = truth
		}
	case *pluginv1.EstimateRequest:
		r.Stage = truth
		if r.Maker != nil {
			r.Maker.Stage = truth
		}
	case *pluginv1.FingerprintRequest:
		r.Stage = truth
	case *pluginv1.StopRequest:
		if faultNow() == "deaf" {
			return &pluginv1.StopResponse{}, nil
		}
	}
	resp, err := next(ctx, req)
	if info, ok := resp.(*pluginv1.InfoResponse); ok {
		info.Name = name
		for _, s := range info.Stages {
			s.Name = name
		}
	}
	if f := answers[faultNow()]; f != nil && err == nil {
		f(resp)
	}
	if m, ok := resp.(proto.Message); ok && err == nil && faultNow() == strings.ToLower(strings.TrimSuffix(string(m.ProtoReflect().Descriptor().Name()), "Response"))+"-utf8" {
		return garbled(m)
	}
	return resp, err
}

func streaming(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return next(srv, &stream{ServerStream: s, fault: faults[faultNow()]})
}

// stream is a call of a stage. What the stage sends goes through the fault.
type stream struct {
	grpc.ServerStream
	fault fault
	work  string // directory of the call
	n     int    // messages so far
	held  any    // message that waits for the next
}

func (s *stream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if r, ok := m.(interface{ GetCall() *pluginv1.Call }); ok && r.GetCall() != nil {
		r.GetCall().Stage, s.work = truth, r.GetCall().WorkDir
	}
	return err
}

func (s *stream) SendMsg(m any) error {
	s.n++
	if s.fault == nil {
		return s.ServerStream.SendMsg(m)
	}
	return s.fault(s, m)
}

// send passes messages on as they are.
func (s *stream) send(ms ...any) error {
	for _, m := range ms {
		if err := s.ServerStream.SendMsg(m); err != nil {
			return err
		}
	}
	return nil
}

// raw is a message that is on the wire what it is here.
type raw []byte

// codec is gRPC's own, but for what is raw.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(raw); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return encoding.GetCodecV2("proto").Marshal(v)
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2("proto").Unmarshal(data, v)
}
