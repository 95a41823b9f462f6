package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"jupiter/bench/worker"
	"jupiter/plugins/builtin/llama/bpe"
)

// server is a llama-server with as many slots as a batch has texts.
type server struct {
	*worker.Server
	http  *http.Client
	batch int
	tok   *bpe.Tokenizer
}

func startServer(ctx context.Context, program, backend, file string, tok *bpe.Tokenizer, batch, threads int) (*server, error) {
	t := strconv.Itoa(threads)
	one, err := worker.Serve(ctx, backendEnv(backend), program, file,
		"-c", strconv.Itoa(contextTokens*batch), "-np", strconv.Itoa(batch), "-t", t, "-tb", t, "--threads-http", t)
	if err != nil {
		return nil, err
	}
	return &server{Server: one, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: batch}}, batch: batch, tok: tok}, nil
}

// backendEnv has llama.cpp take a library of kernels.
func backendEnv(backend string) []string {
	if backend == "" {
		return nil
	}
	return []string{"GGML_BACKEND_PATH=" + backend}
}

func lastOf(log string) string { return log[max(0, len(log)-400):] }

// ask has the server write texts, so many at a time.
func (s *server) ask(texts int) (turn, error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	var t turn
	var failed error
	next := make(chan int)
	began := time.Now()
	for range s.batch {
		group.Go(func() {
			for i := range next {
				n, err := s.complete(i)
				mu.Lock()
				t.Tokens += n
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	for i := range texts {
		next <- i
	}
	close(next)
	group.Wait()
	t.Seconds = time.Since(began).Seconds()
	return t, failed
}

// complete gives the number of tokens of a text.
func (s *server) complete(i int) (int, error) {
	body, err := json.Marshal(map[string]any{
		"prompt": prompt(s.tok, i), "n_predict": textTokens, "ignore_eos": true, "cache_prompt": false,
		"temperature": 1, "samplers": []string{"temperature"}, "seed": i,
	})
	if err != nil {
		return 0, err
	}
	r, err := s.http.Post(s.URL+"/completion", "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	var answer struct {
		Tokens int `json:"tokens_predicted"`
	}
	if r.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 400))
		return 0, fmt.Errorf("llama-server: %s: %s", r.Status, b)
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Tokens != textTokens {
		return 0, fmt.Errorf("llama-server wrote %d tokens, and not %d", answer.Tokens, textTokens)
	}
	return answer.Tokens, nil
}

// benchmark has llama-bench compute, and gives its tokens a second: one token after the other, or passes of a batch of them, each
// of which gives logits for the last alone.
func benchmark(ctx context.Context, program, backend, file string, batch, threads int) (float64, error) {
	args := []string{"-p", "0", "-n", strconv.Itoa(4 * textTokens), "-r", "1"}
	if batch > 1 {
		args = []string{"-p", strconv.Itoa(batch), "-n", "0", "-r", "20"}
	}
	cmd := exec.CommandContext(ctx, program, append(args, "-m", file, "-d", "0", "-t", strconv.Itoa(threads), "-o", "json")...)
	cmd.Env = append(os.Environ(), backendEnv(backend)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", program, err, lastOf(errs.String()))
	}
	var all []struct {
		Rate float64 `json:"avg_ts"`
	}
	if err := json.Unmarshal(out, &all); err != nil || len(all) != 1 || !(all[0].Rate > 0) {
		return 0, fmt.Errorf("%s gave no rate: %w: %.200s", program, err, out)
	}
	return all[0].Rate, nil
}
