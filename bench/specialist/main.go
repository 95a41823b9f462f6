// Command specialist applies examples/specialist in little, in a directory of its own: a real model behind a real llama-server
// teaches, the trainer mlx learns from it, and what it learned is merged and served. Then it compares what the student says
// greedily by the library that trained it, with its adapters beside the model, and by the server, from the merged file.
//
// `make test-specialist` runs it, from the root of the repository. The last line is for scripts. The exit status says whether all
// went as it has to; whether a student is promoted is no part of that.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"jupiter/bench/figures"
)

func main() {
	server := flag.String("llama-server", "llama-server", "llama.cpp's server")
	threads := flag.Int("threads", 2, "the server's threads")
	flag.Parse()
	if err := run(context.Background(), *server, *threads); err != nil {
		fmt.Fprintln(os.Stderr, "test-specialist:", err)
		os.Exit(1)
	}
}

// little are the sizes of a run in some five minutes: enough for each step of a cycle, and not for a student to learn much.
var little = []string{"window=6", "windows=1", "samples=16", "guard_samples=50", "max_tokens=40", "items=160", "gate_items=100"}

// skipped is what this run says nothing of.
var skipped = []string{
	"NOT TESTED HERE: trainer torch; make test-trainers tests it where TRANSFORMERS_PYTHON names a Python with torch",
	"NOT TESTED HERE: CUDA, MPS and Apple silicon: this runs on a processor",
	"NOT TESTED HERE: whether a student becomes better: examples/specialist/README.md says what a whole run gave",
}

type example struct {
	dir, jupiter, server string
	front                *watched // in front of the server
	vars                 []string
}

func run(ctx context.Context, server string, threads int) (err error) {
	began := time.Now()
	path, err := exec.LookPath(server)
	if err != nil {
		return fmt.Errorf("%w; .ci/llama.cpp fetches llama.cpp, and LLAMA_SERVER names its llama-server", err)
	}
	dir, err := os.MkdirTemp("", "jupiter-specialist-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	front, err := watch(dir, path)
	if err != nil {
		return err
	}
	defer front.listener.Close()
	e := &example{dir: dir, jupiter: filepath.Join(root, "jupiter"), server: path, front: front}
	for _, v := range append([]string{"llama_server=" + front.program, fmt.Sprintf("server_threads=%d", threads)}, little...) {
		e.vars = append(e.vars, "--var", v)
	}
	if err := say(ctx, filepath.Join("examples", "specialist", "prepare"), append([]string{dir}, e.vars...)...); err != nil {
		return err
	}
	if err := say(ctx, e.jupiter, e.args("apply", "--auto-approve")...); err != nil {
		return err
	}
	cycles, promotions, err := e.decisions(ctx)
	if err != nil {
		return err
	}
	if cycles == 0 {
		return errors.New("no cycle was decided")
	}
	served, err := e.served(ctx)
	if err != nil {
		return err
	}
	same, err := e.sameGreedy(ctx)
	if err != nil {
		return err
	}
	for _, s := range skipped {
		fmt.Println("***", s)
	}
	err = figures.WriteResult(os.Stdout, result{"mlx", served, same, cycles, promotions, figures.Round(time.Since(began).Minutes(), 1)})
	if err == nil && (!served || !same) {
		err = errors.New("the server, or what it said, is not what it has to be")
	}
	return err
}

// result is the line for scripts.
type result struct {
	Trainer    string  `json:"trainer"`
	Served     bool    `json:"served"`      // a server wrote the base's samples and the student's
	SameGreedy bool    `json:"same_greedy"` // the trainer's library and the server say the same
	Cycles     int     `json:"cycles"`
	Promotions int     `json:"promotions"`
	Minutes    float64 `json:"minutes"`
}

// args are a command on the example.
func (e *example) args(command string, more ...string) []string {
	return append(append([]string{command, "-C", e.dir}, more...), e.vars...)
}

// say runs a program that is seen.
func say(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(program), args[0], err)
	}
	return nil
}

// read runs a command of jupiter's that writes JSON.
func (e *example) read(ctx context.Context, to any, command string, more ...string) error {
	out, err := output(ctx, nil, e.jupiter, append(strings.Fields(command), append([]string{"-C", e.dir, "--json"}, append(more, e.vars...)...)...)...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, to)
}

func output(ctx context.Context, in io.Reader, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return out, nil
}
