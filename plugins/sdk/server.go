package sdk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// server answers what every plugin is asked, and knows the running calls.
type server struct {
	pluginv1.UnimplementedPluginServer

	plugin Plugin
	stages map[pluginv1.Kind]map[string]*stage

	mu    sync.Mutex
	calls map[*running]bool
}

// running is a call that can be asked to stop.
type running struct {
	id   string
	once sync.Once
	stop chan struct{}
}

func newServer(p Plugin) *server {
	s := &server{plugin: p, stages: map[pluginv1.Kind]map[string]*stage{}, calls: map[*running]bool{}}
	for _, st := range p.Stages {
		st := st.stage()
		byName := s.stages[st.info.Kind]
		if byName == nil {
			byName = map[string]*stage{}
			s.stages[st.info.Kind] = byName
		}
		if byName[st.info.Name] != nil {
			panic(fmt.Sprintf("sdk: plugin %s has %v %q twice", p.Name, st.info.Kind, st.info.Name))
		}
		byName[st.info.Name] = st
	}
	return s
}

func (s *server) has(kind pluginv1.Kind) bool { return len(s.stages[kind]) > 0 }

func (s *server) stage(kind pluginv1.Kind, name string) (*stage, error) {
	if st := s.stages[kind][name]; st != nil {
		return st, nil
	}
	return nil, status.Errorf(codes.NotFound, "plugin %s has no stage %q of %v; it has %v", s.plugin.Name, name, kind, slices.Sorted(maps.Keys(s.stages[kind])))
}

// Info lists the stages.
func (s *server) Info(context.Context, *pluginv1.InfoRequest) (*pluginv1.InfoResponse, error) {
	r := &pluginv1.InfoResponse{Name: s.plugin.Name, Version: s.plugin.Version}
	for _, st := range s.plugin.Stages {
		r.Stages = append(r.Stages, st.stage().info)
	}
	return r, nil
}

// Validate checks configurations. Diagnostics carry the address of their item.
func (s *server) Validate(_ context.Context, req *pluginv1.ValidateRequest) (*pluginv1.ValidateResponse, error) {
	r := &pluginv1.ValidateResponse{}
	for _, it := range req.Items {
		st, err := s.stage(it.Kind, it.Stage)
		if err != nil {
			return nil, err
		}
		for _, d := range st.check(it.GetConfig().GetJson(), it.GetRunsModels()) {
			d.Address = it.Address
			r.Diagnostics = append(r.Diagnostics, d)
		}
	}
	return r, fits(r, "the diagnostics")
}

// Stop closes the Stopped channel of one call, or of all.
func (s *server) Stop(_ context.Context, req *pluginv1.StopRequest) (*pluginv1.StopResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.calls {
		if req.CallId == "" || req.CallId == c.id {
			c.once.Do(func() { close(c.stop) })
		}
	}
	return &pluginv1.StopResponse{}, nil
}

// Estimate forecasts a call, where the stage can.
func (s *server) Estimate(_ context.Context, req *pluginv1.EstimateRequest) (*pluginv1.EstimateResponse, error) {
	st, err := s.stage(req.Kind, req.Stage)
	if err != nil {
		return nil, err
	}
	if st.estimate == nil {
		return nil, status.Errorf(codes.Unimplemented, "stage %q has no estimate", req.Stage)
	}
	r, err := st.estimate(req)
	if err == nil && r == nil {
		return nil, status.Errorf(codes.Internal, "stage %q gave no estimate and no error", req.Stage)
	}
	return r, err
}

// Fingerprint says what a source is now, where the stage can.
func (s *server) Fingerprint(ctx context.Context, req *pluginv1.FingerprintRequest) (*pluginv1.FingerprintResponse, error) {
	st, err := s.stage(req.Kind, req.Stage)
	if err != nil {
		return nil, err
	}
	if st.fingerprint == nil {
		return nil, status.Errorf(codes.Unimplemented, "stage %q has no fingerprint", req.Stage)
	}
	d, err := st.fingerprint(ctx, req.GetConfig().GetJson())
	if err != nil {
		return nil, err
	}
	return &pluginv1.FingerprintResponse{Digest: d}, nil
}

// Check looks at what a stage would meet, where it can.
func (s *server) Check(ctx context.Context, req *pluginv1.CheckRequest) (*pluginv1.CheckResponse, error) {
	st, err := s.stage(req.Kind, req.Stage)
	if err != nil {
		return nil, err
	}
	if st.look == nil {
		return nil, status.Errorf(codes.Unimplemented, "stage %q has nothing to look at", req.Stage)
	}
	found, err := st.look(ctx, req.GetConfig().GetJson())
	if err != nil {
		return nil, err
	}
	r := &pluginv1.CheckResponse{Findings: found}
	return r, fits(r, "the findings")
}

// begin finds the stage of a call and enters the call among the running ones. The caller must call end.
func (s *server) begin(kind pluginv1.Kind, pc *pluginv1.Call) (st *stage, c *Call, end func(), err error) {
	if pc == nil {
		return nil, nil, nil, status.Error(codes.InvalidArgument, "the first message of a call has no Call")
	}
	if st, err = s.stage(kind, pc.Stage); err != nil {
		return nil, nil, nil, err
	}
	r := &running{id: pc.Id, stop: make(chan struct{})}
	s.mu.Lock()
	s.calls[r] = true
	s.mu.Unlock()
	c = &Call{
		ID: pc.Id, WorkDir: pc.WorkDir, Seed: pc.Seed, Cursor: pc.Cursor,
		Domain: pc.Domain, Inputs: pc.Inputs, Stopped: r.stop,
		used: used{limit: pc.Limit, stop: func() { r.once.Do(func() { close(r.stop) }) }},
	}
	return st, c, func() {
		s.mu.Lock()
		delete(s.calls, r)
		s.mu.Unlock()
	}, nil
}
