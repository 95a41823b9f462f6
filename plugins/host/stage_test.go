//go:build linux

package host

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestWarm: a stage's process is started ahead of the first call, once, and the call uses it.
func TestWarm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newHost(t, Options{CacheDir: dir}, "good", "better")
	if _, err := first.Stages(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, Options{CacheDir: dir}, "good", "better")
	for _, kind := range []string{"collector", "filter", "exporter"} {
		s, err := h.Stage(t.Context(), kind, "good")
		if err != nil {
			t.Fatal(err)
		}
		h.Warm(t.Context(), s)
	}
	waitFor(t, "a process", func() bool { return len(h.processes()) > 0 })
	pid := h.processes()[0].pid()
	if _, err := h.Validate(t.Context(), []Item{{Kind: "collector", Type: "good", Config: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	if all := h.processes(); len(all) != 1 || all[0].pid() != pid {
		t.Errorf("%d processes, want the one that was started ahead", len(all))
	}
}

// TestWarmCannot: what cannot be started is told by the call that needs it, and Close waits for nobody.
func TestWarmCannot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newHost(t, Options{CacheDir: dir}, "good")
	if _, err := first.Stages(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, Options{CacheDir: dir}, "good")
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.Warm(t.Context(), s)
	if _, err := s.Validate(t.Context(), []byte(`{}`)); err == nil {
		t.Error("a closed host answers")
	}
	if n := len(h.processes()); n != 0 {
		t.Errorf("%d processes of a closed host", n)
	}
}

// TestGivenUpAtOnce: a caller may give a call up while it is being made, and its process is free again.
func TestGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "filter", "good")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Validate(t.Context(), []byte("{}")); err != nil { // the process is there
		t.Fatal(err)
	}
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Duration(i) * time.Microsecond)
			cancel()
		}()
		f, err := s.Filter().Filter(ctx)
		if err == nil {
			_, err = f.Recv()
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want that it was given up", err)
		}
	}
	for _, p := range h.processes() {
		for deadline := time.Now().Add(5 * time.Second); len(p.running()) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d calls are held for running", len(p.running()))
			}
		}
	}
}
