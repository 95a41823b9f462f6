package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"jupiter/plugins/builtin/llama/bpe"
)

// server is a llama-server with as many slots as a batch has texts.
type server struct {
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan struct{}
	url   string
	http  *http.Client
	batch int
	tok   *bpe.Tokenizer
}

func startServer(ctx context.Context, program, backend, file string, tok *bpe.Tokenizer, batch, threads int) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	t := strconv.Itoa(threads)
	s := &server{url: "http://" + addr.String(), batch: batch, tok: tok, ended: make(chan struct{})}
	s.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: batch}}
	s.cmd = exec.CommandContext(ctx, program, "-m", file, "--host", "127.0.0.1", "--port", strconv.Itoa(addr.Port),
		"-c", strconv.Itoa(contextTokens*batch), "-np", strconv.Itoa(batch), "-t", t, "-tb", t, "--threads-http", t)
	s.cmd.Env = backendEnv(backend)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // its log says more
		close(s.ended)
	}()
	for range 600 {
		if r, err := s.http.Get(s.url + "/health"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("%s ended: %s", program, lastOf(s.log.String()))
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.stop()
	return nil, errors.New("llama-server was not ready within a minute")
}

func backendEnv(backend string) []string {
	if backend == "" {
		return os.Environ()
	}
	return append(os.Environ(), "GGML_BACKEND_PATH="+backend)
}

func lastOf(log string) string { return log[max(0, len(log)-400):] }

func (s *server) stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}

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
	r, err := s.http.Post(s.url+"/completion", "application/json", bytes.NewReader(body))
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
	cmd.Env = backendEnv(backend)
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
