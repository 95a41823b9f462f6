package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jupiter/state"
)

// A hosted is a server with OpenAI's interface, somewhere else. It answers the fake project's questions rightly.
type hosted struct {
	*httptest.Server
	delay time.Duration
	key   string // that it wants; "": none

	mu    sync.Mutex
	times map[string]int // asked, by prompt and seed
	list  string
	reach int // after so many answers at is called, once
	at    func()
	asked int // requests
}

func newHosted(t *testing.T, delay time.Duration) *hosted {
	h := &hosted{delay: delay, times: map[string]int{}, list: `{"data":[{"id":"large","owned_by":"somebody"}]}`}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *hosted) serve(w http.ResponseWriter, r *http.Request) {
	if h.key != "" && r.Header.Get("Authorization") != "Bearer "+h.key {
		w.WriteHeader(http.StatusUnauthorized)
		json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": "Incorrect API key provided: " + r.Header.Get("Authorization")}})
		return
	}
	if r.Method == http.MethodGet {
		if r.URL.Path != "/v1/models" {
			http.NotFound(w, r)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		io.WriteString(w, h.list)
		return
	}
	q := struct {
		Prompt   string
		Seed     uint64
		Messages []struct{ Content string }
	}{}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	prompt := q.Prompt
	if len(q.Messages) > 0 {
		prompt = q.Messages[len(q.Messages)-1].Content
	}
	time.Sleep(h.delay)
	h.mu.Lock()
	h.times[fmt.Sprint(prompt, q.Seed)]++
	h.asked++
	if h.asked == h.reach {
		h.at()
	}
	h.mu.Unlock()
	answer := strings.TrimSuffix(strings.TrimPrefix(prompt, "fake "), ":")
	if prompt == "" {
		answer = worded(q.Seed)
	}
	json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": answer}, "text": answer, "finish_reason": "stop"}},
		"usage": map[string]any{"prompt_tokens": 3, "completion_tokens": 5}})
}

// hostedProject is the fake project whose base generator the server is.
func hostedProject(t *testing.T, h *hosted, more string) string {
	return loopFake(t, map[string]string{"max_steps": "40"}, `generator "fake" "base" {
  samples = 200
  quality = 0.5
}`, fmt.Sprintf(`generator "openai" "base" {
  base_url   = "%s/v1"
  samples    = 200
  batch_size = 4
%s
  prices {
    version                = "test"
    usd_per_million_input  = 100
    usd_per_million_output = 200
  }
}

generator "fake" "runner" {
  samples = 200
}`, h.URL, more), "  generator = generator.fake.base\n", "  generator = generator.openai.base\n  successor = generator.fake.runner\n")
}

// TestHostedGeneratorKilled: an apply that is killed again and again while a server answers asks for nothing twice that was
// durable, loses nothing, and comes to what an undisturbed one comes to.
func TestHostedGeneratorKilled(t *testing.T) {
	t.Parallel()
	h := newHosted(t, 60*time.Millisecond)
	dir := hostedProject(t, h, "")
	kills := 0
	for _, after := range []int{30, 60, 60} {
		cmd := loopCommand(t, dir, "apply", "--auto-approve", "--cycles", "1")
		h.mu.Lock()
		h.asked, h.reach, h.at = 0, after, func() { _ = cmd.Process.Kill() }
		h.mu.Unlock()
		var exit *exec.ExitError
		if out, err := cmd.CombinedOutput(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%v\n%s", err, out)
		}
		kills++
		loopSound(t, dir, false)
		if left := killLeft(t, dir, 10*time.Second); len(left) > 0 {
			t.Errorf("processes %v are left", left)
		}
	}
	h.mu.Lock()
	h.reach = 0
	h.mu.Unlock()
	loopApply(t, dir, "--cycles", "1")
	extra := 0
	for _, n := range h.times {
		extra += n - 1
	}
	// What was in work, what waited for one before it, and what came within the second in which it becomes durable.
	if most := kills * (8 + 70); len(h.times) != 200 || extra > most {
		t.Errorf("%d samples were asked for, %d of them again after %d kills, want 200 and at most %d", len(h.times), extra, kills, most)
	}
	t.Logf("%d samples, %d requests for what was not durable yet after %d kills", len(h.times), extra, kills)
	var got struct {
		Samples uint64 `json:"samples"`
		Tokens  uint64 `json:"tokens"`
	}
	usd := 0.0
	loopView(t, dir, func(tx *state.Tx) error {
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			if a.Address == "domain.numbers.template.question" {
				usd = *a.Usage.USD
				return json.Unmarshal(a.Result, &got)
			}
		}
		return errors.New("no samples")
	})
	if got.Samples != 200 || got.Tokens != 1000 {
		t.Errorf("recorded are %+v, want 200 samples of 5 tokens", got)
	}
	// The ledger has what became durable, each sample once. What it lacks of what the server has answered is what a kill took: no
	// more than what may be asked for again.
	const each = (3*100 + 5*200) / 1e6
	saw := float64(len(h.times)+extra) * each
	if usd < 200*each-1e-9 || usd > saw+1e-9 || usd < saw-float64(kills*(8+70))*each-1e-9 {
		t.Errorf("%g USD are recorded, for %g of 200 samples and %g of all that the server has answered", usd, 200*each, saw)
	}
	t.Logf("%g USD recorded, %g answered", usd, saw)
}

// TestHostedGenerator: a budget ends an apply, the next goes on, and a server with another model is noticed.
func TestHostedGenerator(t *testing.T) {
	t.Parallel()
	h := newHosted(t, time.Millisecond)
	dir := hostedProject(t, h, "  budget {\n    usd = 0.15\n  }\n")
	loopChange(t, dir, "min_steps_before_replace = 20", "min_steps_before_replace = 40") // the server stays in use
	if said := loopRun(t, dir, exitEnvelope, "apply", "--auto-approve", "--cycles", "1"); !strings.Contains(said, "budget.usd") {
		t.Errorf("no budget is used up:\n%s", said)
	}
	before := h.asked
	if before < 100 || before > 125 { // 0.0013 USD a sample
		t.Errorf("%d requests for a budget of 115 samples", before)
	}
	loopApply(t, dir, "--cycles", "1")
	for id, n := range h.times {
		if n > 1 {
			t.Errorf("%s was asked %d times", id, n)
		}
	}
	if said := loopRun(t, dir, exitDone, "plan"); strings.Contains(said, "Changed outside") {
		t.Errorf("something changed:\n%s", said)
	}
	h.mu.Lock()
	h.list = `{"data":[{"id":"large","owned_by":"somebody","root":"large-v2"}]}`
	h.mu.Unlock()
	if said := loopRun(t, dir, exitDone, "plan"); !strings.Contains(said, "the model that it names is another one than when it was recorded") {
		t.Errorf("another model is not noticed:\n%s", said)
	}
}

// TestHostedKey: a key that lies in a variable reaches the server, and nothing that is written or said. Neither does one
// that the server refuses and repeats.
func TestHostedKey(t *testing.T) {
	t.Parallel()
	h := newHosted(t, time.Millisecond)
	h.key = `sk-canary<"&\>8c41d07be95f`
	wrong := `sk-canary<"&\>0000wrong7be95f`
	dir := hostedProject(t, h, "  api_key_env = \"HOSTED_KEY\"\n")
	var said []string
	run := func(status int, key string, args ...string) string {
		t.Helper()
		cmd := loopCommand(t, dir, args...)
		cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"))
		if key != "" {
			cmd.Env = append(cmd.Env, "HOSTED_KEY="+key)
		}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("jupiter %s: exit status %d, want %d (%v)\n%s", strings.Join(args, " "), got, status, err, &out)
		}
		said = append(said, out.String())
		return out.String()
	}
	if s := run(exitError, "", "plan"); !strings.Contains(s, "HOSTED_KEY, which api_key_env names, is not set") {
		t.Errorf("without a key:\n%s", s)
	}
	if s := run(exitError, wrong, "plan"); !strings.Contains(s, "Incorrect API key provided") || !strings.Contains(s, "status 401") {
		t.Errorf("with another key:\n%s", s)
	}
	if s := run(exitError, "", "doctor"); !strings.Contains(s, "problem  key") {
		t.Errorf("doctor, without a key:\n%s", s)
	}
	if s := run(exitError, wrong, "doctor", "--json"); !strings.Contains(s, "Incorrect API key provided") {
		t.Errorf("doctor, with another key:\n%s", s)
	}
	if s := run(exitDone, h.key, "doctor"); !strings.Contains(s, "ok       chat") || !strings.Contains(s, "ok       model            large") || !strings.Contains(s, "missing  logprobs") {
		t.Errorf("doctor:\n%s", s)
	}
	run(exitDone, h.key, "validate")
	run(exitDone, h.key, "plan", "--out", "saved.plan")
	run(exitDone, h.key, "apply", "--auto-approve", "--json", "--cycles", "1")
	run(exitDone, h.key, "explain", "domain.numbers.template.question", "--json")
	run(exitDone, h.key, "state", "export")
	run(exitDone, h.key, "runs", "show", "last", "--json")
	if h.asked < 200 {
		t.Fatalf("%d requests: the key did not reach the server", h.asked)
	}
	for i, s := range said {
		for _, w := range found(fmt.Sprint("output ", i), []byte(s), h.key, wrong) {
			t.Error(w)
		}
	}
	if where, files := foundBelow(t, dir, nil, h.key, wrong); len(where) > 0 || files < 20 {
		t.Errorf("%d files searched: %v", files, where)
	}
}

// TestHostedAuthority: a server whose certificate an authority of one's own has signed is trusted where SSL_CERT_FILE names that
// authority, also by a plugin that is confined; and the error says so where it does not.
func TestHostedAuthority(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED, SSL_CERT_FILE: Go reads it on Linux")
	}
	h := newHosted(t, 0)
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(h.serve))
	h.Server.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	dir := hostedProject(t, h, "")
	doctor := func(env ...string) string {
		cmd := loopCommand(t, dir, "doctor")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		return fmt.Sprintf("%s\n%v", out, err)
	}
	if said := doctor(); !strings.Contains(said, "problem  server") || !strings.Contains(said, "unknown authority; the environment variable SSL_CERT_FILE names") {
		t.Errorf("an unknown authority:\n%s", said)
	}
	file := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := doctor("SSL_CERT_FILE=" + file); !strings.Contains(said, "ok       chat") || !strings.HasSuffix(said, "<nil>") {
		t.Errorf("a known authority:\n%s", said)
	}
}

// worded is a text of words by a seed, so that no two look alike.
func worded(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for range 12 {
		fmt.Fprintf(&b, "%d %c%c ", r.IntN(1000), 'a'+r.IntN(26), 'a'+r.IntN(26))
	}
	return b.String()
}

// modelServer is a server of a model of ours, as a program: it answers with the path of its model.
func modelServer() {
	port := flag.String("port", "", "")
	model := flag.String("model", "", "")
	slow := flag.Duration("slow", 0, "")
	flag.Parse()
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"data":[{"id":"own"}]}`) })
	http.HandleFunc("/v1/completions", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(*slow)
		var q struct{ Seed uint64 }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			panic(err)
		}
		json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"text": worded(q.Seed) + " from " + filepath.Base(filepath.Dir(*model)) + "/" + filepath.Base(*model), "finish_reason": "stop"}},
			"usage": map[string]any{"prompt_tokens": 1, "completion_tokens": 2}})
	})
	fmt.Println(http.ListenAndServe("127.0.0.1:"+*port, nil))
	os.Exit(1)
}

// servedProject is the tiny project whose models a program of ours serves.
func servedProject(t *testing.T, head, more string) string {
	return loopTiny(t, `generator "llama" "base" {
  model      = trainer.llama.base
  samples    = 200
  max_tokens = 64
}`, fmt.Sprintf(`generator "openai" "base" {
%s
  samples = 200

  serve {
    command = "modelserver"
    args    = ["-model", "{model}", "-port", "{port}"%s]
  }
}`, head, more), "generator.llama.base", "generator.openai.base")
}

// TestServedPromotion: after a promotion the new generator is served from the exported file, and who scored is recorded.
func TestServedPromotion(t *testing.T) {
	t.Parallel()
	dir := servedProject(t, "  model = trainer.llama.base", "")
	said := loopApply(t, dir)
	if v := loopVerdicts(t, dir); v != "PROMOTE PROMOTE" {
		t.Fatalf("decided is %s\n%s", v, said)
	}
	if !strings.Contains(said, "likelihoods by llama") {
		t.Errorf("nothing says who scored:\n%s", said)
	}
	var digests []string
	loopView(t, dir, func(tx *state.Tx) error {
		for _, c := range tx.Cycles() {
			gs, err := tx.Generators(c)
			if err != nil {
				return err
			}
			for _, g := range gs {
				digests = append(digests, strings.TrimPrefix(g.Digest, "sha256:"))
			}
		}
		return nil
	})
	if len(digests) != 3 {
		t.Fatalf("generators %v", digests)
	}
	for i, d := range digests {
		out := loopRun(t, dir, exitDone, "sample", "--version", fmt.Sprint(i+1), "x")
		if !strings.Contains(out, "from ") || !strings.Contains(out, d[2:]) && !strings.Contains(out, d) {
			t.Errorf("generator v%d is served from %q, want the file of %s", i+1, out, d)
		}
	}
	if left := killLeft(t, dir, 10*time.Second); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestServedKilled: a server that was started for a run ends with it, whatever ends the run.
func TestServedKilled(t *testing.T) {
	t.Parallel()
	dir := servedProject(t, "  model = trainer.llama.base", `, "-slow", "30s"`)
	cmd := loopCommand(t, dir, "apply", "--auto-approve", "--cycles", "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	serving := func() (n int) {
		for _, pid := range killWorkingIn(t, dir) {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if bytes.Contains(b, []byte("-slow")) {
				n++
			}
		}
		return n
	}
	for end := time.Now().Add(time.Minute); serving() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			t.Fatal("no server was ever seen")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if left := killLeft(t, dir, 10*time.Second); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestNothingRunsStudents: a generator that students are handed to and that cannot run them is refused before anything is done,
// and one that needs to run none is not.
func TestNothingRunsStudents(t *testing.T) {
	t.Parallel()
	dir := servedProject(t, "  model = trainer.llama.base", "")
	loopRun(t, dir, exitDone, "validate")
	loopChange(t, dir, `"-model", "{model}", `, "")
	said := loopRun(t, dir, exitError, "validate")
	for _, want := range []string{"Models cannot be run", `in generator "openai" "base"`, "serve does not give a model of ours to its server: put {model} where", "successor = generator.llama.student"} {
		if !strings.Contains(strings.Join(strings.Fields(said), " "), want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
	loopRun(t, hostedProject(t, newHosted(t, 0), ""), exitDone, "validate") // another generator is its successor
}

// TestHostedAgainstServed: a base generator at a server, whose likelihoods nobody has, against a student that is served from
// a file: neither is scored by likelihood, and the decision goes by the rest.
func TestHostedAgainstServed(t *testing.T) {
	t.Parallel()
	h := newHosted(t, time.Millisecond)
	dir := servedProject(t, fmt.Sprintf("  base_url = \"%s/v1\"", h.URL), "")
	said := loopApply(t, dir, "--cycles", "1")
	if !strings.Contains(said, "likelihoods count as unavailable, for both contestants") {
		t.Errorf("the apply does not say that there are no likelihoods:\n%s", said)
	}
	if !strings.Contains(said, "domain knowledge counts as unavailable, for all contestants: asked to choose, the ") {
		t.Errorf("the apply does not say that a letter was asked for:\n%s", said)
	}
	if strings.Contains(said, "likelihoods by") || strings.Contains(said, "missing") {
		t.Errorf("one of two is scored:\n%s", said)
	}
	ds := loopDecisions(t, dir)
	if len(ds) != 1 {
		t.Fatalf("%d decisions\n%s", len(ds), said)
	}
	why := loopRun(t, dir, exitDone, "history", "--json")
	if !strings.Contains(why, "domain is unavailable: the score is the weighted mean of the other components, for both contestants") {
		t.Errorf("the decision does not say what it had to do without:\n%s", why)
	}
}

// TestAnswersAreKept: answers of a block that is not done when the generator's process dies are not asked for again.
func TestAnswersAreKept(t *testing.T) {
	t.Parallel()
	answered := func(fault string) (tokens uint64, said string) {
		dir := loopFake(t, nil, `generator "fake" "base" {`, "generator \"fake\" \"runner\" {\n  samples = 200\n  quality = 0.5\n"+fault+"}\n\ngenerator \"fake\" \"base\" {",
			"  generator = generator.fake.base\n", "  generator = generator.fake.base\n  successor = generator.fake.runner\n")
		said = loopApply(t, dir, "--cycles", "1")
		loopView(t, dir, func(tx *state.Tx) error {
			for a, err := range tx.Actions() {
				if err != nil {
					return err
				}
				if strings.HasSuffix(a.Address, ".scores") {
					tokens += a.Usage.CompletionTokens
				}
			}
			return nil
		})
		return tokens, said
	}
	want, _ := answered("")
	got, said := answered("  exit_at = 15\n  once = \"died\"\n")
	if !strings.Contains(said, "crashed (exit status 3) in generator fake, Complete") {
		t.Fatalf("nothing crashed:\n%s", said)
	}
	if got != want || want == 0 {
		t.Errorf("%d answers were paid for, want %d", got, want)
	}
}
