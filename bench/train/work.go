package main

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"jupiter/bench/figures"
	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
)

// workArg makes this program a worker: it is followed by a subject and the number of threads.
const workArg = "work"

// about is what a worker says of itself when it is ready.
type about struct {
	Version    string `json:"version"`
	BLAS       string `json:"blas"`
	CPU        string `json:"cpu"`
	Parameters int    `json:"parameters"`
}

// turn is what a worker answers.
type turn struct {
	Seconds float64 `json:"seconds"`
	Loss    float64 `json:"loss"`
	AllocKB float64 `json:"alloc_kb,omitempty"` // a step, of the heap; ours alone
	PeakMB  float64 `json:"peak_mb,omitempty"`  // of the process so far, resident; ours alone
}

func work(args []string) error {
	var n [8]int
	for i := range n {
		v, err := strconv.Atoi(args[i])
		if err != nil {
			return err
		}
		n[i] = v
	}
	s := subject{layers: n[0], dim: n[1], heads: n[2], ffn: n[3], vocab: n[4], length: n[5], batch: n[6]}
	threads := n[7]
	debug.SetGCPercent(200) // as the program has it
	w := model.New(s.config())
	w.Init(1)
	t, err := train.New(w, nil, train.Options{Threads: threads, WeightDecay: 0.1, Beta1: 0.9, Beta2: 0.95, Clip: 1, OneRate: true})
	if err != nil {
		return err
	}
	defer t.Close()
	seqs := s.sequences(rand.New(rand.NewPCG(1, 1)).IntN)
	if _, err := t.Step(seqs, rate); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(about{Version: runtime.Version(), BLAS: "own", CPU: kernel.Implementation(), Parameters: s.config().Params()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		steps, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var r train.StepResult
		began := time.Now()
		for range steps {
			if r, err = t.Step(seqs, rate); err != nil {
				return err
			}
		}
		took := time.Since(began).Seconds()
		runtime.ReadMemStats(&after)
		peak, err := figures.PeakMB()
		if err != nil {
			return err
		}
		if err := out.Encode(turn{took, r.Loss, float64(after.TotalAlloc-before.TotalAlloc) / 1000 / float64(steps), peak}); err != nil {
			return err
		}
	}
	return nil
}

const rate = 1e-3
