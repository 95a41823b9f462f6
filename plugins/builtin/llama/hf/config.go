package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

// config is config.json, as far as it says what a model computes. What is not here has no influence on that in a Llama.
type config struct {
	ModelType     string   `json:"model_type"`
	Architectures []string `json:"architectures"`

	Vocab      int      `json:"vocab_size"`
	Dim        int      `json:"hidden_size"`
	Layers     int      `json:"num_hidden_layers"`
	Heads      int      `json:"num_attention_heads"`
	KVHeads    *int     `json:"num_key_value_heads"` // default: Heads
	HeadDim    *int     `json:"head_dim"`            // default: Dim/Heads
	FFN        int      `json:"intermediate_size"`
	Context    int      `json:"max_position_embeddings"`
	RopeTheta  *float64 `json:"rope_theta"`   // default: 10000
	NormEps    *float64 `json:"rms_norm_eps"` // default: 1e-6
	Tied       bool     `json:"tie_word_embeddings"`
	Activation string   `json:"hidden_act"` // default: silu

	AttentionBias  bool            `json:"attention_bias"`
	MLPBias        bool            `json:"mlp_bias"`
	RopeScaling    json.RawMessage `json:"rope_scaling"`
	RopeParameters json.RawMessage `json:"rope_parameters"` // where newer versions write rope_theta and the scaling
	Quantization   json.RawMessage `json:"quantization_config"`

	BOS tokenID `json:"bos_token_id"`
	EOS tokenID `json:"eos_token_id"`
	Pad tokenID `json:"pad_token_id"`
}

// tokenID is an id, a list of them, or null.
type tokenID []int

func (t *tokenID) UnmarshalJSON(b []byte) error {
	var one int
	if json.Unmarshal(b, &one) == nil {
		if string(b) != "null" {
			*t = tokenID{one}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]int)(t))
}

func readConfig(dir string) (config, error) {
	data, err := small(dir, "config.json", maxConfig)
	if err != nil {
		return config{}, err
	}
	return parseConfig(data)
}

func parseConfig(data []byte) (config, error) {
	var c config
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	return c, nil
}

// rope is either form of what config.json says of the rotary embeddings.
type rope struct {
	Type    string   `json:"rope_type"`
	OldType string   `json:"type"`
	Theta   *float64 `json:"rope_theta"`

	Factor   float64 `json:"factor"`
	Low      float64 `json:"low_freq_factor"`
	High     float64 `json:"high_freq_factor"`
	Original int     `json:"original_max_position_embeddings"`
}

// scaling is how the frequencies are scaled; the model says whether it can be computed.
func (r rope) scaling() model.RopeScaling {
	for _, t := range []string{r.Type, r.OldType} {
		switch t {
		case "", "default":
		case model.RopeLinear: // what a file says besides has no meaning there
			return model.RopeScaling{Type: t, Factor: r.Factor}
		default:
			return model.RopeScaling{Type: t, Factor: r.Factor, Low: r.Low, High: r.High, Original: r.Original}
		}
	}
	return model.RopeScaling{}
}

// shape is the model's shape. It refuses what is not a plain Llama.
func (c config) shape() (model.Config, error) {
	var s model.Config
	theta, scaling, err := c.rope()
	switch {
	case c.ModelType != "llama":
		return s, fmt.Errorf("model_type is %q: of Hugging Face's architectures \"llama\" alone is supported", c.ModelType)
	case len(c.Architectures) > 0 && c.Architectures[0] != "LlamaForCausalLM":
		return s, fmt.Errorf("architectures names %s, which is no language model: LlamaForCausalLM is", c.Architectures[0])
	case isSet(c.Quantization):
		return s, errors.New("its parameters are quantised (quantization_config): F32, F16 and BF16 are read")
	case c.AttentionBias || c.MLPBias:
		return s, errors.New("it has biases (attention_bias, mlp_bias), which are not supported")
	case c.Activation != "" && c.Activation != "silu" && c.Activation != "swish":
		return s, fmt.Errorf("hidden_act is %q: \"silu\" alone is supported", c.Activation)
	case err != nil:
		return s, err
	case c.Heads < 1:
		return s, fmt.Errorf("num_attention_heads is %d", c.Heads)
	}
	s = model.Config{Vocab: c.Vocab, Dim: c.Dim, Layers: c.Layers, Heads: c.Heads, KVHeads: or(c.KVHeads, c.Heads), HeadDim: or(c.HeadDim, c.Dim/c.Heads), FFN: c.FFN,
		Context: c.Context, RopeTheta: theta, NormEps: or(c.NormEps, 1e-6), Tied: c.Tied, RopeScaling: scaling}
	if c.HeadDim == nil && c.Dim%c.Heads != 0 {
		return s, fmt.Errorf("hidden_size %d is no multiple of num_attention_heads %d", c.Dim, c.Heads)
	}
	return s, s.Validate()
}

// rope gives the base of the rotary frequencies and how they are scaled.
func (c config) rope() (theta float64, scaling model.RopeScaling, err error) {
	theta = or(c.RopeTheta, 10000)
	for _, raw := range []json.RawMessage{c.RopeScaling, c.RopeParameters} {
		if !isSet(raw) {
			continue
		}
		var r rope
		if err := json.Unmarshal(raw, &r); err != nil {
			return 0, scaling, fmt.Errorf("rotary embeddings: %w", err)
		}
		s := r.scaling()
		if scaling != (model.RopeScaling{}) && s != scaling {
			return 0, scaling, errors.New("rope_scaling and rope_parameters scale the rotary embeddings in two ways")
		}
		theta, scaling = or(r.Theta, theta), s
	}
	return theta, scaling, nil
}

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// tokenizer reads tokenizer.json. A model often has more rows in its embedding than its tokenizer has tokens: the rest
// becomes special tokens that no text encodes to.
func (c config) tokenizer(dir string, m *Model) (*bpe.Tokenizer, error) {
	data, err := small(dir, "tokenizer.json", bpe.MaxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no tokenizer.json: a tokenizer.model of SentencePiece is not supported")
	}
	if err != nil {
		return nil, err
	}
	names, err := c.names(dir, data, m)
	if err != nil {
		return nil, err
	}
	t, err := bpe.FromJSONAs(data, names)
	if err != nil {
		return nil, err
	}
	v := t.Vocabulary()
	if len(v.Tokens) > c.Vocab {
		return nil, fmt.Errorf("tokenizer.json has %d tokens, and the model's vocab_size is %d", len(v.Tokens), c.Vocab)
	}
	if len(v.Tokens) == c.Vocab {
		return t, nil
	}
	if c.Vocab > bpe.MaxVocab {
		return nil, fmt.Errorf("vocab_size is %d: more than %d", c.Vocab, bpe.MaxVocab)
	}
	m.Notes = append(m.Notes, fmt.Sprintf("The model has %d tokens and its tokenizer %d; the rest are tokens that no text has.", c.Vocab, len(v.Tokens)))
	for i := len(v.Tokens); i < c.Vocab; i++ {
		v.Tokens, v.Special = append(v.Tokens, fmt.Sprintf("[PAD%d]", i)), append(v.Special, true)
	}
	return bpe.New(v)
}

// names finds the names of the special tokens: in tokenizer_config.json, else by the ids of config.json.
func (c config) names(dir string, tokenizer []byte, m *Model) (bpe.Names, error) {
	var n bpe.Names
	data, err := small(dir, "tokenizer_config.json", maxIndex)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return n, err
	}
	if err == nil {
		var f struct {
			BOS tokenName `json:"bos_token"`
			EOS tokenName `json:"eos_token"`
			Pad tokenName `json:"pad_token"`

			Chat template `json:"chat_template"`
		}
		if err := json.Unmarshal(data, &f); err != nil {
			return n, fmt.Errorf("tokenizer_config.json: %w", err)
		}
		n = bpe.Names{BOS: string(f.BOS), EOS: string(f.EOS), Pad: string(f.Pad), ChatTemplate: string(f.Chat)}
	}
	chat, err := small(dir, "chat_template.jinja", maxConfig) // where newer versions write it
	if err == nil {
		n.ChatTemplate = string(chat)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return n, err
	}
	var added struct {
		Tokens []struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		} `json:"added_tokens"`
	}
	if err := json.Unmarshal(tokenizer, &added); err != nil {
		return n, fmt.Errorf("tokenizer.json: %w", err)
	}
	byID := func(id int) string {
		for _, t := range added.Tokens {
			if t.ID == id {
				return t.Content
			}
		}
		return ""
	}
	for _, s := range []struct {
		name *string
		ids  tokenID
		what string
	}{{&n.BOS, c.BOS, "bos_token"}, {&n.EOS, c.EOS, "eos_token"}, {&n.Pad, c.Pad, "pad_token"}} {
		if *s.name == "" && len(s.ids) > 0 {
			*s.name = byID(s.ids[0])
		}
		if *s.name == "" && s.what != "pad_token" {
			return n, fmt.Errorf("neither tokenizer_config.json nor config.json names its %s", s.what)
		}
	}
	if len(c.EOS) > 1 {
		m.Notes = append(m.Notes, fmt.Sprintf("The model knows %d ends of a text; %s is the one that ends it here.", len(c.EOS), n.EOS))
	}
	return n, nil
}

// tokenName is the name of a special token: a text, or an object that has it as content.
type tokenName string

func (t *tokenName) UnmarshalJSON(b []byte) error {
	var text *string
	if json.Unmarshal(b, &text) == nil {
		if text != nil {
			*t = tokenName(*text)
		}
		return nil
	}
	var o struct {
		Content string `json:"content"`
	}
	err := json.Unmarshal(b, &o)
	*t = tokenName(o.Content)
	return err
}

// template is a chat template: a text, or a list of named ones, of which the default one is taken.
type template string

func (t *template) UnmarshalJSON(b []byte) error {
	var text *string
	if json.Unmarshal(b, &text) == nil {
		if text != nil {
			*t = template(*text)
		}
		return nil
	}
	var named []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	}
	err := json.Unmarshal(b, &named)
	for _, n := range named {
		if n.Name == "default" {
			*t = template(n.Template)
		}
	}
	return err
}
