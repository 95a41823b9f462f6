//go:build linux

package host

import "testing"

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
