package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// watched is a program in front of llama-server that tells which file it is to run. It tells by a connection, since it runs where
// it can write nothing that lasts.
type watched struct {
	program  string
	listener net.Listener
	mu       sync.Mutex
	models   []string
}

func watch(dir, server string) (*watched, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &watched{program: filepath.Join(dir, "llama-server"), listener: l}
	script := fmt.Sprintf("#!/usr/bin/env bash\nexec 3<>/dev/tcp/127.0.0.1/%d && printf '%%s\\n' \"$2\" >&3 && exec 3>&-\nexec '%s' \"$@\"\n",
		l.Addr().(*net.TCPAddr).Port, strings.ReplaceAll(server, "'", `'\''`))
	if err := os.WriteFile(w.program, []byte(script), 0o755); err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
				w.mu.Lock()
				w.models = append(w.models, strings.TrimSpace(line))
				w.mu.Unlock()
			}
			c.Close()
		}
	}()
	return w, nil
}

func (w *watched) ran() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.models)
}

// artifact is what the store has of one output.
type artifact struct {
	Digest   string   `json:"digest"`
	NeededBy []string `json:"needed_by"`
}

// made gives the stored path of an output, as `artifact list` calls it.
func (e *example) made(ctx context.Context, output string) (string, error) {
	var list struct {
		Artifacts []artifact `json:"artifacts"`
	}
	if err := e.read(ctx, &list, "artifact list"); err != nil {
		return "", err
	}
	for _, a := range list.Artifacts {
		if slices.Contains(a.NeededBy, output) {
			digits := strings.TrimPrefix(a.Digest, "sha256:")
			return filepath.Join(e.dir, ".jupiter", "artifacts", "sha256", digits[:2], digits), nil
		}
	}
	return "", fmt.Errorf("no stored artifact is %s", output)
}

// served says whether llama-server has run the base's file and the student's.
func (e *example) served(ctx context.Context) (bool, error) {
	for _, output := range []string{"output model of generator.openai.teacher.import", "output model of trainer.mlx.student.select"} {
		path, err := e.made(ctx, output)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(e.front.ran(), func(model string) bool { return strings.HasPrefix(model, path+"/") }) {
			fmt.Printf("llama-server did not run %s; it ran %s\n", path, strings.Join(e.front.ran(), ", "))
			return false, nil
		}
	}
	return true, nil
}

// decisions counts the cycles that were decided, and those that promoted.
func (e *example) decisions(ctx context.Context) (cycles, promotions int, err error) {
	var history struct {
		Cycles []struct {
			Verdict string `json:"verdict"`
		} `json:"cycles"`
	}
	if err := e.read(ctx, &history, "history"); err != nil {
		return 0, 0, err
	}
	for _, c := range history.Cycles {
		if c.Verdict == "PROMOTE" {
			promotions++
		}
	}
	return len(history.Cycles), promotions, nil
}
