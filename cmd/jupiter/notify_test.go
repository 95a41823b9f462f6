package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/runtime/notify"
)

// notified is a server that takes notices, under an address with a secret in it.
type notified struct {
	*httptest.Server
	mu      sync.Mutex
	notices []notify.Notice
	wrong   []string
}

const (
	noticeSecret = "s3cret-of-the-hook"
	noticeToken  = "t0ken-of-the-header"
)

func newNotified(t *testing.T) *notified {
	n := &notified{}
	n.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n.mu.Lock()
		defer n.mu.Unlock()
		var got notify.Notice
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.URL.Path != "/"+noticeSecret || r.Header.Get("Authorization") != "Bearer "+noticeToken {
			n.wrong = append(n.wrong, r.URL.Path)
		}
		n.notices = append(n.notices, got)
	}))
	t.Cleanup(n.Close)
	return n
}

const notifyBlocks = `
variable "hook" {
  default   = env("TEST_HOOK")
  sensitive = true
}

variable "token" {
  default   = env("TEST_TOKEN")
  sensitive = true
}

notify "server" {
  webhook = var.hook
  headers = { Authorization = "Bearer ${var.token}" }
}

notify "file" {
  command = ["sh", "-c", "echo \"$JUPITER_EVENT $JUPITER_CYCLE $JUPITER_VERSION $JUPITER_OUTCOME $JUPITER_EXIT_STATUS\" >> told"]
}

notify "broken" {
  on      = ["end", "failure"]
  command = ["sh", "-c", "echo out of order; exit 9"]
}
`

// TestNotify: each event is told once, by the webhook and by the command, after it is recorded; a hook that fails changes
// nothing; and what is secret is nowhere.
func TestNotify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		vars   map[string]string
		broken bool // the trainer fails
		status int
		want   string
	}{
		{"promotion", map[string]string{"gain": "0.02"}, false, exitDone, "promotion numbers 2  \nend   done 0\n"},
		{"halt", map[string]string{"gain": "-0.01"}, false, exitHalted, "halt numbers   \nend   halted 3\n"},
		{"failure", nil, true, exitError, "failure   failed 1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := newNotified(t)
			dir := fakeProject(t, c.vars)
			docFile(t, filepath.Join(dir, "notify.jupiter.hcl"), notifyBlocks)
			if c.broken {
				path := filepath.Join(dir, "main.jupiter.hcl")
				docFile(t, path, strings.Replace(string(loopRead(t, path)), `once             = "faulted"`, "fail_at = 12", 1))
			}
			cmd := jupiter(t, dir, "apply", "--auto-approve")
			cmd.Env = append(cmd.Env, "TEST_HOOK="+server.URL+"/"+noticeSecret, "TEST_TOKEN="+noticeToken)
			code, out := ended(t, cmd)
			if code != c.status {
				t.Fatalf("exit status %d, want %d\n%s", code, c.status, out)
			}
			if told := string(loopRead(t, filepath.Join(dir, "told"))); told != c.want {
				t.Errorf("the command was told %q, want %q", told, c.want)
			}
			var lines []string
			for _, n := range server.notices {
				version, status := "", ""
				if n.Version > 0 {
					version = "2"
				}
				if n.Status != nil {
					status = string(rune('0' + *n.Status))
				}
				lines = append(lines, n.Event+" "+n.Cycle+" "+version+" "+n.Outcome+" "+status+"\n")
				if n.Project != filepath.Base(dir) || n.Run == "" || !strings.HasPrefix(n.ID, n.Run+"/"+n.Event) || n.Text == "" {
					t.Errorf("notice %+v", n)
				}
				if (n.Event == "promotion" || n.Event == "halt") && (n.Decision == nil || n.Decision.Step != 20 || n.Decision.Candidate.Score == nil || len(n.Decision.Reasons) == 0) {
					t.Errorf("decision of a %s: %+v", n.Event, n.Decision)
				}
				if n.Event == "failure" && n.Error == "" {
					t.Error("a failure without its error")
				}
			}
			if got := strings.Join(lines, ""); got != c.want || len(server.wrong) > 0 {
				t.Errorf("the webhook was told %q, want %q; wrong requests: %v", got, c.want, server.wrong)
			}
			if !strings.Contains(out, "could not tell of") || !strings.Contains(out, "exit status 9: out of order") {
				t.Errorf("the output says nothing of the hook that fails:\n%s", out)
			}
			read := jupiter(t, dir, "runs", "show", "last")
			read.Env = cmd.Env
			if shown := output(t, read); !strings.Contains(shown, "notify.server") || !strings.Contains(shown, "not told     notify.broken") {
				t.Errorf("the record of the run:\n%s", shown)
			}
			for _, secret := range []string{noticeSecret, noticeToken} {
				if where := filesWith(t, filepath.Join(dir, ".jupiter"), secret); len(where) > 0 || strings.Contains(out, secret) {
					t.Errorf("%s is in %v, or in the output", secret, where)
				}
			}
		})
	}
}

// filesWith are the files below a directory that have a text in them.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		seen++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || seen < 5 {
		t.Fatalf("looked at %d files: %v", seen, err)
	}
	return found
}

// TestNotifyTest: the command tries a block, and says what is wrong with it.
func TestNotifyTest(t *testing.T) {
	t.Parallel()
	server := newNotified(t)
	dir := fakeProject(t, nil)
	docFile(t, filepath.Join(dir, "notify.jupiter.hcl"), notifyBlocks)
	try := func(args ...string) (int, string) {
		cmd := jupiter(t, dir, append([]string{"notify", "test"}, args...)...)
		cmd.Env = append(cmd.Env, "TEST_HOOK="+server.URL+"/"+noticeSecret, "TEST_TOKEN="+noticeToken)
		return ended(t, cmd)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"server"}, exitDone, `notify "server" was told.`},
		{[]string{"file"}, exitDone, `notify "file" was told.`},
		{[]string{"broken"}, exitError, `notify "broken": sh: exit status 9: out of order`},
		{[]string{"broken", "--json"}, exitError, `"told": false`},
		{[]string{"sever"}, exitError, `Did you mean "server"?`},
	} {
		if code, out := try(c.args...); code != c.status || !strings.Contains(out, c.want) {
			t.Errorf("%v: exit status %d\n%s", c.args, code, out)
		}
	}
	events := []string{}
	for _, n := range server.notices {
		events = append(events, n.Event)
	}
	if diff := cmp.Diff([]string{"test"}, events); diff != "" || len(server.wrong) > 0 {
		t.Errorf("the webhook was told (-want +got):\n%s\nwrong: %v", diff, server.wrong)
	}
	if told := string(loopRead(t, filepath.Join(dir, "told"))); !slices.Equal(strings.Fields(told), []string{"test"}) {
		t.Errorf("the command was told %q", told)
	}
	if _, err := os.Stat(filepath.Join(dir, ".jupiter", "state.db")); !os.IsNotExist(err) {
		t.Errorf("something was recorded: %v", err)
	}
}
