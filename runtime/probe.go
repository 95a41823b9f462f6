package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"jupiter/plan/config"
	"jupiter/plugins/schema"
)

// probe answers the planner's questions. Each is asked once in a runner's life, so that all cycles of one apply see the
// same sources.
type probe struct {
	r    *Runner
	mu   sync.Mutex
	seen map[string]any
}

func newProbe(r *Runner) *probe { return &probe{r: r, seen: map[string]any{}} }

// once keeps the answer to a question.
func once[T any](p *probe, key string, ask func() (T, error)) (T, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := p.seen[key]; ok {
		return v.(T), nil
	}
	v, err := ask()
	if err == nil {
		p.seen[key] = v
	}
	return v, err
}

// known says whether a question was answered.
func (p *probe) known(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.seen[key]
	return ok
}

func (p *probe) Records(ctx context.Context, t *config.Stage, steps uint64) (uint64, error) {
	return once(p, fmt.Sprintf("records %s %d", t.Addr, steps), func() (uint64, error) {
		st, err := p.r.stage(ctx, t)
		if err != nil {
			return 0, err
		}
		conf, err := schema.CanonicalJSON(t.Body.Value)
		if err != nil {
			return 0, err
		}
		e, err := st.Estimate(ctx, conf, steps)
		if err != nil {
			return 0, err
		}
		if e.Records == 0 {
			return 0, fmt.Errorf("trainer %q does not say how many records it reads in %d steps", t.Type, steps)
		}
		return e.Records, nil
	})
}

func (p *probe) Source(ctx context.Context, s *config.Source) (string, error) {
	return once(p, "source "+string(s.Addr), func() (string, error) {
		return p.fingerprint(ctx, "collector", s.Type, s.Body)
	})
}

func (p *probe) Model(ctx context.Context, g *config.Stage) (string, error) {
	return once(p, "model "+string(g.Addr), func() (string, error) {
		return p.fingerprint(ctx, "generator", g.Type, g.Body)
	})
}

func (p *probe) fingerprint(ctx context.Context, kind, typ string, b config.Body) (string, error) {
	st, err := p.r.Host.Stage(ctx, kind, typ)
	if err != nil {
		return "", err
	}
	conf, err := schema.CanonicalJSON(b.Value)
	if err != nil {
		return "", err
	}
	fp, err := given(st, b).Fingerprint(ctx, conf)
	if errors.Is(err, errors.ErrUnsupported) {
		return "unknown", nil // the plugin cannot tell: its configuration stands for what it names
	}
	if err != nil {
		return "", err
	}
	return fp.Digest + " " + fp.Backend + " " + fp.Dtype, nil
}

func (p *probe) File(path string) (string, error) {
	return once(p, "file "+path, func() (string, error) { return digestOf(path) })
}
