package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// teller pauses without waiting, and counts how long it would have.
func teller(t *testing.T, paused *time.Duration) *Teller {
	return &Teller{Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Client: &http.Client{}, Pause: func(ctx context.Context, d time.Duration) error {
		*paused += d
		return ctx.Err()
	}}
}

// TestWebhook: which answers are tried again, and what is said of those that are not.
func TestWebhook(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		answers []int // one a try
		want    string
		paused  time.Duration
	}{
		{"at once", []int{204}, "", 0},
		{"after two tries", []int{503, 429, 200}, "", 3 * time.Second},
		{"never", []int{500, 500, 500, 500}, "webhook: HTTP status 500 (4 tries)", 7 * time.Second},
		{"not welcome", []int{403}, "webhook: HTTP status 403", 0},
		{"elsewhere", []int{307}, "webhook: HTTP status 307", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			asked := 0
			var ids []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				var n Notice
				if err := json.NewDecoder(r.Body).Decode(&n); err != nil || n.Schema != Schema {
					t.Errorf("body: %v, schema %q", err, n.Schema)
				}
				if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Content-Type") != "application/json" || r.Method != http.MethodPost {
					t.Errorf("%s with %v", r.Method, r.Header)
				}
				ids = append(ids, n.ID)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.answers[asked])
				asked++
			}))
			defer server.Close()
			var paused time.Duration
			h := Hook{Name: "h", Webhook: server.URL + "/very-secret", Headers: map[string]string{"Authorization": "Bearer secret"}, Timeout: time.Minute}
			err := teller(t, &paused).Tell(t.Context(), h, Notice{ID: "r/end", Event: "end"})
			if got := text(err); got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
			if asked != len(c.answers) || paused != c.paused {
				t.Errorf("%d tries and %v of pauses, want %d and %v", asked, paused, len(c.answers), c.paused)
			}
			for _, id := range ids {
				if id != "r/end" {
					t.Errorf("id %q", id)
				}
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestWebhookHidesItsAddress: an address can be a secret as a whole.
func TestWebhookHidesItsAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close() // nobody listens there
	var paused time.Duration
	err := teller(t, &paused).Tell(t.Context(), Hook{Webhook: url + "/very-secret", Timeout: time.Minute}, Notice{Event: "end"})
	if err == nil || strings.Contains(err.Error(), "very-secret") || !strings.Contains(err.Error(), "4 tries") {
		t.Errorf("error %v", err)
	}
}

// TestCommand: a command has the notice twice, and fails with what it said.
func TestCommand(t *testing.T) {
	t.Parallel()
	var paused time.Duration
	tell := teller(t, &paused)
	status := 3
	n := Notice{ID: "r/failure", Event: "failure", Text: "p: nul\x00 inside", Run: "r", Project: "p", Outcome: "failed", Status: &status}
	h := Hook{Command: []string{"sh", "-c", `cat > stdin.json; printf '%s|%s|%s|%s' "$JUPITER_EVENT" "$JUPITER_TEXT" "$JUPITER_EXIT_STATUS" "$JUPITER_VERSION" > env`}, Timeout: time.Minute}
	if err := tell.Tell(t.Context(), h, n); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(tell.Dir, "env"))
	if err != nil || string(got) != "failure|p: nul inside|3|" {
		t.Errorf("environment %q, %v", got, err)
	}
	var read Notice
	b, err := os.ReadFile(filepath.Join(tell.Dir, "stdin.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	n.Schema = Schema
	if diff := cmp.Diff(n, read); diff != "" {
		t.Error(diff)
	}
	h.Command = []string{"sh", "-c", "echo no such room >&2; exit 7"}
	if err := tell.Tell(t.Context(), h, n); text(err) != "sh: exit status 7: no such room" {
		t.Errorf("error %v", err)
	}
	h.Command = []string{"./not-there"}
	if err := tell.Tell(t.Context(), h, n); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestCommandEndsWithItsTimeout: with all that it has started.
func TestCommandEndsWithItsTimeout(t *testing.T) {
	t.Parallel()
	var paused time.Duration
	tell := teller(t, &paused)
	began := time.Now()
	err := tell.Tell(t.Context(), Hook{Command: []string{"sh", "-c", "sleep 600 & sleep 600"}, Timeout: 50 * time.Millisecond}, Notice{Event: "end"})
	if err == nil || !strings.Contains(err.Error(), "not done after 50ms") || time.Since(began) > 30*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// TestQueue: each hook gets its events in order, one that hangs holds up no other, and Close waits no longer than the
// longest timeout.
func TestQueue(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	var mu sync.Mutex
	var told []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-hang:
			case <-r.Context().Done():
			}
			return
		}
		var n Notice
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		told = append(told, n.ID)
	}))
	defer server.Close()
	defer close(hang)
	failed := map[string]int{}
	var paused time.Duration
	q := NewQueue(t.Context(), teller(t, &paused), []Hook{
		{Name: "fine", On: []string{"promotion", "end"}, Webhook: server.URL + "/fine", Timeout: time.Second},
		{Name: "hangs", On: []string{"promotion", "halt", "end"}, Webhook: server.URL + "/hangs", Timeout: time.Second},
	}, func(h Hook, _ Notice, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed[h.Name]++
		}
	})
	for _, n := range []Notice{{ID: "1", Event: "promotion"}, {ID: "2", Event: "halt"}, {ID: "3", Event: "promotion"}, {ID: "4", Event: "end"}} {
		q.Add(n)
	}
	began := time.Now()
	q.Close()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("Close took %v", took)
	}
	if diff := cmp.Diff([]string{"1", "3", "4"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"hangs": 4}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}
