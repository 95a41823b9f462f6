package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"

	"jupiter/bench/worker"
)

// length is how many tokens are compared.
const length = 32

type prompt struct {
	Text string `json:"text"`
	Chat bool   `json:"chat"`
}

var prompts = []prompt{
	{"Package json implements", false},
	{"# Package container/heap\n\nPackage heap provides", false},
	{"What does Go's package sort do?", true},
	{"Explain this in one short sentence:\n\nPackage tar implements access to tar archives.", true},
}

// sameGreedy compares the student in the library that trained it with the student in the server: there adapters beside the model, here one
// file in which they are merged, with tokenizer and chat template. Both compute with f32; what the cycle serves is rounded to q8_0.
func (e *example) sameGreedy(ctx context.Context) (bool, error) {
	checkpoint, err := e.made(ctx, "output checkpoint of trainer.mlx.student.select")
	if err != nil {
		return false, err
	}
	model, adapter := filepath.Join(e.dir, "models", "SmolLM2-135M-Instruct"), filepath.Join(checkpoint, "adapter")
	question, err := json.Marshal(map[string]any{"model": model, "adapter": adapter, "tokens": length, "prompts": prompts})
	if err != nil {
		return false, err
	}
	out, err := output(ctx, bytes.NewReader(question), filepath.Join(e.dir, "venv", "bin", "python"), filepath.Join("bench", "specialist", "greedy.py"))
	if err != nil {
		return false, err
	}
	var library []string
	if err := json.Unmarshal(out, &library); err != nil || len(library) != len(prompts) {
		return false, fmt.Errorf("the library said %.200q: %w", out, err)
	}
	merged := filepath.Join(e.dir, "merged.gguf")
	if err := say(ctx, e.jupiter, "convert", model, merged, "--adapter", adapter, "--dtype", "f32"); err != nil {
		return false, err
	}
	// The server keeps keys and values in f16 unless it is told otherwise, and the library does not.
	server, err := worker.Serve(ctx, nil, e.server, merged, "-c", "512", "-np", "1", "-t", "1", "-ctk", "f32", "-ctv", "f32", "-fa", "off")
	if err != nil {
		return false, err
	}
	defer server.Stop()
	same := true
	for i, p := range prompts {
		text, err := ask(ctx, server.URL, p)
		if err != nil {
			return false, err
		}
		if text != library[i] {
			same = false
			fmt.Printf("%q: the server says %q, the library %q\n", p.Text, text, library[i])
		}
	}
	fmt.Printf("%d greedy answers of up to %d tokens by llama-server and by mlx-lm: the same: %t\n", len(prompts), length, same)
	return same, nil
}

// ask is one greedy answer of a server.
func ask(ctx context.Context, url string, p prompt) (string, error) {
	path, body := "/v1/completions", map[string]any{"max_tokens": length, "temperature": 0}
	if body["prompt"] = p.Text; p.Chat {
		delete(body, "prompt")
		path, body["messages"] = "/v1/chat/completions", []map[string]string{{"role": "user", "content": p.Text}}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	if b, err = io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK {
		return "", fmt.Errorf("llama-server: %s: %.400s: %w", r.Status, b, err)
	}
	var answer struct {
		Choices []struct {
			Text    string `json:"text"`
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || len(answer.Choices) != 1 {
		return "", fmt.Errorf("llama-server said %.400q: %w", b, err)
	}
	return answer.Choices[0].Text + answer.Choices[0].Message.Content, nil
}
