package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// known remembers what each server said of its model when it was first asked in this process's life: that of one apply, unless the
// host ends the process in between to free its memory. What a model has answered is recorded as its own, and two contestants are compared by it: another model under the same name in
// the middle would be taken for the first. The zero value is ready.
type known struct {
	mu   sync.Mutex
	said map[string]string
}

// sameEvery is how often a server is asked again what it runs while a call goes on.
const sameEvery = 5 * time.Minute

// same fails where a server runs another model than the first time. A server that does not say, or cannot be asked just now, is
// not known to run another one: the questions themselves tell whether it is there. What runs a file of ours is not asked.
func (k *known) same(ctx context.Context, cfg config, e *endpoint) error {
	if e.gguf {
		return nil
	}
	id, err := e.identity(ctx)
	if err != nil {
		return ctx.Err()
	}
	where, err := json.Marshal([]any{cfg.BaseURL, cfg.Serve, id.Name})
	if err != nil {
		return err
	}
	now := id.String()
	k.mu.Lock()
	defer k.mu.Unlock()
	was, ok := k.said[string(where)]
	if !ok {
		if k.said == nil {
			k.said = map[string]string{}
		}
		k.said[string(where)] = now
		return nil
	}
	if was != now {
		return fmt.Errorf("%s runs another model now than when this run first asked it (%s, before %s): what it answers cannot be taken for that model's. jupiter plan says what follows from the new one; let the server keep its model while an apply runs", e.base, now, was)
	}
	return nil
}

// A watch asks from time to time during a call.
type watch struct {
	known *known
	cfg   config
	e     *endpoint
	now   func() time.Time
	last  time.Time
}

// watch looks at once.
func (g *generator) watch(ctx context.Context, cfg config, e *endpoint) (*watch, error) {
	w := &watch{known: &g.known, cfg: cfg, e: e, now: g.pace.now}
	return w, w.look(ctx)
}

func (w *watch) look(ctx context.Context) error {
	w.last = w.now()
	return w.known.same(ctx, w.cfg, w.e)
}

// due looks where the last time is long ago.
func (w *watch) due(ctx context.Context) error {
	if w.now().Sub(w.last) < sameEvery {
		return nil
	}
	return w.look(ctx)
}
