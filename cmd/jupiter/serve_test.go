package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// serving is a jupiter serve under way.
type serving struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string // with /v1
	errs *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startServe starts the server of a project on a free port of this machine, whatever args say of that, and waits until it
// listens.
func startServe(t *testing.T, dir string, args ...string) *serving {
	t.Helper()
	s := &serving{t: t, cmd: loopCommand(t, dir, append(append([]string{"serve"}, args...), "--listen", "127.0.0.1:0")...), errs: &lockedBuffer{}}
	s.cmd.Stderr = s.errs
	s.cmd.Env = append(s.cmd.Env, "JUPITER_TOKEN="+testToken)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http://")
	if err != nil || at < 0 {
		t.Fatalf("it said %q: %v\n%s", line, err, s.errs)
	}
	s.url = strings.TrimSpace(line[at:])
	return s
}

const testToken = "token-of-a-test-0123"

// end sends a signal, and waits for the end with a status.
func (s *serving) end(status int) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	s.ended(status)
}

func (s *serving) ended(status int) {
	s.t.Helper()
	_ = s.cmd.Wait() // the status says it
	if got := s.cmd.ProcessState.ExitCode(); got != status {
		s.t.Errorf("exit status %d, want %d:\n%s", got, status, s.errs)
	}
}

// post asks, and gives status and answer.
func (s *serving) post(path, body string) (int, map[string]any) {
	resp, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		s.t.Errorf("%s: %v", b, err)
	}
	return resp.StatusCode, out
}

// TestServeFollows: the server of a project answers with the generator in use, by a plugin that shows no pieces, while another
// process changes which one that is.
func TestServeFollows(t *testing.T) {
	t.Parallel()
	dir := loopFake(t, nil)
	s := startServe(t, dir)
	if status, got := s.post("/completions", `{"model":"numbers","prompt":"fake 17:"}`); status != 404 || !strings.Contains(fmt.Sprint(got), "no generator yet") {
		t.Errorf("status %d, %v", status, got)
	}
	loopRun(t, dir, exitDone, "apply", "--auto-approve", "--cycles", "1")
	answers := func(want string) {
		t.Helper()
		status, got := s.post("/chat/completions", `{"model":"numbers","messages":[{"role":"user","content":"fake 17:"}]}`)
		if status != 200 || got["model"] != want {
			t.Errorf("status %d, %v; want an answer of %s", status, got, want)
		}
	}
	answers("numbers:v2")
	loopRun(t, dir, exitDone, "rollback", "--reason", "a test")
	answers("numbers:v1")
	if status, got := s.post("/completions", `{"model":"numbers:v2","prompt":["fake 17:","fake 18:"]}`); status != 200 || got["model"] != "numbers:v2" || len(got["choices"].([]any)) != 2 {
		t.Errorf("status %d, %v", status, got)
	}
	if status, got := s.post("/completions", `{"model":"numbers","prompt":"fake 17:","logprobs":0}`); status != 400 || !strings.Contains(fmt.Sprint(got), "does not say how likely") {
		t.Errorf("status %d, %v", status, got)
	}

	// A plugin that crashes is started again for the next request, and leaves a report.
	s.end(exitDone)
	loopChange(t, dir, "  quality = 0.5", "  quality = 0.5\n  exit_at = 3")
	s = startServe(t, dir)
	if status, got := s.post("/completions", `{"model":"numbers","prompt":["fake 1:","fake 2:","fake 3:"]}`); status != 500 || !strings.Contains(fmt.Sprint(got), "exit status 3") {
		t.Errorf("status %d, %v", status, got)
	}
	if reports, _ := filepath.Glob(filepath.Join(dir, ".jupiter", "crashes", "*.json")); len(reports) != 1 {
		t.Errorf("%d reports of a crash", len(reports))
	}
	answers("numbers:v1")

	// A request that is being read when the server is to end is answered all the same.
	const body = `{"model":"numbers","prompt":"fake 17:"}`
	open, answer := s.half(len(body))
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(s.errs.String(), "No new requests") {
		time.Sleep(time.Millisecond)
	}
	if _, err := io.WriteString(open, body); err != nil {
		t.Fatal(err)
	}
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "200 OK") {
		t.Errorf("a request in work when the server is to end: %q, %v", line, err)
	}
	open.Close()
	s.ended(exitDone)

	// The second signal waits for nobody.
	s = startServe(t, dir, "--version", "1")
	if status, _ := s.post("/completions", `{"model":"numbers:v2","prompt":"fake 17:"}`); status != 404 {
		t.Errorf("another version than the one that was chosen: status %d", status)
	}
	open, _ = s.half(len(body))
	defer open.Close()
	for _, said := range []string{"No new requests", ""} {
		if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		for !strings.Contains(s.errs.String(), said) {
			time.Sleep(time.Millisecond)
		}
		if said != "" {
			time.Sleep(oneSignal) // another one before that is the same
		}
	}
	s.ended(exitInterrupted)
}

// half begins a request, and waits until the server is about to read its body of n bytes.
func (s *serving) half(n int) (net.Conn, *bufio.Reader) {
	s.t.Helper()
	at := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/v1")
	conn, err := net.Dial("tcp", at)
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /v1/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", at, n)
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		if line == "\r\n" {
			return conn, r
		}
	}
}

// asksServe says whether a snippet of the docs asks a server, for which it needs OpenAI's library.
func asksServe(snippet string) bool { return strings.Contains(snippet, "from openai import") }

// TestServeOpenAI has OpenAI's own client library ask real models, as the docs do too.
func TestServeOpenAI(t *testing.T) {
	t.Parallel()
	python := "python3"
	if p := os.Getenv("PYTHON"); p != "" {
		python = p
	}
	var errs bytes.Buffer
	made := exec.Command(python, "../../runtime/serve/openai/environment.py")
	made.Stderr = &errs
	out, err := made.Output()
	if err != nil {
		t.Skipf("NOT TESTED, SERVE WITH OPENAI'S CLIENT LIBRARY: its environment cannot be made: %v\n%s", err, &errs)
	}
	dir := loopTiny(t)
	loopRun(t, dir, exitDone, "apply", "--auto-approve", "--cycles", "1")
	s := startServe(t, dir, "--token-env", "JUPITER_TOKEN")
	interpreter := filepath.Join(strings.TrimSpace(string(out)), "bin", "python")
	snippets := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.lang != "python" || !asksServe(b.text) {
				continue
			}
			snippets++
			script := strings.NewReplacer("http://127.0.0.1:8080/v1", s.url, `"none"`, `"`+testToken+`"`, `"quantities"`, `"tiny"`).Replace(b.text)
			if out, err := exec.Command(interpreter, "-c", script).CombinedOutput(); err != nil || strings.TrimSpace(string(out)) == "" {
				t.Errorf("%s:%d: %v\n%s", b.doc, b.line, err, out)
			}
		}
	}
	if snippets == 0 {
		t.Error("no document asks the server")
	}
	client := exec.Command(interpreter, "../../runtime/serve/openai/client.py", s.url, "tiny", "tiny:v2", "tiny:v1")
	client.Env = append(os.Environ(), "JUPITER_TOKEN="+testToken)
	said, err := client.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, said, s.errs)
	}
	if strings.Count(string(said), "ok ") != 9 {
		t.Errorf("checks: %s", said)
	}
	if log := s.errs.String(); strings.Contains(log, testToken) || strings.Contains(log, "7ft5in") || !strings.Contains(log, "status=499") {
		t.Errorf("the log: %s", log)
	}
	s.end(exitDone)
}
