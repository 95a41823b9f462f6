//go:build linux

package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
)

// wayward stands between the baseline and the host, and breaks promises there that the SDK would keep.
type wayward struct {
	baseline
	mode      string
	unwatched bool // it does not see the end of its standard input

	asked atomic.Int64 // calls of Info and of Validate
	held  sync.Mutex
}

func rogue(mode string) *wayward {
	return &wayward{baseline: baseline{breaks: mode}, mode: mode, unwatched: mode == "stdin-end"}
}

// stray starts a process that nothing ends.
func (w *wayward) stray() {
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
}

func (w *wayward) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	switch req := req.(type) {
	case *pluginv1.ValidateRequest:
		if resp := w.validate(req); resp != nil {
			return resp, nil
		}
	case *pluginv1.StopRequest:
		if w.mode == "stop-late" {
			return &pluginv1.StopResponse{}, nil
		}
	}
	resp, err := next(ctx, req)
	switch req := req.(type) {
	case *pluginv1.EstimateRequest:
		if w.mode == "estimate" && req.Kind == pluginv1.Kind_KIND_FILTER {
			return &pluginv1.EstimateResponse{Flop: 1e6 / float64(req.Items)}, nil
		}
	case *pluginv1.FingerprintRequest:
		if w.mode == "fingerprint" {
			return &pluginv1.FingerprintResponse{Digest: strconv.FormatInt(time.Now().UnixNano(), 10)}, nil
		}
	}
	if said, ok := resp.(*pluginv1.ValidateResponse); ok && err == nil && w.mode == "validate-paths" {
		for _, d := range said.Diagnostics {
			d.Attribute = []*pluginv1.PathStep{{Step: &pluginv1.PathStep_Name{Name: "nowhere"}}}
		}
	}
	if info, ok := resp.(*pluginv1.InfoResponse); ok {
		info = proto.Clone(info).(*pluginv1.InfoResponse)
		w.describe(info)
		return info, err
	}
	return resp, err
}

// validate answers in the place of the baseline; nil leaves it to that.
func (w *wayward) validate(req *pluginv1.ValidateRequest) *pluginv1.ValidateResponse {
	it := req.Items[0]
	say := func(what, where string) *pluginv1.ValidateResponse {
		return &pluginv1.ValidateResponse{Diagnostics: []*pluginv1.Diagnostic{{
			Severity: pluginv1.Diagnostic_SEVERITY_WARNING, Summary: what, Address: it.Address,
			Attribute: []*pluginv1.PathStep{{Step: &pluginv1.PathStep_Name{Name: where}}},
		}}}
	}
	var c struct {
		Count float64
		Label string
		Extra struct{ Label string }
	}
	err := json.Unmarshal(it.Config.Json, &c)
	switch {
	case w.mode == "validate-plain" && c.Count == 3 && c.Label == "x":
		return say(fmt.Sprint("time ", w.asked.Add(1)), "count")
	case w.mode == "validate-hostile" && strings.Contains(c.Label, "\x00"):
		os.Exit(3)
	case w.mode == "validate-hostile-block" && strings.Contains(c.Extra.Label, "\x00"):
		os.Exit(3)
	case w.mode == "validate-items" && len(req.Items) > 1:
		return &pluginv1.ValidateResponse{}
	case w.mode == "validate-malformed" && err != nil:
		return &pluginv1.ValidateResponse{}
	}
	return nil
}

func (w *wayward) describe(info *pluginv1.InfoResponse) {
	for _, s := range info.Stages {
		switch {
		case w.mode == "info-schema" && s.Kind == pluginv1.Kind_KIND_FILTER:
			s.Schema.Attributes[0].Default = []byte(`"not a number"`)
		case w.mode == "validate-hostile-block" && s.Kind == pluginv1.Kind_KIND_FILTER:
			s.Schema.Blocks = []*pluginv1.NestedBlock{{Type: "extra", Nesting: pluginv1.NestedBlock_NESTING_SINGLE, Schema: &pluginv1.Schema{
				Attributes: []*pluginv1.Attribute{{Name: "label", Type: []byte(`"string"`)}}}}}
		case w.mode == "info-media" && s.Kind == pluginv1.Kind_KIND_TRAINER:
			s.Produces = nil
		case w.mode == "info-features" && s.Kind == pluginv1.Kind_KIND_FILTER:
			s.Features = []string{"score"}
		case w.mode == "info-same" && s.Kind == pluginv1.Kind_KIND_FILTER:
			s.Revision = uint32(time.Now().UnixNano()) // a number of the process is the same in each PID namespace
		}
	}
	switch w.mode {
	case "info-name":
		info.Name = "Not A Name"
	case "info-version":
		info.Version = "1.0"
	}
}

func (w *wayward) stream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if !strings.HasPrefix(info.FullMethod, "/jupiter.") { // go-plugin has streams of its own
		return next(srv, s)
	}
	switch w.mode {
	case "cancel-held":
		w.held.Lock()
	case "concurrent":
		w.held.Lock()
		defer w.held.Unlock()
	}
	err := next(srv, &crooked{ServerStream: s, wayward: w})
	given := s.Context().Err() != nil // the host has given the call up
	switch {
	case w.mode == "cancel" && given:
		os.Exit(3)
	case w.mode == "cancel-held" && !given:
		w.held.Unlock()
	}
	return err
}

// crooked changes messages on their way.
type crooked struct {
	grpc.ServerStream
	*wayward
	completed int
	received  int
}

func (c *crooked) RecvMsg(m any) error {
	if err := c.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if c.received++; c.mode == "generator-parts" && c.received > 1 {
		return io.EOF
	}
	if r, ok := m.(interface{ GetCall() *pluginv1.Call }); ok && r.GetCall() != nil {
		switch {
		case c.mode == "unknown-stage":
			r.GetCall().Stage = "t"
		case c.mode == "trainer-limit" || c.mode == "generator-limit":
			r.GetCall().Limit = nil
		}
	}
	empty := false
	switch m := m.(type) {
	case *pluginv1.FilterRequest:
		empty = m.GetBatch() != nil && len(m.GetBatch().Records) == 0
	case *pluginv1.VerifyRequest:
		empty = m.GetBatch() != nil && len(m.GetBatch().Items) == 0
	}
	if empty && strings.HasSuffix(c.mode, "-empty") {
		return status.Error(codes.InvalidArgument, "there is nothing in the batch")
	}
	return nil
}

func (c *crooked) SendMsg(m any) error {
	switch m := m.(type) {
	case *pluginv1.FilterEvent:
		if all := m.GetVerdicts().GetVerdicts(); c.mode == "filter-order" && len(all) > 1 {
			all[0], all[1] = all[1], all[0]
		}
	case *pluginv1.VerifyEvent:
		if n := len(m.Judgements); c.mode == "verifier-order" && n > 1 {
			m.Judgements = m.Judgements[:n-1]
		}
		for _, j := range m.Judgements {
			if c.mode == "contract" && j.Id == "r0" {
				j.Key = strings.Repeat("k", 2000)
			}
		}
	case *pluginv1.ImportEvent:
		if c.mode == "import-output" && m.GetOutput() != nil {
			m.GetOutput().Name = "mine"
		}
	case *pluginv1.CollectEvent:
		if all := m.GetBatch().GetRecords(); c.mode == "collector-records" && len(all) > 0 {
			all[0].Id = "mine"
		}
	case *pluginv1.CompleteEvent:
		if m.GetCompletion() == nil {
			break
		}
		if c.completed++; c.mode == "generator-order" && c.completed == 2 {
			m.GetCompletion().PromptId = "mine"
		}
	}
	return c.ServerStream.SendMsg(m)
}
