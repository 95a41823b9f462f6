package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jupiter/bench/figures"
	"jupiter/plugins/builtin/llama/bpe"
)

// workArg makes this program a worker: it is followed by the file of the texts and the size of the vocabulary.
const workArg = "work"

// about is what a worker says of itself when it is ready.
type about struct {
	Version string `json:"version"`
	Texts   int    `json:"texts"`
	Bytes   int    `json:"bytes"`
}

// turn is what a worker answers.
type turn struct {
	Seconds float64 `json:"seconds"`
	Tokens  int     `json:"tokens"`
	PeakMB  float64 `json:"peak_mb"` // of the process so far, resident, the texts included
}

// gather writes the text files below root, in the order of their paths, as a JSON list until they have so many bytes; the last
// is cut. It gives how many there are.
func gather(root string, size int, to string) (int, error) {
	var texts []string
	left := size
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if left == 0 {
			return fs.SkipAll
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !utf8.Valid(data) || slices.Contains(data, 0) {
			return nil
		}
		cut := data[:min(len(data), left)]
		left -= len(cut)
		texts = append(texts, strings.ToValidUTF8(string(cut), ""))
		return nil
	})
	if err != nil {
		return 0, err
	}
	if left > 0 {
		return 0, fmt.Errorf("%s has only %d of %d bytes of text", root, size-left, size)
	}
	b, err := json.Marshal(texts)
	if err != nil {
		return 0, err
	}
	return len(texts), os.WriteFile(to, b, 0o600)
}

func work(args []string) error {
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	vocab, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		return err
	}
	data = nil
	debug.SetGCPercent(200) // as the program has it
	hello := about{Version: runtime.Version(), Texts: len(texts)}
	for _, t := range texts {
		hello.Bytes += len(t)
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(hello); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		began := time.Now()
		tok := bpe.Train(slices.Values(texts), bpe.Options{VocabSize: vocab})
		took := time.Since(began).Seconds()
		peak, err := figures.PeakMB()
		if err != nil {
			return err
		}
		if err := out.Encode(turn{took, tok.Size(), peak}); err != nil {
			return err
		}
	}
	return nil
}
