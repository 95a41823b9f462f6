package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
)

// Options say how a model is written.
type Options struct {
	DType safetensors.DType // of all parameters; the zero value is F32
	Card  Card
}

// Write writes a model into dir, which must be there: what Read reads, with generation_config.json and README.md, the card.
// The bytes are a function of the arguments other than dir. Parameters that are not finite are an error, and so are files
// that are there already.
func Write(dir string, w *model.Weights, t *bpe.Tokenizer, o Options) error {
	if t.Size() != w.Vocab {
		return fmt.Errorf("the tokenizer has %d tokens, the model %d", t.Size(), w.Vocab)
	}
	if o.DType == "" {
		o.DType = safetensors.F32
	}
	var ts []safetensors.Tensor
	for _, x := range w.Tensors() {
		for _, v := range x.Data {
			if v-v != 0 {
				return fmt.Errorf("tensor %q holds %g", x.Name, v)
			}
		}
		ts = append(ts, safetensors.Tensor{Name: x.Name, Shape: x.Shape, Data: x.Data})
	}
	if err := safetensors.WriteFileAs(filepath.Join(dir, weightsFile), o.DType, map[string]string{"format": "pt"}, ts); err != nil {
		return err
	}
	for _, f := range append(Describe(w.Config, t, o.DType), File{"README.md", o.Card.markdown(w.Config, t, o.DType)}) {
		if err := f.write(dir); err != nil {
			return err
		}
	}
	return nil
}

// File is a small file of a model's directory.
type File struct {
	Name string
	Data []byte
}

// write writes a new file and makes it durable.
func (f File) write(dir string) error {
	to, err := os.OpenFile(filepath.Join(dir, f.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = to.Write(f.Data)
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// torch has the names of number formats in config.json.
var torch = map[safetensors.DType]string{safetensors.F32: "float32", safetensors.F16: "float16", safetensors.BF16: "bfloat16"}

// Describe gives the files that stand beside a model's parameters and say what they are: config.json,
// generation_config.json, tokenizer.json and tokenizer_config.json.
func Describe(c model.Config, t *bpe.Tokenizer, as safetensors.DType) []File {
	ids := t.Vocabulary()
	config := map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "torch_dtype": torch[as],
		"vocab_size": c.Vocab, "hidden_size": c.Dim, "num_hidden_layers": c.Layers, "num_attention_heads": c.Heads,
		"num_key_value_heads": c.KVHeads, "head_dim": c.HeadDim, "intermediate_size": c.FFN, "max_position_embeddings": c.Context,
		"rope_theta": c.RopeTheta, "rope_scaling": scaling(c.RopeScaling), "rms_norm_eps": c.NormEps, "tie_word_embeddings": c.Tied,
		"hidden_act": "silu", "attention_bias": false, "attention_dropout": 0.0, "mlp_bias": false,
		"bos_token_id": ids.BOS, "eos_token_id": ids.EOS,
	}
	names := t.Names()
	tokenizer := map[string]any{
		"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": names.BOS, "eos_token": names.EOS,
		"model_max_length": c.Context, "clean_up_tokenization_spaces": false,
		"model_input_names": []string{"input_ids", "attention_mask"},
	}
	ends := []int32{ids.EOS}
	if chat := t.ChatTemplate(); chat != "" {
		tokenizer["chat_template"] = chat
	}
	if t.HasChat() && t.EndTurn() != ids.EOS {
		ends = append(ends, t.EndTurn())
	}
	// Without do_sample transformers serve writes the likeliest tokens, whatever temperature and seed it is given.
	generation := map[string]any{"bos_token_id": ids.BOS, "eos_token_id": ends, "do_sample": true}
	if ids.Pad != bpe.None {
		config["pad_token_id"], generation["pad_token_id"] = ids.Pad, ids.Pad
		tokenizer["pad_token"] = names.Pad
	}
	return []File{
		{"config.json", indented(config)}, {"generation_config.json", indented(generation)},
		{"tokenizer.json", t.JSON()}, {"tokenizer_config.json", indented(tokenizer)},
	}
}

// scaling is what config.json says of scaled rotary embeddings. Factors have a decimal point: transformers warns of whole numbers.
func scaling(s model.RopeScaling) any {
	real := func(v float64) json.Number {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return json.Number(text)
	}
	switch s.Type {
	case "":
		return nil
	case model.RopeLinear:
		return map[string]any{"rope_type": s.Type, "factor": real(s.Factor)}
	}
	return map[string]any{"rope_type": s.Type, "factor": real(s.Factor), "low_freq_factor": real(s.Low), "high_freq_factor": real(s.High),
		"original_max_position_embeddings": s.Original}
}

func indented(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the names of special tokens are to be read
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // cannot happen: plain data, written to memory
	}
	return b.Bytes()
}

// Card is what README.md says of a model besides its shape: where it comes from.
type Card struct {
	Name    string
	Lineage []Fact // in the order in which they are to stand
}

// Fact is a line of a card.
type Fact struct{ What, Is string }

func (c Card) markdown(m model.Config, t *bpe.Tokenizer, as safetensors.DType) []byte {
	var b strings.Builder
	name := c.Name
	if name == "" {
		name = "llama"
	}
	b.WriteString("---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags: [llama, jupiter]\n---\n\n")
	fmt.Fprintf(&b, "# %s\n\n", cell(name))
	output := "an output matrix of its own"
	if m.Tied {
		output = "the embedding as its output matrix"
	}
	fmt.Fprintf(&b, "A language model of the Llama architecture with %d parameters in %s, written by Jupiter. Layers: %d, width: %d, heads: %d, of keys and values: %d, "+
		"with %s. It reads at most %d tokens at a time. Its tokenizer is a byte-level BPE of %d tokens with %s's split pattern.\n",
		m.Params(), as, m.Layers, m.Dim, m.Heads, m.KVHeads, output, m.Context, t.Size(), t.Vocabulary().Split)
	b.WriteString("\n## Lineage\n\n")
	if len(c.Lineage) == 0 {
		b.WriteString("Not known to the program that wrote this file.\n")
		return []byte(b.String())
	}
	b.WriteString("| | |\n| --- | --- |\n")
	for _, f := range c.Lineage {
		fmt.Fprintf(&b, "| %s | %s |\n", cell(f.What), cell(f.Is))
	}
	return []byte(b.String())
}

// cell makes text fit for one cell of a table.
func cell(s string) string {
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "|", `\|`, "<", "&lt;").Replace(s)
}
