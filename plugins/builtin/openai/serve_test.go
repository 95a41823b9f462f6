package openai

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// TestMain makes the test binary the server that the tests start, too.
func TestMain(m *testing.M) {
	if how, ok := os.LookupEnv("TEST_SERVER"); ok {
		runServer(how)
		return
	}
	os.Exit(m.Run())
}

// runServer answers each prompt with its process, its model and a variable of its environment.
func runServer(how string) {
	port := flag.String("port", "", "")
	model := flag.String("model", "", "")
	flag.Parse()
	switch how {
	case "ends":
		fmt.Println("no such model architecture")
		os.Exit(3)
	case "sleeps":
		fmt.Fprintln(os.Stderr, "loading")
		time.Sleep(time.Minute)
	}
	ready := time.Now().Add(100 * time.Millisecond)
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if time.Now().Before(ready) || how == "never ready" {
			http.Error(w, "loading", http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"data":[{"id":"only"}]}`) })
	answer := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if how == "dies" && strings.Contains(string(b), "prompt 5") {
			fmt.Println("illegal instruction")
			os.Exit(4)
		}
		_, err := os.Stat(os.Getenv("DIR"))
		text := fmt.Sprintf("%d|%s|%s|%v|%s", os.Getpid(), *model, r.URL.Path, err == nil, os.Getenv("JUPITER_PLUGIN"))
		choice := values{"text": text}
		if strings.Contains(r.URL.Path, "chat") {
			choice = values{"message": values{"content": text}}
		}
		json.NewEncoder(w).Encode(values{"choices": []any{choice}, "usage": values{"prompt_tokens": 1, "completion_tokens": 2}})
	}
	http.HandleFunc("/v1/completions", answer)
	http.HandleFunc("/v1/chat/completions", answer)
	if how == "renders" {
		http.HandleFunc("/apply-template", func(w http.ResponseWriter, r *http.Request) {
			var q question
			if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			json.NewEncoder(w).Encode(values{"prompt": "<|im_start|>user\n" + q.text() + "<|im_end|>\n<|im_start|>assistant\n"})
		})
	}
	fmt.Println(http.ListenAndServe("127.0.0.1:"+*port, nil))
	os.Exit(1)
}

func served(t *testing.T, how string, more values) values {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := values{"command": exe, "args": []string{"-port", "{port}", "-model", "{model}"}, "env": values{"TEST_SERVER": how, "DIR": "{dir}"}}
	for name, v := range more {
		s[name] = v
	}
	return values{"serve": s}
}

func model(t *testing.T, name string) *sdk.Artifact {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".gguf")
	if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
		t.Fatal(err)
	}
	return &sdk.Artifact{Digest: "sha256:" + name, MediaType: sdk.GGUFMediaType, Path: path}
}

// answers asks with a model, and gives what was answered, field by field.
func answers(t *testing.T, c *sdktest.Conn, cfg values, m *sdk.Artifact, n int) ([][]string, error) {
	t.Helper()
	stream, err := c.Generator.Complete(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.CompleteRequest{Call: c.Call(t, kindOf, "openai", cfg), Model: m, Prompts: prompts(n)})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	var all [][]string
	for _, e := range events {
		if d := e.GetCompletion(); d != nil {
			all = append(all, strings.Split(d.Text, "|"))
		}
	}
	return all, err
}

// lives says whether a process is there.
func lives(pid string) bool {
	var n int
	fmt.Sscan(pid, &n)
	return n > 0 && !errors.Is(syscall.Kill(n, 0), syscall.ESRCH)
}

func gone(t *testing.T, pid string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); lives(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server, process %s, is still there", pid)
		}
	}
}

// A server is started on the model of a call, kept for the next call with the same, ended for another model's, and ended
// when nothing was asked of it for a while.
func TestServe(t *testing.T) {
	t.Parallel()
	c := client(t)
	cfg := served(t, "well", values{"idle_seconds": 0.3})
	a, b := model(t, "a"), model(t, "b")
	first, err := answers(t, c, cfg, a, 10)
	if err != nil || len(first) != 10 {
		t.Fatalf("%v, %v", first, err)
	}
	if f := first[0]; f[1] != a.Path || f[2] != "/v1/completions" || f[3] != "true" || f[4] != "" {
		t.Errorf("the server got %v", f)
	}
	again, err := answers(t, c, cfg, a, 1)
	if err != nil || again[0][0] != first[0][0] {
		t.Errorf("the next call: %v, %v, want the same server, %s", again, err, first[0][0])
	}
	other, err := answers(t, c, cfg, b, 1)
	if err != nil || other[0][1] != b.Path || other[0][0] == first[0][0] {
		t.Errorf("another model: %v, %v", other, err)
	}
	if lives(first[0][0]) {
		t.Error("the first server is still there")
	}
	gone(t, other[0][0])
}

// What is asked of a server that runs a model of its own goes to chat.
func TestServeWithoutFile(t *testing.T) {
	t.Parallel()
	c := client(t)
	cfg := served(t, "well", values{"args": []string{"-port", "{port}"}})
	all, err := answers(t, c, cfg, nil, 1)
	if err != nil || all[0][2] != "/v1/chat/completions" || all[0][1] != "" {
		t.Fatalf("%v, %v", all, err)
	}
	r, err := c.Plugin.Fingerprint(t.Context(), &pluginv1.FingerprintRequest{Kind: kindOf, Stage: "openai", Config: c.Config(t, kindOf, "openai", cfg)})
	if err != nil || !strings.HasPrefix(r.Digest, "only sha256:") {
		t.Errorf("fingerprint %v, %v", r, err)
	}
}

func TestServeFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	port := taken.Addr().(*net.TCPAddr).Port
	a := model(t, "a")
	for name, tt := range map[string]struct {
		cfg   values
		model *sdk.Artifact
		want  []string
		code  codes.Code
	}{
		"it ends":          {served(t, "ends", nil), a, []string{"has ended (exit status 3); its last words", "no such model architecture"}, codes.Unknown},
		"it never listens": {served(t, "sleeps", values{"start_seconds": 0.4}), a, []string{"with status 200 within 400ms (serve.start_seconds)", "loading"}, codes.Aborted},
		"it is never well": {served(t, "never ready", values{"start_seconds": 0.6}), a, []string{"it last answered with status 503"}, codes.Aborted},
		"no program":       {served(t, "well", values{"command": "no-such-program-here"}), a, []string{"no-such-program-here", "serve.command names a program"}, codes.Unknown},
		"a taken port":     {served(t, "well", values{"port": port}), a, []string{fmt.Sprintf("port %d, which serve.port names, cannot be had", port)}, codes.Unknown},
		"no model":         {served(t, "well", nil), nil, []string{"there is no model to run", "model = trainer.llama.base"}, codes.Unknown},
		"no place for it":  {served(t, "well", values{"args": []string{"-port", "{port}"}}), a, []string{"put {model} where"}, codes.Unknown},
		"no server":        {values{"base_url": "http://127.0.0.1:9/v1"}, a, []string{"no server runs a model of ours: add a block serve"}, codes.Unknown},
		"no file":          {served(t, "well", nil), &sdk.Artifact{Path: "/no/such/file.gguf"}, []string{"find the model"}, codes.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := answers(t, client(t), tt.cfg, tt.model, 1)
			if status.Code(err) != tt.code {
				t.Errorf("%v, want code %v", err, tt.code)
			}
			for _, w := range tt.want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("%v, want %q", err, w)
				}
			}
		})
	}
}

// A server that dies while it is asked: the call ends as one that may be tried again, at once and with what the server
// said; the next try has a new one.
func TestServerDies(t *testing.T) {
	t.Parallel()
	c := client(t)
	cfg := served(t, "dies", nil)
	a := model(t, "a")
	began := time.Now()
	all, err := answers(t, c, cfg, a, 10)
	if status.Code(err) != codes.Aborted || !strings.Contains(err.Error(), "has ended (exit status 4); its last words:\n  illegal instruction") {
		t.Errorf("%d answers, %v", len(all), err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("that took %s", d)
	}
	if all, err := answers(t, c, cfg, a, 4); err != nil || len(all) != 4 {
		t.Errorf("the next call: %d answers, %v", len(all), err)
	}
}

// Calls for different models take turns, and none waits for ever.
func TestServersTakeTurns(t *testing.T) {
	t.Parallel()
	s := newServers(time.Now)
	defer s.close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	how := serve{Command: exe, Args: []string{"-port", "{port}", "-model", "{model}"}, Env: map[string]string{"TEST_SERVER": "well"}, Ready: "/health", StartSeconds: 20, IdleSeconds: 30}
	done := make(chan error)
	for i := range 6 {
		go func() {
			x, err := s.get(t.Context(), how, fmt.Sprint("model", i%2))
			if err == nil {
				time.Sleep(10 * time.Millisecond)
				s.release(x)
			}
			done <- err
		}()
	}
	for range 6 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	x, err := s.get(t.Context(), how, "model0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.get(ctx, how, "model1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another is in use: %v", err)
	}
	s.release(x)
}
