// Package hf reads and writes a Llama model as a directory of the kind that Hugging Face's tools read and write:
//
//	config.json                    the shape, and which variant of the architecture it is
//	model.safetensors              the parameters, F32, F16 or BF16; or
//	model.safetensors.index.json   which of several such files has which tensor
//	tokenizer.json                 the tokenizer
//	tokenizer_config.json          the names of the special tokens, and the chat template; may be missing where config.json has
//	                               the ids
//	chat_template.jinja            read: the chat template, as newer programs write it
//	generation_config.json         written: where a text ends
//	README.md                      written: the model's card
//
// A model is either read as exactly the function that its own program computes, or refused by the name of what this engine
// does not compute: another architecture, rotary embeddings scaled otherwise than by a factor or as Llama 3.1's are, biases,
// quantised parameters, another kind of tokenizer.
//
// Reading trusts nothing. Every file is bounded, file names in the index may not leave the directory, and all tensors are
// found with their shapes before memory is taken for them, so a model takes no more of it than a small multiple of its
// files' size.
package hf

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

// Bounds on the small files, in bytes.
const (
	maxConfig = 1 << 20
	maxIndex  = 16 << 20
	maxShards = 1 << 10
)

// Model is what a directory holds.
type Model struct {
	Weights   *model.Weights
	Tokenizer *bpe.Tokenizer
	DTypes    []string // number formats of the parameters, in small letters, that of most of them first
	Notes     []string // what a user should know: sentences
}

// Read reads the model in dir.
func Read(dir string) (*Model, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	shape, err := c.shape()
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	files, err := openShards(dir)
	if err != nil {
		return nil, err
	}
	defer files.close()
	if err := files.check(shape); err != nil { // first: from here on the files pay for what the shape asks for
		return nil, err
	}
	m := &Model{DTypes: files.dtypes()}
	if m.Tokenizer, err = c.tokenizer(dir, m); err != nil {
		return nil, err
	}
	m.Weights, err = files.read(shape)
	return m, err
}

// small reads a file of bounded size.
func small(dir, name string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, err
}

// read reads the parameters of a model of this shape, which check has found.
func (s *shards) read(shape model.Config) (*model.Weights, error) {
	w := model.New(shape)
	for _, t := range w.Tensors() {
		if err := s.of[t.Name].Read(t.Name, t.Shape, t.Data); err != nil {
			return nil, err
		}
		for _, v := range t.Data {
			if v-v != 0 {
				return nil, fmt.Errorf("tensor %q holds %v", t.Name, v)
			}
		}
	}
	return w, nil
}

// dtypes lists the number formats of all tensors, that of most numbers first.
func (s *shards) dtypes() []string {
	share := map[string]int64{}
	for _, t := range s.infos {
		if t.DType != safetensors.F32 && t.DType != safetensors.F16 && t.DType != safetensors.BF16 {
			continue // of a tensor that is not read: any text
		}
		n := int64(1)
		for _, d := range t.Shape {
			n *= int64(d) // of a file's header, whose sizes its bytes have paid for
		}
		share[strings.ToLower(string(t.DType))] += n
	}
	names := sortedNames(share)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(share[b], share[a]) })
	return names
}

// shards are the open files of a model's parameters.
type shards struct {
	open  []*safetensors.File
	of    map[string]*safetensors.File // by tensor
	infos map[string]safetensors.Info
}

func (s *shards) close() {
	for _, f := range s.open {
		f.Close()
	}
}

// openShards opens the one file of a model, or those that its index names.
func openShards(dir string) (*shards, error) {
	names, err := shardNames(dir)
	if err != nil {
		return nil, err
	}
	s := &shards{of: map[string]*safetensors.File{}, infos: map[string]safetensors.Info{}}
	for _, name := range names {
		f, err := safetensors.Open(filepath.Join(dir, name))
		if err != nil {
			s.close()
			return nil, err
		}
		s.open = append(s.open, f)
		for _, t := range f.Tensors {
			if s.of[t.Name] != nil {
				s.close()
				return nil, fmt.Errorf("tensor %q is in two files", t.Name)
			}
			s.of[t.Name], s.infos[t.Name] = f, t
		}
	}
	return s, nil
}

const (
	weightsFile = "model.safetensors"
	indexFile   = "model.safetensors.index.json"
)

func shardNames(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, weightsFile)); err == nil {
		return []string{weightsFile}, nil
	}
	data, err := small(dir, indexFile, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		if old, _ := filepath.Glob(filepath.Join(dir, "*.bin")); len(old) > 0 {
			return nil, fmt.Errorf("its parameters are in %s, which is no safetensors file: convert it with its own program", filepath.Base(old[0]))
		}
		return nil, fmt.Errorf("there is neither %s nor %s", weightsFile, indexFile)
	}
	if err != nil {
		return nil, err
	}
	return parseIndex(data)
}

// parseIndex gives the files that an index names, in order.
func parseIndex(data []byte) ([]string, error) {
	var list struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	if len(list.Map) == 0 {
		return nil, fmt.Errorf("%s: it names no file", indexFile)
	}
	var names []string
	for _, name := range list.Map {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if name != filepath.Base(name) || !strings.HasSuffix(name, ".safetensors") {
			return nil, fmt.Errorf("%s: %q is no file beside it", indexFile, name)
		}
		if len(names) > maxShards {
			return nil, fmt.Errorf("%s: more than %d files", indexFile, maxShards)
		}
	}
	slices.Sort(names)
	return names, nil
}

// check finds every tensor of a model of this shape, and none besides that would change what it computes.
func (s *shards) check(shape model.Config) error {
	want := map[string]bool{}
	for name, dims := range expected(shape) {
		have, ok := s.infos[name]
		if !ok {
			return fmt.Errorf("there is no tensor %q", name)
		}
		if !slices.Equal(have.Shape, dims) {
			return fmt.Errorf("tensor %q has shape %v; config.json asks for %v", name, have.Shape, dims)
		}
		want[name] = true
	}
	for _, name := range sortedNames(s.infos) {
		switch {
		case want[name]:
		case strings.HasSuffix(name, ".rotary_emb.inv_freq"): // follows from rope_theta; old files carry it
		case name == "lm_head.weight" && shape.Tied: // the embedding once more
		default:
			return fmt.Errorf("tensor %q is not part of a plain Llama model", name)
		}
	}
	return nil
}

// expected gives the names and shapes of a model's tensors one by one: a hostile shape may have millions of layers, and the
// first tensor that is missing ends the search.
func expected(c model.Config) iter.Seq2[string, []int] {
	return func(yield func(string, []int) bool) {
		d := c.Dim
		if !yield("model.embed_tokens.weight", []int{c.Vocab, d}) || !yield("model.norm.weight", []int{d}) {
			return
		}
		if !c.Tied && !yield("lm_head.weight", []int{c.Vocab, d}) {
			return
		}
		for i := range c.Layers {
			p := fmt.Sprintf("model.layers.%d.", i)
			for _, t := range []struct {
				name string
				dims []int
			}{
				{"input_layernorm", []int{d}}, {"self_attn.q_proj", []int{c.AttnDim(), d}}, {"self_attn.k_proj", []int{c.KVDim(), d}},
				{"self_attn.v_proj", []int{c.KVDim(), d}}, {"self_attn.o_proj", []int{d, c.AttnDim()}}, {"post_attention_layernorm", []int{d}},
				{"mlp.gate_proj", []int{c.FFN, d}}, {"mlp.up_proj", []int{c.FFN, d}}, {"mlp.down_proj", []int{d, c.FFN}},
			} {
				if !yield(p+t.name+".weight", t.dims) {
					return
				}
			}
		}
	}
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
