// Command tokenizer measures how long the tokenizer of the embedded language model takes to be trained on 100 MB of text, beside
// Hugging Face's tokenizers on the same text in the same run. It prints tables.
//
// The text is Go's own source, which every machine that builds this program has. Both sides are processes that have read it,
// and take turns, one at a time; times are medians over the turns. Ours is this program; the peer is peer.py.
//
// `make bench-tokenizer` runs it. The last line is for scripts. The exit status says whether everything could be measured;
// whether the goals are met stands in the table.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"jupiter/bench/worker"
)

func main() {
	if err := start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench-tokenizer:", err)
		os.Exit(1)
	}
}

type options struct {
	environment string // script that makes the environment of the peer
	rounds      int
	threads     int
	vocab       int
	megabytes   int
}

func start(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == workArg {
		return work(os.Args[2:])
	}
	var o options
	flag.StringVar(&o.environment, "environment", "", "script that makes the environment of the peer; without it there is none")
	flag.IntVar(&o.rounds, "rounds", 5, "turns that each side takes; the median counts")
	flag.IntVar(&o.threads, "threads", 2, "threads of both sides")
	flag.IntVar(&o.vocab, "vocab", 32768, "tokens to reach")
	flag.IntVar(&o.megabytes, "megabytes", 100, "text to learn from, in millions of bytes")
	flag.Parse()
	if o.rounds < 1 || o.threads < 1 || o.vocab < 1 || o.megabytes < 1 || flag.NArg() > 0 {
		return errors.New("usage: tokenizer [-environment SCRIPT] [-rounds N] [-threads N] [-vocab N] [-megabytes N]")
	}
	return run(ctx, o)
}

//go:embed peer.py
var peerSource []byte

func run(ctx context.Context, o options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "jupiter-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	text := filepath.Join(dir, "texts.json")
	files, err := gather(filepath.Join(strings.TrimSpace(string(goroot)), "src"), o.megabytes*1e6, text)
	if err != nil {
		return err
	}
	r := &report{options: o, files: files}
	args := []string{text, strconv.Itoa(o.vocab)}
	n := strconv.Itoa(o.threads)
	env := []string{"GOMAXPROCS=" + n, "RAYON_NUM_THREADS=" + n, "TOKENIZERS_PARALLELISM=true"}
	var all []side
	defer func() {
		for _, s := range all {
			s.w.Stop()
		}
	}()
	add := func(name, program string, args ...string) error {
		progress("%s reads the text", name)
		var hello about
		w, err := worker.Start(ctx, env, program, args, &hello)
		if err != nil {
			return err
		}
		all = append(all, side{name, w})
		r.met(name, hello)
		return nil
	}
	if err := add(ours, self, append([]string{workArg}, args...)...); err != nil {
		return err
	}
	if python := r.python(ctx); python != "" {
		script := filepath.Join(dir, "peer.py")
		if err := os.WriteFile(script, peerSource, 0o600); err != nil {
			return err
		}
		if err := add(peer, python, append([]string{script}, args...)...); err != nil {
			return err
		}
	}
	for i := range o.rounds {
		for _, s := range all {
			var t turn
			if err := s.w.Ask("train", &t); err != nil {
				return err
			}
			progress("round %d of %d: %s, %.1f s", i+1, o.rounds, s.name, t.Seconds)
			r.add(s.name, t)
		}
	}
	return r.write(os.Stdout)
}

type side struct {
	name string
	w    *worker.Worker
}

// python makes the environment of the peer and gives its interpreter; "": there is none.
func (r *report) python(ctx context.Context) string {
	if r.environment == "" {
		r.noPeer = "there was to be none"
		return ""
	}
	progress("the environment of the peer, which is downloaded the first time")
	python, err := worker.Python(ctx, r.environment, "bench-tokenizer", "tokenizers")
	if err != nil {
		r.noPeer = err.Error()
	}
	return python
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
