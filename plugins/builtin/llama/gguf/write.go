package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/half"
	"jupiter/plugins/builtin/llama/model"
)

// Options say how a file is written.
type Options struct {
	Name string // general.name
	Type Type   // of the matrices: F32, F16, BF16 or Q8. Gains of norms are always F32.
}

// Types are the number formats of matrices that can be written.
func Types() []Type { return []Type{F32, F16, BF16, Q8} }

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
	if !slices.Contains(Types(), o.Type) {
		return fmt.Errorf("matrices cannot be written as %v", o.Type)
	}
	if t.Size() != w.Vocab {
		return fmt.Errorf("the tokenizer has %d tokens, the model %d", t.Size(), w.Vocab)
	}
	e := &encoder{w: bufio.NewWriterSize(to, 1<<18)}
	keys := metadata(w.Config, t.Vocabulary(), t, o)
	tensors := append(w.Tensors(), ropeTensors(w.Config)...)
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
		offset = padded(offset + uint64(len(x.Data)/cols(x)*typ.rowBytes(cols(x))))
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

// tensorType is the number format of one tensor. A matrix whose rows are no whole blocks of Q8_0 is F16, as llama.cpp's
// own quantiser has it.
func tensorType(x model.Tensor, matrices Type) Type {
	switch {
	case len(x.Shape) < 2:
		return F32
	case matrices == Q8 && cols(x)%q8Block != 0:
		return F16
	}
	return matrices
}

func cols(x model.Tensor) int { return x.Shape[len(x.Shape)-1] }

func padded(n uint64) uint64 { return (n + alignment - 1) / alignment * alignment }

type key struct {
	name  string
	value any // uint32, float32, bool, string, []string or []int32
}

// metadata lists the keys that llama.cpp, Ollama and Hugging Face's reader need for a Llama model with a byte-level
// BPE tokenizer.
func metadata(c model.Config, v bpe.Vocabulary, t *bpe.Tokenizer, o Options) []key {
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
		{"general.file_type", fileTypes[o.Type]},
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
		{"tokenizer.ggml.pre", splits[v.Split]},
		{"tokenizer.ggml.tokens", v.Tokens},
		{"tokenizer.ggml.token_type", types},
		{"tokenizer.ggml.merges", merges},
		{"tokenizer.ggml.bos_token_id", uint32(v.BOS)},
		{"tokenizer.ggml.eos_token_id", uint32(v.EOS)},
		{"tokenizer.ggml.add_bos_token", !v.NoBOS},
		{"tokenizer.ggml.add_eos_token", false},
		{"tokenizer.ggml.add_space_prefix", false},
	}
	keys = append(keys, ropeKeys(c.RopeScaling)...)
	if v.Pad != bpe.None {
		keys = append(keys, key{"tokenizer.ggml.padding_token_id", uint32(v.Pad)})
	}
	if t.HasChat() {
		keys = append(keys, key{"tokenizer.ggml.eot_token_id", uint32(t.EndTurn())})
	}
	if chat := t.ChatTemplate(); chat != "" {
		keys = append(keys, key{"tokenizer.chat_template", chat})
	}
	return keys
}

const (
	architecture   = "llama"
	tokenizerModel = "gpt2" // byte-level BPE

	tokenNormal  = 1
	tokenControl = 3
	tokenUnused  = 5 // a row of the embedding that no token of the tokenizer has
)

// splits are llama.cpp's names of the ways to cut a text.
var splits = [...]string{bpe.Llama3: "llama-bpe", bpe.SmolLM: "smollm"}

// fileTypes are llama.cpp's numbers for files whose matrices mostly have a format.
var fileTypes = map[Type]uint32{F32: 0, F16: 1, Q8: 7, BF16: 32}

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
	n := cols(x)
	rows := len(x.Data) / n
	source := make([]int, rows)
	reorder(rows, heads, func(dst, src int) { source[dst] = src })
	buf := make([]byte, 0, n*4)
	for _, r := range source {
		row := x.Data[r*n : (r+1)*n]
		for _, v := range row {
			if v-v != 0 {
				e.fail("tensor %q holds %g", x.Name, v)
				return
			}
		}
		var bad float32
		if buf, bad = narrow(typ, row, buf[:0]); bad != 0 {
			e.fail("tensor %q: %g is too large for %v", x.Name, bad, typ)
			return
		}
		e.raw(buf)
	}
}

// narrow appends a row of finite numbers in a format. bad is a number that the format has no place for, or 0.
func narrow(typ Type, row []float32, buf []byte) (_ []byte, bad float32) {
	switch typ {
	case F32:
		for _, v := range row {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
	case F16:
		for _, v := range row {
			h := half.Round(v)
			if h&0x7fff == 0x7c00 {
				return nil, v
			}
			buf = binary.LittleEndian.AppendUint16(buf, h)
		}
	case BF16:
		for _, v := range row {
			h := half.RoundBrain(v)
			if h&0x7fff == 0x7f80 {
				return nil, v
			}
			buf = binary.LittleEndian.AppendUint16(buf, h)
		}
	case Q8:
		for block := range slices.Chunk(row, q8Block) {
			if buf, bad = q8(block, buf); bad != 0 {
				return nil, bad
			}
		}
	}
	return buf, 0
}

// q8 appends one block. The scale is the largest magnitude over 127. Numbers are divided by the scale before that is rounded
// to F16, as llama.cpp does, so that both make the same file of the same model.
func q8(block []float32, buf []byte) (_ []byte, bad float32) {
	var most float32
	for _, v := range block {
		most = max(most, v, -v)
	}
	scale := most / 127
	h := half.Round(scale)
	if h == 0x7c00 {
		return nil, most
	}
	var inverse float32
	if h != 0 { // else the block stands for zeros
		inverse = 1 / scale
	}
	buf = binary.LittleEndian.AppendUint16(buf, h)
	for _, v := range block {
		buf = append(buf, byte(int8(math.Round(float64(v*inverse)))))
	}
	return buf, 0
}
