package main

import (
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
	"syscall"
	"testing"
	"time"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// blockOfDocs is the only block of a document that holds a text.
func blockOfDocs(t *testing.T, path, holds string) string {
	t.Helper()
	var found []string
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if d.path == path && strings.Contains(b.text, holds) {
				found = append(found, b.text)
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks with %q, want one", path, len(found), holds)
	}
	return found[0]
}

// TestOllamaPromotion: a cycle whose generator is served by Ollama, with the block that the docs show. The student is promoted,
// and the next samples come from it. Then the commands of the docs bring it to an Ollama that runs already.
func TestOllamaPromotion(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	t.Parallel()
	program := programOf(t, "OLLAMA", "ollama", "WHAT THE DOCS SAY OF OLLAMA", ".ci/ollama builds it")
	block := loopEdit(t, blockOfDocs(t, "docs/language.md", `generator "openai" "ours"`), "  samples    = 1000\n", "  samples    = 40\n  max_tokens = 24\n",
		`repeat_penalty 1\n`, `repeat_penalty 1\nPARAMETER num_thread 1\n`)
	dir := loopTiny(t, "generator \"llama\" \"base\" {\n  model      = trainer.llama.base\n  samples    = 200\n  max_tokens = 64\n}\n", block,
		"generator = generator.llama.base", "generator = generator.openai.ours",
		"    bucket = \"synthetic\"\n  }", "    bucket = \"synthetic\"\n    prompt = \"{n}{unit}:\"\n    values = { n = [\"3\", \"12\", \"47\", \"251\"], unit = [\"ft en in\", \"h en min\", \"lb en oz\"] }\n  }",
		"  max_steps        = 40\n  save_every_steps = 20\n\n  select {\n    split = \"validation\"\n  }\n", "  max_steps        = 40\n  save_every_steps = 40\n",
		"  save_every_steps = 100\n\n  select {\n    split = \"validation\"\n  }\n", "  save_every_steps = 200\n",
		"min_steps_before_replace = 200\n  benchmark_samples        = 400\n", "min_steps_before_replace = 200\n  guard_samples            = 200\n  benchmark_samples        = 100\n")
	for split, n := range map[string]int{"validation": 1, "dev": 20, "gate": 100} {
		lines := strings.SplitAfterN(loopRead(t, filepath.Join(dir, split+".jsonl")), "\n", n+1)
		loopWrite(t, dir, split+".jsonl", strings.Join(lines[:n], ""))
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := loopCommand(t, dir, args...)
		cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("jupiter %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	said := run("apply", "--auto-approve", "--cycles", "1")
	for _, want := range []string{"40 samples by generator_v1", "likelihoods by llama", "PROMOTE at step 200", "generator_v2 is now in use"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if said := run("apply", "--auto-approve", "--target", "domain.quantities.template.example"); !strings.Contains(said, "40 samples by generator_v2") {
		t.Errorf("the next samples are not the promoted model's:\n%s", said)
	}

	prompts := []string{"7ft5in en in:", "3m en cm:", "2h + 5min en min:", "12sep+19d:"}
	current, err := filepath.EvalSymlinks(filepath.Join(dir, "generators", "current"))
	if err != nil {
		t.Fatal(err)
	}
	want := embeddedSays(t, current, "", prompts)
	for i, prompt := range prompts {
		var got struct{ Samples []struct{ Text string } }
		if out := run("sample", "--temperature", "0", "--json", prompt); json.Unmarshal([]byte(out), &got) != nil || len(got.Samples) != 1 || got.Samples[0].Text != want[i] {
			t.Errorf("%q: the embedded engine says %q, Ollama\n%s", prompt, want[i], out)
		}
	}
	if left := killLeft(t, dir, 10*time.Second); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	ollamaRunning(t, program, dir, current, prompts)
}

// ollamaRunning follows docs/cli.md: a promoted generator is exported and made known to an Ollama that runs already. It says what
// the embedded engine says, to a text that it goes on from; and to a chat, where the Modelfile names no template.
func ollamaRunning(t *testing.T, program, dir, model string, prompts []string) {
	home := t.TempDir()
	host := freeAddress(t)
	env := append(os.Environ(), "OLLAMA_HOST="+host, "HOME="+home, "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	server := exec.Command(program, "serve")
	server.Env = env
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM) // it ends what it has started
		_ = server.Wait()
	})
	ask := func(path string, body any) (answer string, status int) {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post("http://"+host+path, "application/json", bytes.NewReader(b))
		if err != nil {
			return err.Error(), 0
		}
		defer resp.Body.Close()
		b, err = io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), resp.StatusCode
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, status := ask("/api/show", map[string]any{"model": "none"}); status == http.StatusNotFound {
			break
		}
		if time.Now().After(end) {
			t.Fatal("ollama serve does not answer")
		}
	}
	shell := func(dir, script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-e", "-c", script)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	modelfile := blockOfDocs(t, "docs/cli.md", "FROM ./ours.gguf")
	loopWrite(t, dir, "Modelfile", modelfile+"PARAMETER num_thread 1\n")
	shell(dir, blockOfDocs(t, "docs/cli.md", "ollama create ours"))
	loopWrite(t, dir, "Modelfile", loopEdit(t, modelfile, "TEMPLATE \"{{ .Prompt }}\"\n", "")+"PARAMETER num_thread 1\n")
	shell(dir, "ollama create chats -f Modelfile")
	if said := shell(dir, "ollama show chats --template"); !strings.Contains(said, "<|im_start|>") {
		t.Errorf("the chat template of the file is not taken:\n%s", said)
	}

	var got struct {
		Choices []struct {
			Text    string
			Message struct{ Content string }
		}
	}
	want := embeddedSays(t, model, "", prompts)
	chats := embeddedSays(t, model, "Work it out.", prompts)
	for i, prompt := range prompts {
		request := map[string]any{"model": "ours", "prompt": prompt, "temperature": 0, "max_tokens": 24}
		if out, _ := ask("/v1/completions", request); json.Unmarshal([]byte(out), &got) != nil || len(got.Choices) != 1 || got.Choices[0].Text != want[i] {
			t.Errorf("%q: the embedded engine says %q, Ollama %s", prompt, want[i], out)
		}
		messages := []map[string]string{{"role": "system", "content": "Work it out."}, {"role": "user", "content": prompt}}
		request = map[string]any{"model": "chats", "messages": messages, "temperature": 0, "max_tokens": 24}
		if out, _ := ask("/v1/chat/completions", request); json.Unmarshal([]byte(out), &got) != nil || len(got.Choices) != 1 || got.Choices[0].Message.Content != chats[i] {
			t.Errorf("%q, as a chat: the embedded engine says %q, Ollama %s", prompt, chats[i], out)
		}
	}
}

// embeddedSays is what the embedded engine answers greedily; with a system message, to a chat.
func embeddedSays(t *testing.T, model, system string, prompts []string) (texts []string) {
	t.Helper()
	var ps []*sdk.Prompt
	for i, text := range prompts {
		ps = append(ps, &sdk.Prompt{Id: fmt.Sprint(i), System: system, Text: text})
	}
	conn := sdktest.Open(t, llama.Plugin("1.0.0"))
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "llama", map[string]any{"max_tokens": 24})
	for _, c := range completions(t, conn, call, &sdk.Artifact{Path: model, MediaType: sdk.GGUFMediaType}, &sdk.Sampling{}, ps...) {
		texts = append(texts, c.Text)
	}
	return texts
}

// freeAddress is one of the loopback interface that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
