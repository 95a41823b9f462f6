package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/builtin/openai"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// programOf is a program of somebody else's: what a variable of the environment names, or what is on the PATH. Without it the test is
// skipped, with what is not tested then, and how the program can be had.
func programOf(t *testing.T, variable, name, what, how string) string {
	t.Helper()
	if said := os.Getenv(variable); said != "" {
		name = said
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED, %s: %v; %s, and %s names the program", what, err, how, variable)
	}
	return path
}

// llamaServer is llama.cpp's server.
func llamaServer(t *testing.T) string {
	t.Helper()
	return programOf(t, "LLAMA_SERVER", "llama-server", "THE EXAMPLE llama-server", ".ci/llama.cpp fetches llama.cpp")
}

// TestLlamaServerExample applies examples/llama-server with sizes that take seconds: a real llama-server writes the samples and
// answers the questions, the embedded engine gives the likelihoods, and what is promoted is served.
func TestLlamaServerExample(t *testing.T) {
	t.Parallel()
	binary := llamaServer(t)
	root := t.TempDir()
	copyExample(t, root, "llama-server")
	dir := filepath.Join(root, "examples", "llama-server")
	loopWrite(t, dir, "llama-server.jupiter.hcl", loopEdit(t, loopRead(t, filepath.Join(dir, "llama-server.jupiter.hcl")),
		"window = 1200", "window = 400",
		"max_steps        = 2 * local.window\n  schedule_steps   = local.window\n  save_every_steps = 400\n  seed             = var.seed\n\n  select {\n    split = \"validation\"\n  }\n}\n\n# Runs", "max_steps        = 20\n  save_every_steps = 20\n  seed             = var.seed\n\n  select {\n    split = \"validation\"\n  }\n}\n\n# Runs",
		"layers        = 3\n  dim           = 64", "layers        = 1\n  dim           = 32",
		"layers        = 2\n  dim           = 64", "layers        = 1\n  dim           = 32",
		"samples     = 12000", "samples     = 300",
		"max_tokens  = 96", "max_tokens  = 48",
		"learning_rate = 0.007", "learning_rate = 0.012",
		"max_steps        = 2 * local.window", "max_steps        = local.window",
		"benchmark_samples        = 500", "benchmark_samples        = 120\n  verify                   = false\n"+wideGuard,
	))
	cutSplits(t, root)
	server := "llama_server=" + binary
	if said := loopRun(t, dir, exitDone, "doctor", "--var", server); !strings.Contains(said, "ok       program") {
		t.Errorf("doctor:\n%s", said)
	}
	said := loopRun(t, dir, exitDone, "apply", "--auto-approve", "--var", server)
	for _, want := range []string{"300 samples by generator_v1", "likelihoods by llama", "PROMOTE at step 400", "generator_v2 is now in use"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if said := loopRun(t, dir, exitDone, "sample", "--var", server, "7ft5in en in:"); !strings.Contains(said, "generator v2") {
		t.Errorf("what answers:\n%s", said)
	}
	if left := killLeft(t, dir, 10*time.Second); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	model, err := filepath.EvalSymlinks(filepath.Join(dir, "generators", "current"))
	if err != nil {
		t.Fatal(err)
	}
	sameAsEmbedded(t, binary, &sdk.Artifact{Path: model, MediaType: sdk.GGUFMediaType})
}

func cutSplits(t *testing.T, root string) {
	t.Helper()
	for split, n := range map[string]int{"validation": 40, "dev": 120, "gate": 120} {
		path := filepath.Join(root, "domains", "quantities", split+".jsonl")
		lines := strings.SplitAfterN(loopRead(t, path), "\n", n+1)
		loopWrite(t, filepath.Dir(path), filepath.Base(path), strings.Join(lines[:n], ""))
	}
}

// sameAsEmbedded: a real llama-server, asked through the generator openai, says greedily what the embedded engine says, with
// the same number of tokens; one seed gives one sample; and a chat held to a JSON schema gives JSON. The embedded engine
// keeps keys and values in float32, so the server does here.
func sameAsEmbedded(t *testing.T, binary string, model *sdk.Artifact) {
	t.Helper()
	served := sdktest.Open(t, openai.Plugin("1.0.0"))
	embedded := sdktest.Open(t, llama.Plugin("1.0.0"))
	config := func(more map[string]any) map[string]any {
		c := map[string]any{"max_tokens": 48, "logprobs": true, "serve": map[string]any{"command": binary, "args": []string{"--model", "{model}", "--host", "127.0.0.1",
			"--port", "{port}", "--ctx-size", "512", "--parallel", "2", "--threads", "1", "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--no-warmup"}}}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	ask := func(conn *sdktest.Conn, stage string, cfg map[string]any, s *sdk.Sampling, ps ...*sdk.Prompt) []*sdk.Completion {
		t.Helper()
		return completions(t, conn, conn.Call(t, pluginv1.Kind_KIND_GENERATOR, stage, cfg), model, s, ps...)
	}
	var ps []*sdk.Prompt
	for i, text := range []string{"7ft5in en in:", "3m en cm:", "2h + 5min en min:", "12sep+19d:", ""} {
		ps = append(ps, &sdk.Prompt{Id: fmt.Sprint(i), Text: text})
	}
	greedy := &sdk.Sampling{}
	got, want := ask(served, "openai", config(nil), greedy, ps...), ask(embedded, "llama", map[string]any{"max_tokens": 48}, greedy, ps...)
	for i, w := range want {
		g := got[i]
		if g.Text != w.Text || g.FinishReason != w.FinishReason || g.PromptTokens != w.PromptTokens {
			t.Errorf("%q: llama-server says %q (%s, %d tokens read), the embedded engine %q (%s, %d)", ps[i].Text, g.Text, g.FinishReason, g.PromptTokens, w.Text, w.FinishReason, w.PromptTokens)
		}
		if len(g.Logprobs) == 0 || len(g.Logprobs) != len(w.Logprobs) && !strings.Contains(g.Text, "\uFFFD") && g.Text != "" {
			t.Errorf("%q: no log-probabilities", ps[i].Text)
		}
		for k := range w.Logprobs {
			if len(g.Logprobs) != len(w.Logprobs) {
				break // llama-server gives one for all tokens of a character
			}
			if d := g.Logprobs[k] - w.Logprobs[k]; d > 1e-3 || d < -1e-3 {
				t.Errorf("%q, token %d: log-probability %g, want %g", ps[i].Text, k, g.Logprobs[k], w.Logprobs[k])
				break
			}
		}
	}
	drawn := &sdk.Sampling{Temperature: 1}
	a, b := ask(served, "openai", config(nil), drawn, ps[0]), ask(served, "openai", config(nil), drawn, ps[0])
	if a[0].Text != b[0].Text {
		t.Errorf("one seed gives %q and %q", a[0].Text, b[0].Text)
	}
	schema := map[string]any{"type": "object", "properties": map[string]any{"n": map[string]any{"type": "boolean"}}, "required": []string{"n"}, "additionalProperties": false}
	if j := ask(served, "openai", config(map[string]any{"json_schema": schema, "max_tokens": 200}), drawn, ps[0]); j[0].FinishReason == "stop" && !strings.Contains(j[0].Text, `"n"`) {
		t.Errorf("held to a JSON schema it says %q", j[0].Text)
	}
}

// completions asks a generator about a model.
func completions(t *testing.T, conn *sdktest.Conn, call *pluginv1.Call, model *sdk.Artifact, s *sdk.Sampling, ps ...*sdk.Prompt) (all []*sdk.Completion) {
	t.Helper()
	stream, err := conn.Generator.Complete(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.CompleteRequest{Call: call, Model: model, Sampling: s, Prompts: ps})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	var events []*pluginv1.CompleteEvent
	if err == nil {
		events, err = sdktest.All(stream)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if c := e.GetCompletion(); c != nil {
			all = append(all, c)
		}
	}
	return all
}
