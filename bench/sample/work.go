package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/builtin/llama/kernel"
)

// workArg makes this program a worker: it is followed by a file, the size of a batch and the number of threads.
const workArg = "work"

// about is what a worker says of itself when it is ready.
type about struct {
	Kernels string `json:"kernels"`
}

// turn is what a worker answers.
type turn struct {
	Tokens  int     `json:"tokens"` // written, in all texts
	Seconds float64 `json:"seconds"`
}

func work(ctx context.Context, args []string) error {
	debug.SetGCPercent(200) // as the program has it
	batch, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	threads, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	w, tok, err := gguf.Read(args[0])
	if err != nil {
		return err
	}
	m, err := infer.New(w, tok)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(about{kernel.Implementation()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		texts, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		var t turn
		began := time.Now()
		err = m.Generate(ctx, texts, func(i int) infer.Request { return infer.Request{Prompt: prompt(tok, i), Seed: uint64(i)} },
			infer.Sampling{Temperature: 1, MaxTokens: textTokens}, infer.Options{Threads: threads, Batch: batch},
			func(r infer.Result) error {
				t.Tokens += len(r.Tokens)
				return nil
			})
		if err != nil {
			return err
		}
		t.Seconds = time.Since(began).Seconds()
		if err := out.Encode(t); err != nil {
			return err
		}
	}
	return nil
}
