package gguf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	parser "github.com/gpustack/gguf-parser-go"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

func tokenizer(t testing.TB) *bpe.Tokenizer {
	t.Helper()
	texts := []string{"the question and the answer", "7ft5in en in:7*12=84", "the answer and the question", "5in en ft:"}
	return bpe.Train(slices.Values(texts), bpe.Options{VocabSize: 272})
}

// shapes: grouped heads, a head size that is not dim/heads, tied and untied.
func weights(t testing.TB, tied bool) (*model.Weights, *bpe.Tokenizer) {
	t.Helper()
	tok := tokenizer(t)
	w := model.New(model.Config{
		Vocab: tok.Size(), Dim: 16, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, FFN: 24, Context: 64,
		RopeTheta: 10000, NormEps: 1e-5, Tied: tied,
	})
	w.Init(7)
	for i := range w.Flat { // gains of norms are all 1 after Init: make them differ
		w.Flat[i] += float32(i%13) * 0x1p-7
	}
	return w, tok
}

func encode(t testing.TB, w *model.Weights, tok *bpe.Tokenizer, typ Type) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, w, tok, Options{Name: "test", Type: typ}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(data []byte) (*model.Weights, *bpe.Tokenizer, error) {
	return Decode(bytes.NewReader(data), int64(len(data)))
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, tied := range []bool{false, true} {
		w, tok := weights(t, tied)
		path := filepath.Join(t.TempDir(), "model.gguf")
		if err := Write(path, w, tok, "test"); err != nil {
			t.Fatal(err)
		}
		back, tok2, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(w, back); d != "" {
			t.Errorf("tied %v (-written +read):\n%s", tied, d)
		}
		if d := cmp.Diff(tok.Vocabulary(), tok2.Vocabulary()); d != "" {
			t.Errorf("tied %v, tokenizer (-written +read):\n%s", tied, d)
		}
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, encode(t, back, tok2, F32)) {
			t.Error("written, read and written again: other bytes")
		}
	}
}

// A number of half the width is the nearest one: half a unit in the last place off at most.
func TestHalfRoundTrip(t *testing.T) {
	t.Parallel()
	for typ, share := range map[Type]float64{F16: 0x1p-11, BF16: 0x1p-8} {
		w, tok := weights(t, true)
		data := encode(t, w, tok, typ)
		back, _, err := decode(data)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range w.Flat {
			if d := math.Abs(float64(back.Flat[i] - v)); d > math.Abs(float64(v))*share+0x1p-25 {
				t.Fatalf("%v, parameter %d: %g came back as %g", typ, i, v, back.Flat[i])
			}
		}
		if !slices.Equal(back.Layers[1].FFNNorm, w.Layers[1].FFNNorm) {
			t.Errorf("%v: the gains of a norm are not stored exactly", typ)
		}
		if !bytes.Equal(data, encode(t, back, tok, typ)) {
			t.Errorf("%v: written, read and written again: other bytes", typ)
		}
	}
}

// TestReorder checks the row order against the rule as llama.cpp's converter states it.
func TestReorder(t *testing.T) {
	t.Parallel()
	got := make([]int, 12)
	reorder(12, 2, func(dst, src int) { got[dst] = src })
	if d := cmp.Diff([]int{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestAnotherReader has an independent reader look at the file.
func TestAnotherReader(t *testing.T) {
	t.Parallel()
	w, tok := weights(t, false)
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := Write(path, w, tok, "a name"); err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseGGUFFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, a, k := f.Metadata(), f.Architecture(), f.Tokenizer()
	got := map[string]any{
		"architecture": m.Architecture, "name": m.Name, "parameters": int(m.Parameters), "context": a.MaximumContextLength, "dim": a.EmbeddingLength,
		"layers": a.BlockCount, "ffn": a.FeedForwardLength, "heads": a.AttentionHeadCount, "kv": a.AttentionHeadCountKV, "key": a.AttentionKeyLength,
		"value": a.AttentionValueLength, "rope": a.RoPEDimensionCount, "eps": a.AttentionLayerNormRMSEpsilon, "theta": a.RoPEFrequencyBase, "vocab": a.VocabularyLength,
		"tokenizer": k.Model, "tokens": k.TokensLength, "merges": k.MergesLength, "bos": k.BOSTokenID, "eos": k.EOSTokenID, "eot": k.EOTTokenID, "pad": k.PaddingTokenID,
	}
	want := map[string]any{
		"architecture": "llama", "name": "a name", "parameters": w.Config.Params(), "context": uint64(64), "dim": uint64(16),
		"layers": uint64(2), "ffn": []uint64{24, 24}, "heads": uint64(4), "kv": uint64(2), "key": uint32(6),
		"value": uint32(6), "rope": uint64(6), "eps": float32(1e-5), "theta": float32(10000), "vocab": uint64(tok.Size()),
		"tokenizer": "gpt2", "tokens": uint64(tok.Size()), "merges": uint64(len(tok.Vocabulary().Merges)), "bos": int64(0), "eos": int64(1), "eot": int64(4), "pad": int64(2),
	}
	text := func(m map[string]any) map[string]string { // integers of different widths compare by their digits
		out := map[string]string{}
		for k, v := range m {
			out[k] = strings.Trim(fmt.Sprint(v), "[]")
		}
		return out
	}
	if d := cmp.Diff(text(want), text(got)); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	expect := expected(w.Config)
	if len(f.TensorInfos) != len(expect) {
		t.Errorf("%d tensors, not %d", len(f.TensorInfos), len(expect))
	}
	for _, x := range f.TensorInfos {
		dims := slices.Clone(x.Dimensions)
		slices.Reverse(dims)
		if !slices.Equal(dims, expect[x.Name]) {
			t.Errorf("tensor %s: dimensions %v, not %v", x.Name, dims, expect[x.Name])
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	w, tok := weights(t, true)
	for _, c := range []struct {
		name string
		typ  Type
		bad  func(*model.Weights)
		want string
	}{
		{"not a number", F32, func(w *model.Weights) { w.Layers[0].O[3] = float32(math.NaN()) }, "o_proj"},
		{"beyond f16", F16, func(w *model.Weights) { w.Embed[5] = 1e5 }, "100000 is too large for f16"},
		{"beyond bf16", BF16, func(w *model.Weights) { w.Embed[5] = math.MaxFloat32 }, "is too large for bf16"},
		{"a format that is only read about", 12, func(*model.Weights) {}, "cannot be written as q4_k"},
	} {
		x := w.Clone()
		c.bad(x)
		err := Encode(&bytes.Buffer{}, x, tok, Options{Type: c.typ})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
	small := bpe.Train(slices.Values([]string{}), bpe.Options{})
	if err := Encode(&bytes.Buffer{}, w, small, Options{}); err == nil {
		t.Error("a tokenizer of another size was accepted")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	w, tok := weights(t, true)
	good := encode(t, w, tok, F32)
	put := func(at int, v uint64) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at:], v); return b }
	}
	after := func(b []byte, name string) int { return bytes.Index(b, []byte(name)) + len(name) }
	// A tensor's entry after its name: number of dimensions u32, two dimensions u64, type u32, offset u64.
	tensor := func(name string, at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[after(b, name)+at:], v); return b }
	}
	key := func(name string, v uint32) func([]byte) []byte { // the value follows the kind
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[after(b, name)+4:], v); return b }
	}
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	for _, c := range []struct {
		name string
		bad  func([]byte) []byte
		want string
	}{
		{"empty", func([]byte) []byte { return nil }, "0 left"},
		{"no magic", swap("GGUF", "GGML"), "not a GGUF file"},
		{"version 2", func(b []byte) []byte { b[4] = 2; return b }, "version 2"},
		{"cut in the header", func(b []byte) []byte { return b[:300] }, "left"},
		{"cut in the data", func(b []byte) []byte { return b[:len(b)-40] }, "beyond the file"},
		{"too many tensors", put(8, 1<<60), "more than a model has"},
		{"too many keys", put(16, 1<<60), "more than a model has"},
		{"a long key", put(24, 1<<62), "string of"},
		{"array too long", func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[after(b, "tokenizer.ggml.tokens")+8:], 1<<61)
			return b
		}, "more than the file holds"},
		{"quantised", tensor("blk.0.attn_q.weight", 20, 11), "its numbers are q3_k; f32"},
		{"no whole large blocks", tensor("blk.0.attn_q.weight", 20, 12), "rows of 16 numbers are no whole blocks of q4_k"},
		{"no whole blocks", tensor("blk.0.attn_q.weight", 20, 8), "rows of 16 numbers are no whole blocks of q8_0"},
		{"overlap", tensor("blk.0.attn_k.weight", 24, 0), "overlap"},
		{"unaligned", tensor("blk.0.attn_k.weight", 24, 4), "multiple of 32"},
		{"offset beyond", tensor("blk.0.attn_k.weight", 28, 1<<30), "beyond the file"},
		{"dimensions overflow", tensor("blk.0.attn_q.weight", 8, 1<<31), "its dimensions are"},
		{"other shape", tensor("blk.0.attn_q.weight", 12, 23), "dimensions [23 16]"},
		{"no dimension", tensor("blk.0.attn_q.weight", 0, 0), "0 dimensions"},
		{"missing tensor", swap("blk.1.ffn_up.weight", "blk.9.ffn_up.weight"), `"blk.1.ffn_up.weight" is missing`},
		{"many layers", key("llama.block_count", 500), "layers, but only"},
		{"no layers", key("llama.block_count", 0), "llama.block_count"},
		{"other heads", key("llama.attention.value_length", 8), "must be equal"},
		{"architecture", swap("llama\x0c", "lloma\x0c"), "architecture lloma"},
		{"pre", swap("llama-bpe", "llama-xyz"), "split pattern llama-xyz"},
		{"bos", key("tokenizer.ggml.bos_token_id", 1<<20), "bos_token_id is 1048576"},
		{"half a bos", func(b []byte) []byte { b[after(b, "tokenizer.ggml.add_bos_token")] = byte(kindU8); return b }, "add_bos_token is 1"},
		{"eos", func(b []byte) []byte { b[after(b, "tokenizer.ggml.add_eos_token")+4] = 1; return b }, "add_eos_token is true"},
		{"key twice", swap("general.type", "general.name"), "there twice"},
		{"infinite", func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[len(b)-4:], math.Float32bits(float32(math.Inf(1))))
			return b
		}, "holds +Inf"},
	} {
		_, _, err := decode(c.bad(slices.Clone(good)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
}

// A row that the tokenizer has no token for is a token that no text has; a token that a text is searched for is refused.
func TestTokenTypes(t *testing.T) {
	t.Parallel()
	w, tok := weights(t, true)
	good := encode(t, w, tok, F32)
	name := "tokenizer.ggml.token_type"
	fourth := bytes.Index(good, []byte(name)) + len(name) + 4 + 4 + 8 + 4*3 // the kinds of list and elements, their number; the fourth is a control token
	good[fourth] = tokenUnused
	_, back, err := decode(good)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tok.Vocabulary(), back.Vocabulary()); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
	good[fourth] = 4
	if _, _, err := decode(good); err == nil || !strings.Contains(err.Error(), "token 3 has type 4") {
		t.Errorf("error %v", err)
	}
}

// allocated is how much memory a call takes altogether, what it has given back included. Nothing else may run beside it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// bound is the most that reading n bytes may take: buffers, and what a file's names and numbers become. Tokens of one byte
// take the most of it.
func bound(n int) uint64 { return 1<<20 + 64*uint64(n) }

// A few hundred bytes that speak of more than a machine has take no memory for it. Not parallel: it measures.
func TestHostileFilesTakeNoMemory(t *testing.T) {
	w, tok := weights(t, true)
	good := encode(t, w, tok, F32)
	after := func(b []byte, name string) int { return bytes.Index(b, []byte(name)) + len(name) }
	key := func(name string, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[after(b, name)+4:], v); return b }
	}
	put := func(at int, v uint64) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at:], v); return b }
	}
	long := func(b []byte) []byte { // a name that fills the file
		out := append(slices.Clone(b[:8]), make([]byte, 16)...)
		binary.LittleEndian.PutUint64(out[8:], 1)
		out = binary.LittleEndian.AppendUint64(out, 60000)
		return append(append(out, bytes.Repeat([]byte("n"), 60000)...), make([]byte, 32)...)
	}
	for name, bad := range map[string]func([]byte) []byte{
		"keys": put(16, 1<<14), "tensors": put(8, 1<<16), "a name": put(24, 1<<62), "a name of 64 KiB": put(24, 1<<16),
		"tokens": func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[after(b, "tokenizer.ggml.tokens")+8:], 1<<22)
			return b
		},
		"layers": key("llama.block_count", 1<<24), "heads": key("llama.attention.head_count", 1<<24), "width": key("llama.embedding_length", 1<<24),
		"vocabulary": key("llama.vocab_size", 1<<24), "head width": key("llama.attention.key_length", 1<<24),
		"rows": func(b []byte) []byte {
			at := after(b, "blk.0.attn_q.weight")
			binary.LittleEndian.PutUint64(b[at+4:], 1<<40)
			return b
		},
		"a long name of a tensor": long,
	} {
		data := bad(slices.Clone(good))
		var err error
		took := allocated(func() { _, _, err = decode(data) })
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("%s: error %v", name, err)
		}
		if took > bound(len(data)) {
			t.Errorf("%s: %d bytes for a file of %d, at most %d", name, took, len(data), bound(len(data)))
		}
	}
}

// Whatever the bytes, reading ends without a panic, and takes memory in proportion to them.
func FuzzGGUF(f *testing.F) {
	tok := bpe.Train(slices.Values([]string{}), bpe.Options{})
	w := model.New(model.Config{Vocab: tok.Size(), Dim: 2, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 2, FFN: 1, Context: 8, RopeTheta: 1e4, NormEps: 1e-5, Tied: true})
	for _, typ := range Types() {
		f.Add(encode(f, w, tok, typ))
	}
	c := w.Config
	c.Dim, c.FFN = q8Block, q8Block
	blocks := encode(f, model.New(c), tok, Q8)
	at := bytes.Index(blocks, []byte("blk.0.ffn_up.weight")) + len("blk.0.ffn_up.weight") + 20 // the type stands after two dimensions
	for _, typ := range []Type{Q8, Q4_0, Q4_1, Q5_0, Q5_1} {
		binary.LittleEndian.PutUint32(blocks[at:], uint32(typ))
		if _, _, err := decode(blocks); err != nil {
			f.Fatal(err)
		}
		f.Add(slices.Clone(blocks))
	}
	for _, s := range []model.RopeScaling{{Type: model.RopeLinear, Factor: 2}, {Type: model.RopeLlama3, Factor: 2, Low: 1, High: 4, Original: 32}} {
		c.RopeScaling = s
		f.Add(encode(f, model.New(c), tok, F32))
	}
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var w *model.Weights
		var tok *bpe.Tokenizer
		var err error
		took := allocated(func() { w, tok, err = decode(data) })
		if took > bound(len(data)) {
			t.Errorf("%d bytes for a file of %d, at most %d", took, len(data), bound(len(data)))
		}
		if err != nil {
			return
		}
		if w.Config.Params() > 2*len(data) || tok.Size() != w.Vocab {
			t.Errorf("%d parameters from %d bytes, %d tokens for %d", w.Config.Params(), len(data), tok.Size(), w.Vocab)
		}
		if err := Encode(io.Discard, w, tok, Options{Type: F32}); err != nil {
			t.Errorf("accepted, but cannot be written: %v", err)
		}
	})
}
