package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/half"
	"jupiter/plugins/builtin/llama/model"
)

// Options say how a file is written.
type Options struct {
	Name string // general.name
	Type Type   // of the matrices: F32 or F16. Gains of norms are always F32.
}

// Write writes a model and its tokenizer to a new file at path, or over one, in F32. The bytes are a function of the
// arguments other than path. Parameters that are not finite are an error: no file should carry a model that diverged.
func Write(path string, w *model.Weights, t *bpe.Tokenizer, name string) error {
	return WriteFile(path, w, t, Options{Name: name, Type: F32})
}

// WriteFile is Write with a choice of the number format. It returns when the bytes are on disk.
func WriteFile(path string, w *model.Weights, t *bpe.Tokenizer, o Options) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = Encode(f, w, t, o)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Encode writes the file to a stream.
func Encode(to io.Writer, w *model.Weights, t *bpe.Tokenizer, o Options) error {
	if o.Type != F32 && o.Type != F16 {
		return fmt.Errorf("matrices cannot be written as %v", o.Type)
	}
	if t.Size() != w.Vocab {
		return fmt.Errorf("the tokenizer has %d tokens, the model %d", t.Size(), w.Vocab)
	}
	e := &encoder{w: bufio.NewWriterSize(to, 1<<18)}
	keys := metadata(w.Config, t.Vocabulary(), t, o)
	tensors := w.Tensors()
	e.raw([]byte(magic))
	e.u32(version)
	e.u64(uint64(len(tensors)))
	e.u64(uint64(len(keys)))
	for _, k := range keys {
		e.key(k)
	}
	var offset uint64
	for _, x := range tensors {
		typ := tensorType(x, o.Type)
		e.str(tensorName(x.Name))
		e.u32(uint32(len(x.Shape)))
		for i := range x.Shape {
			e.u64(uint64(x.Shape[len(x.Shape)-1-i]))
		}
		e.u32(uint32(typ))
		e.u64(offset)
		offset = padded(offset + uint64(typ.rowBytes(len(x.Data))))
	}
	e.pad()
	for _, x := range tensors {
		e.tensor(x, tensorType(x, o.Type), rotaryHeads(x.Name, w.Config))
		e.pad()
	}
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}

func tensorType(x model.Tensor, matrices Type) Type {
	if len(x.Shape) < 2 {
		return F32
	}
	return matrices
}

func padded(n uint64) uint64 { return (n + alignment - 1) / alignment * alignment }

type key struct {
	name  string
	value any // uint32, float32, bool, string, []string or []int32
}

// metadata lists the keys that llama.cpp, Ollama and Hugging Face's reader need for a Llama model with a byte-level
// BPE tokenizer.
func metadata(c model.Config, v bpe.Vocabulary, t *bpe.Tokenizer, o Options) []key {
	fileType := uint32(0) // all F32
	if o.Type == F16 {
		fileType = 1 // mostly F16
	}
	types := make([]int32, len(v.Tokens))
	for i := range types {
		types[i] = tokenNormal
		if v.Special[i] {
			types[i] = tokenControl
		}
	}
	merges := v.Merges
	if merges == nil {
		merges = []string{}
	}
	keys := []key{
		{"general.architecture", architecture},
		{"general.type", "model"},
		{"general.name", o.Name},
		{"general.file_type", fileType},
		{"general.quantization_version", uint32(2)},
		{"llama.vocab_size", uint32(c.Vocab)},
		{"llama.context_length", uint32(c.Context)},
		{"llama.embedding_length", uint32(c.Dim)},
		{"llama.block_count", uint32(c.Layers)},
		{"llama.feed_forward_length", uint32(c.FFN)},
		{"llama.rope.dimension_count", uint32(c.HeadDim)},
		{"llama.rope.freq_base", float32(c.RopeTheta)},
		{"llama.attention.head_count", uint32(c.Heads)},
		{"llama.attention.head_count_kv", uint32(c.KVHeads)},
		{"llama.attention.key_length", uint32(c.HeadDim)},
		{"llama.attention.value_length", uint32(c.HeadDim)},
		{"llama.attention.layer_norm_rms_epsilon", float32(c.NormEps)},
		{"tokenizer.ggml.model", tokenizerModel},
		{"tokenizer.ggml.pre", tokenizerPre},
		{"tokenizer.ggml.tokens", v.Tokens},
		{"tokenizer.ggml.token_type", types},
		{"tokenizer.ggml.merges", merges},
		{"tokenizer.ggml.bos_token_id", uint32(v.BOS)},
		{"tokenizer.ggml.eos_token_id", uint32(v.EOS)},
		{"tokenizer.ggml.add_bos_token", true},
		{"tokenizer.ggml.add_eos_token", false},
		{"tokenizer.ggml.add_space_prefix", false},
	}
	if v.Pad != bpe.None {
		keys = append(keys, key{"tokenizer.ggml.padding_token_id", uint32(v.Pad)})
	}
	if t.HasChat() {
		keys = append(keys, key{"tokenizer.ggml.eot_token_id", uint32(t.EndTurn())}, key{"tokenizer.chat_template", bpe.ChatTemplate})
	}
	return keys
}

const (
	architecture   = "llama"
	tokenizerModel = "gpt2"      // byte-level BPE
	tokenizerPre   = "llama-bpe" // bpe.Pattern, ignore_merges

	tokenNormal  = 1
	tokenControl = 3
)

// encoder keeps the first error and does nothing after it.
type encoder struct {
	w   *bufio.Writer
	n   uint64 // bytes so far
	err error
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

func (e *encoder) raw(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
		e.n += uint64(len(b))
	}
}

func (e *encoder) u32(v uint32) { e.raw(binary.LittleEndian.AppendUint32(nil, v)) }
func (e *encoder) u64(v uint64) { e.raw(binary.LittleEndian.AppendUint64(nil, v)) }

func (e *encoder) str(s string) {
	e.u64(uint64(len(s)))
	e.raw([]byte(s))
}

func (e *encoder) pad() {
	e.raw(make([]byte, padded(e.n)-e.n))
}

func (e *encoder) key(k key) {
	e.str(k.name)
	switch v := k.value.(type) {
	case uint32:
		e.u32(kindU32)
		e.u32(v)
	case float32:
		e.u32(kindF32)
		e.u32(math.Float32bits(v))
	case bool:
		e.u32(kindBool)
		b := byte(0)
		if v {
			b = 1
		}
		e.raw([]byte{b})
	case string:
		e.u32(kindString)
		e.str(v)
	case []string:
		e.u32(kindArray)
		e.u32(kindString)
		e.u64(uint64(len(v)))
		for _, s := range v {
			e.str(s)
		}
	case []int32:
		e.u32(kindArray)
		e.u32(kindI32)
		e.u64(uint64(len(v)))
		for _, x := range v {
			e.u32(uint32(x))
		}
	default:
		panic(fmt.Sprintf("gguf: key %s has a value of type %T", k.name, k.value))
	}
}

// tensor writes the rows of x in the file's order.
func (e *encoder) tensor(x model.Tensor, typ Type, heads int) {
	cols := x.Shape[len(x.Shape)-1]
	rows := len(x.Data) / cols
	source := make([]int, rows)
	reorder(rows, heads, func(dst, src int) { source[dst] = src })
	buf := make([]byte, 0, cols*4)
	for _, r := range source {
		buf = buf[:0]
		for _, v := range x.Data[r*cols : (r+1)*cols] {
			if typ == F16 {
				h := half.Round(v)
				if v = half.Float(h); v-v != 0 {
					e.fail("tensor %q: %g is no f16 number", x.Name, x.Data[r*cols+len(buf)/2])
				}
				buf = binary.LittleEndian.AppendUint16(buf, h)
			} else {
				if v-v != 0 {
					e.fail("tensor %q holds %g", x.Name, v)
				}
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
		}
		e.raw(buf)
	}
}
