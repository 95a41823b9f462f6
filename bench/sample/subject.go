package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/model"
)

// subject is a model, with random parameters: how fast it writes does not depend on what.
type subject struct {
	name                           string
	layers, dim, heads, ffn, vocab int
}

var subjects = []subject{
	{name: "A", layers: 4, dim: 128, heads: 4, ffn: 352, vocab: 512},
	{name: "B", layers: 4, dim: 256, heads: 8, ffn: 704, vocab: 4096},
}

// A text is as many tokens after a prompt of as many.
const (
	promptTokens  = 16
	textTokens    = 128
	contextTokens = 256
)

// batches are how many texts are written at a time.
var batches = []int{1, 64}

// write writes the subject's file into dir.
func (s subject) write(dir string) (string, error) {
	tok, err := tokenizer(s.vocab)
	if err != nil {
		return "", err
	}
	w := model.New(model.Config{
		Vocab: s.vocab, Dim: s.dim, Layers: s.layers, Heads: s.heads, KVHeads: s.heads, HeadDim: s.dim / s.heads, FFN: s.ffn,
		Context: contextTokens, RopeTheta: 10000, NormEps: 1e-5, Tied: true,
	})
	w.Init(1)
	path := filepath.Join(dir, s.name+".gguf")
	return path, gguf.Write(path, w, tok, s.name)
}

// tokenizer makes a vocabulary of a size from the source of Go's standard library, which is wherever this is built.
func tokenizer(size int) (*bpe.Tokenizer, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	var texts []string
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(goroot)), "src", "net"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		b, err := os.ReadFile(path)
		texts = append(texts, string(b))
		return err
	})
	if err != nil {
		return nil, err
	}
	tok := bpe.Train(func(yield func(string) bool) {
		for _, t := range texts {
			if !yield(t) {
				return
			}
		}
	}, bpe.Options{VocabSize: size})
	if tok.Size() != size {
		return nil, fmt.Errorf("the source of Go makes %d tokens, and not %d", tok.Size(), size)
	}
	return tok, nil
}

// prompt is that of text i: BOS, and tokens that are no special ones.
func prompt(tok *bpe.Tokenizer, i int) []int32 {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	ids := []int32{tok.BOS()}
	for len(ids) < promptTokens {
		if id := int32(r.IntN(tok.Size())); !tok.Special(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
