package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// bench is the plugin under test, with a process of it.
type bench struct {
	Options
	dir    string // of the suite's own
	report *Report

	info    *pluginv1.InfoResponse
	offered []*schema.Stage // nil: the host refuses what the plugin says of itself
	stages  []*subject

	host  *host.Host
	hosts int          // made so far
	calls atomic.Int64 // made so far

	breaches breaches

	stdout *writes // what all processes wrote there

	material
}

// writes keeps the beginning of what is written, and counts the rest.
type writes struct {
	mu    sync.Mutex
	begin []byte
	n     int
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin = append(w.begin, b[:min(len(b), max(0, 100-len(w.begin)))]...)
	w.n += len(b)
	return len(b), nil
}

// meet starts the plugin for the first time, and learns its name.
func (b *bench) meet(ctx context.Context) error {
	h, err := b.open("plugin", b.Wrapper, b.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := b.within(ctx)
	info, how, err := h.Describe(ctx, "plugin")
	cancel()
	if err := errors.Join(err, h.Close()); err != nil {
		return err
	}
	b.info, b.Program.TLS = info, how
	b.report.Plugin, b.report.Version, b.report.TLS = info.Name, info.Version, string(how)
	for _, check := range []func(context.Context, *subject) error{infoName, infoVersion, infoSchema} {
		if check(ctx, &subject{bench: b}) != nil { // the host makes no stages of it
			b.host, err = b.open("plugin", b.Wrapper, b.Dir)
			return err
		}
	}
	b.offered = []*schema.Stage{}
	for _, s := range info.Stages {
		read, _ := schema.FromProto(info.Name, info.Version, s) // infoSchema has
		b.offered = append(b.offered, read)
		b.stages = append(b.stages, &subject{bench: b, schema: read, broken: map[string]bool{}})
	}
	slices.SortStableFunc(b.stages, func(x, y *subject) int { return slices.Index(inTurn, x.kind()) - slices.Index(inTurn, y.kind()) })
	return b.renew()
}

// inTurn are the kinds in an order in which one makes what the next ones read.
var inTurn = []string{"trainer", "exporter", "generator", "collector", "filter", "verifier", "evaluator"}

// name is what the host calls the plugin.
func (b *bench) name() string {
	if b.offered == nil {
		return "plugin"
	}
	return b.info.Name
}

// open makes a host of the plugin, whose calls have their directories in one of its own.
func (b *bench) open(name string, wrapper []string, dir string) (*host.Host, error) {
	h, err := host.New(host.Options{
		Plugins: map[string]host.Program{name: b.Program}, Wrapper: wrapper, Version: b.Version, Env: b.Env, Dir: dir, StopGrace: b.Grace,
		Stdout: b.stdout, Breached: b.breaches.note,
	})
	if err != nil {
		return nil, err
	}
	b.hosts++
	return h, h.SetWorkDir(filepath.Join(b.dir, fmt.Sprintf("work%d", b.hosts)))
}

// fresh makes a host that the caller closes: the plugin in a new process.
func (b *bench) fresh() (*host.Host, error) { return b.open(b.name(), b.Wrapper, b.Dir) }

// renew gives the plugin a new process.
func (b *bench) renew() error {
	b.close()
	h, err := b.fresh()
	b.host = h
	return err
}

func (b *bench) close() {
	if b.host != nil {
		_ = b.host.Close() // a directory of the host's that stays is below the system's temporary one
		b.host = nil
	}
}

// within bounds a call, unless it is part of something that is bounded.
func (b *bench) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, b.Timeout, fmt.Errorf("%w: more than %s", errSlow, b.Timeout))
}

// subject is a stage of the plugin, or the plugin as a whole, where schema is nil.
type subject struct {
	*bench
	schema *schema.Stage

	broken   map[string]bool // rules that it does not keep
	answered bool            // stage-answers was asked
	failed   error           // why its plain call does not work

	plain   []byte // what the plain call gave, as transcript says
	trained *training
	began   func() (*pluginv1.Artifact, error) // see base; nil: not asked yet
	model   *pluginv1.Artifact                 // that an exporter made
}

func (b *bench) subjects() []*subject { return b.stages }

// of gives the stage of a kind and a type.
func (b *bench) of(kind string, fits func(*subject) bool) *subject {
	for _, s := range b.stages {
		if s.kind() == kind && fits(s) {
			return s
		}
	}
	return nil
}

func (s *subject) kind() string {
	if s.schema == nil {
		return ""
	}
	return s.schema.Kind
}

func (s *subject) name() string {
	if s.schema == nil {
		return ""
	}
	return s.schema.Kind + " " + s.schema.Type
}

// ready says what keeps a rule from being checked.
func (s *subject) ready(r *rule) error {
	switch {
	case s.offered == nil && !r.early:
		return notChecked("the host refuses what the plugin says of itself, see the rules that begin with info")
	case r.calls && !s.answered:
		return notChecked("its plain call was not made")
	case r.calls && s.failed != nil:
		return notChecked("its plain call does not work, see stage-answers")
	case s.broken[r.needs]:
		return notChecked("it builds on %s, which is broken", r.needs)
	}
	return nil
}

// sure says whether a stage says that it is deterministic, and was not found out.
func (s *subject) sure() bool { return s.schema.Deterministic && !s.broken["deterministic"] }

// unsure is why what needs a deterministic stage is not checked.
func (s *subject) unsure() error {
	if s.broken["deterministic"] {
		return notChecked("it builds on deterministic, which is broken")
	}
	return notChecked("the stage does not say that it is deterministic")
}

// on gives the stage at a host.
func (s *subject) on(ctx context.Context, h *host.Host) (*host.Stage, error) {
	return h.Stage(ctx, s.schema.Kind, s.schema.Type)
}

// call makes the common part of a call at a host, with a directory of its own.
func (s *subject) call(h *host.Host) (*pluginv1.Call, error) {
	config, err := s.configuration()
	if err != nil {
		return nil, err
	}
	return s.callWith(h, config)
}

func (s *subject) callWith(h *host.Host, config []byte) (*pluginv1.Call, error) {
	id := fmt.Sprintf("call%d", s.calls.Add(1))
	dir, err := h.CallDir(s.bench.name(), id)
	if err != nil {
		return nil, err
	}
	return &pluginv1.Call{
		Stage: s.schema.Type, Id: id, Config: &pluginv1.Config{Json: config}, WorkDir: dir, Seed: seed,
		Domain: &pluginv1.Domain{Name: "sums", Language: "en", Keywords: []string{"sum"}},
	}, nil
}

// seed is that of all calls.
const seed = 20260101

// configuration is what calls of the stage are configured with: its defaults, and what Options.Config says.
func (s *subject) configuration() ([]byte, error) {
	given := map[string]json.RawMessage{}
	if raw := s.Config[s.name()]; raw != nil {
		if err := json.Unmarshal(raw, &given); err != nil {
			return nil, notChecked("its configuration is no object: %v", err)
		}
	}
	if err := complete(given, s.schema.Attributes, s.schema.Blocks, ""); err != nil {
		return nil, err
	}
	return json.Marshal(given)
}

// exists says whether a path is there.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
