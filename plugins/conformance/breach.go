package conformance

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
)

// breaches are the messages for which the host would end a plugin: the first of each stage.
type breaches struct {
	mu    sync.Mutex
	first map[string]string // by stage, "filter x"
}

func (b *breaches) note(stage, method, wrong string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first == nil {
		b.first = map[string]string{}
	}
	if b.first[stage] == "" {
		b.first[stage] = "in " + method + ": " + wrong
	}
}

func (b *breaches) of(stage string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.first[stage]
}

// keepsContract is the rule for all that the host looks at and no other rule does.
func keepsContract(_ context.Context, s *subject) error {
	said := s.breaches.of(s.name())
	if said == "" {
		return nil
	}
	if len(s.broken) > 0 {
		return notChecked("%s; that may be what breaks %s", said, strings.Join(slices.Sorted(maps.Keys(s.broken)), ", "))
	}
	return errors.New(said)
}
