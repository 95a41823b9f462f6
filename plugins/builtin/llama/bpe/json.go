package bpe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// The tokenizer.json of Hugging Face's tokenizers, as far as a tokenizer of this package uses it:
//
//	added_tokens     the special tokens, by id
//	pre_tokenizer    Llama3: Split by Pattern, then the byte-level spelling without a pattern of its own
//	                 SmolLM: Digits one by one, then the byte-level spelling with its own pattern, which is GPT-2's
//	post_processor   BOS before a text, or nothing
//	model            BPE: vocab (spelling → id) and merges ("left right"); ignore_merges with Llama3 alone
//
// FromJSON reads what JSON writes, and files of other programs that say the same. BOS, EOS and padding have no place
// in the format; they are known by their names, which differ from program to program.
type fileJSON struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedJSON     `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  preJSON         `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         bpeModelJSON    `json:"model"`
}

type addedJSON struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

type preJSON struct {
	Type          string    `json:"type"`
	Pretokenizers []stepPre `json:"pretokenizers"`
}

type stepPre struct {
	Type    string `json:"type"`
	Pattern *struct {
		Regex string `json:"Regex"`
	} `json:"pattern,omitempty"`
	Behavior       string `json:"behavior,omitempty"`
	Invert         *bool  `json:"invert,omitempty"`
	AddPrefixSpace *bool  `json:"add_prefix_space,omitempty"`
	TrimOffsets    *bool  `json:"trim_offsets,omitempty"`
	UseRegex       *bool  `json:"use_regex,omitempty"`
	Individual     *bool  `json:"individual_digits,omitempty"`
}

type bpeModelJSON struct {
	Type                    string           `json:"type"`
	Dropout                 *float64         `json:"dropout"`
	UnkToken                *string          `json:"unk_token"`
	ContinuingSubwordPrefix *string          `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string          `json:"end_of_word_suffix"`
	FuseUnk                 bool             `json:"fuse_unk"`
	ByteFallback            bool             `json:"byte_fallback"`
	IgnoreMerges            bool             `json:"ignore_merges"`
	Vocab                   map[string]int32 `json:"vocab"`
	Merges                  []mergeJSON      `json:"merges"`
}

// mergeJSON is "left right"; newer files write ["left", "right"].
type mergeJSON string

func (m *mergeJSON) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		var two []string
		if err := json.Unmarshal(b, &two); err != nil {
			return err
		}
		if len(two) != 2 {
			return fmt.Errorf("a merge of %d tokens", len(two))
		}
		*m = mergeJSON(two[0] + " " + two[1])
		return nil
	}
	return json.Unmarshal(b, (*string)(m))
}

// JSON gives the tokenizer as a tokenizer.json. The bytes are a function of the vocabulary.
func (t *Tokenizer) JSON() []byte {
	v := t.Vocabulary()
	f := fileJSON{
		Version:       "1.0",
		PreTokenizer:  t.split.steps(),
		PostProcessor: t.framing(),
		Decoder:       json.RawMessage(`{"add_prefix_space":true,"trim_offsets":true,"type":"ByteLevel","use_regex":true}`),
		Model:         bpeModelJSON{Type: "BPE", IgnoreMerges: t.split == Llama3, Vocab: map[string]int32{}, Merges: []mergeJSON{}},
	}
	for i, s := range v.Tokens {
		f.Model.Vocab[s] = int32(i)
		if v.Special[i] {
			f.AddedTokens = append(f.AddedTokens, addedJSON{ID: int32(i), Content: s, Special: true})
		}
	}
	for _, m := range v.Merges {
		f.Model.Merges = append(f.Model.Merges, mergeJSON(m))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		panic(err) // cannot happen: plain data, written to memory
	}
	return b.Bytes()
}

// steps are how a text is cut and spelled.
func (s Split) steps() preJSON {
	no, yes := false, true
	if s == SmolLM {
		return preJSON{Type: "Sequence", Pretokenizers: []stepPre{
			{Type: "Digits", Individual: &yes},
			{Type: "ByteLevel", AddPrefixSpace: &no, TrimOffsets: &yes, UseRegex: &yes},
		}}
	}
	return preJSON{Type: "Sequence", Pretokenizers: []stepPre{
		{Type: "Split", Behavior: "Isolated", Invert: &no, Pattern: &struct {
			Regex string `json:"Regex"`
		}{Pattern}},
		{Type: "ByteLevel", AddPrefixSpace: &no, TrimOffsets: &yes, UseRegex: &no},
	}}
}

// framing puts BOS before a text, and before the first of a pair; or nothing.
func (t *Tokenizer) framing() json.RawMessage {
	if t.noBOS {
		return nil
	}
	bos := t.tokens[t.bos]
	special := map[string]any{"SpecialToken": map[string]any{"id": bos, "type_id": 0}}
	seq := func(name string, typ int) any {
		return map[string]any{"Sequence": map[string]any{"id": name, "type_id": typ}}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(map[string]any{
		"type":   "TemplateProcessing",
		"single": []any{special, seq("A", 0)},
		"pair":   []any{special, seq("A", 0), seq("B", 1)},
		"special_tokens": map[string]any{
			bos: map[string]any{"id": bos, "ids": []int32{t.bos}, "tokens": []string{bos}},
		},
	})
	if err != nil {
		panic(err) // cannot happen: plain data, written to memory
	}
	return b.Bytes()
}

// MaxJSON bounds a tokenizer.json, in bytes.
const MaxJSON = 64 << 20

// Names are what a tokenizer.json does not say: the spellings of the special tokens that frame a text, and the chat template that
// the model brought. Pad and ChatTemplate may be "": there is none.
type Names struct {
	BOS          string `json:"bos"`
	EOS          string `json:"eos"`
	Pad          string `json:"pad,omitempty"`
	ChatTemplate string `json:"chat_template,omitempty"`
}

// OwnNames are the names in a vocabulary that Train makes.
func OwnNames() Names { return Names{BOS: BeginText, EOS: EndText, Pad: Padding} }

// Names gives the spellings of the tokenizer's own.
func (t *Tokenizer) Names() Names {
	n := Names{BOS: t.tokens[t.bos], EOS: t.tokens[t.eos], ChatTemplate: t.chat}
	if t.pad != None {
		n.Pad = t.tokens[t.pad]
	}
	return n
}

// FromJSON is FromJSONAs with the names that Train gives.
func FromJSON(data []byte) (*Tokenizer, error) { return FromJSONAs(data, OwnNames()) }

// FromJSONAs reads a tokenizer.json. It refuses one that splits or merges in another way than this package does, since
// reading it would give other ids than the program that wrote it.
func FromJSONAs(data []byte, names Names) (*Tokenizer, error) {
	if len(data) > MaxJSON {
		return nil, fmt.Errorf("tokenizer.json has %d bytes: more than %d", len(data), MaxJSON)
	}
	var f fileJSON
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("tokenizer.json: more than one value")
	}
	t, err := f.tokenizer(names)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return t, nil
}

func (f *fileJSON) tokenizer(names Names) (*Tokenizer, error) {
	split, err := f.supported()
	if err != nil {
		return nil, err
	}
	v, err := f.vocabulary(names)
	if err != nil {
		return nil, err
	}
	framed, err := f.frame(names)
	if err != nil {
		return nil, err
	}
	v.Split, v.NoBOS, v.ChatTemplate = split, !framed, names.ChatTemplate
	return New(v)
}

func (f *fileJSON) supported() (Split, error) {
	switch m := f.Model; {
	case m.Type != "BPE":
		return 0, fmt.Errorf("model type %q, not BPE", m.Type)
	case m.Dropout != nil, m.UnkToken != nil, m.FuseUnk, m.ByteFallback, m.ContinuingSubwordPrefix != nil && *m.ContinuingSubwordPrefix != "",
		m.EndOfWordSuffix != nil && *m.EndOfWordSuffix != "":
		return 0, fmt.Errorf("not plain byte-level BPE: dropout, unknown token, byte fallback, prefix or suffix is set")
	case len(f.Normalizer) > 0 && string(f.Normalizer) != "null":
		return 0, fmt.Errorf("a normalizer is set")
	}
	split, err := f.PreTokenizer.split()
	if err == nil && f.Model.IgnoreMerges != (split == Llama3) {
		err = fmt.Errorf("ignore_merges is %v: it is set with Llama 3's way to split a text, and not with SmolLM's", f.Model.IgnoreMerges)
	}
	return split, err
}

// split is the way to cut that the steps say.
func (p preJSON) split() (Split, error) {
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	steps := p.Pretokenizers
	switch {
	case p.Type != "Sequence" || len(steps) != 2 || steps[0].Type != "Split" && steps[0].Type != "Digits" || steps[1].Type != "ByteLevel":
		return 0, fmt.Errorf("the pre-tokenizer is not Split or Digits, then ByteLevel")
	case !is(steps[1].AddPrefixSpace, false):
		return 0, fmt.Errorf("the byte-level step adds a blank")
	case steps[0].Type == "Digits" && !is(steps[0].Individual, true):
		return 0, fmt.Errorf("its step Digits leaves several digits together")
	case steps[0].Type == "Digits" && is(steps[1].UseRegex, false):
		return 0, fmt.Errorf("the byte-level step has no pattern of its own, as it has with Digits")
	case steps[0].Type == "Digits":
		return SmolLM, nil
	case steps[0].Pattern == nil || steps[0].Pattern.Regex != Pattern || steps[0].Behavior != "Isolated" || !is(steps[0].Invert, false):
		return 0, fmt.Errorf("the split pattern is not Llama 3's")
	case !is(steps[1].UseRegex, false):
		return 0, fmt.Errorf("the byte-level step splits by a pattern of its own")
	}
	return Llama3, nil
}

// template is a post-processor, as far as it says what is put round a text.
type template struct {
	Type       string          `json:"type"`
	Processors json.RawMessage `json:"processors"`
	Single     []struct {
		Special *struct {
			ID string `json:"id"`
		} `json:"SpecialToken"`
		Sequence *struct{} `json:"Sequence"`
	} `json:"single"`
}

// frame reports whether BOS is put before a text. It refuses a template that puts anything else there.
func (f *fileJSON) frame(names Names) (framed bool, err error) {
	var one template
	if len(f.PostProcessor) > 0 {
		if err := json.Unmarshal(f.PostProcessor, &one); err != nil {
			return false, fmt.Errorf("post_processor: %w", err)
		}
	}
	steps := []template{one}
	if one.Type == "Sequence" {
		if err := json.Unmarshal(one.Processors, &steps); err != nil {
			return false, fmt.Errorf("post_processor: %w", err)
		}
	}
	for _, s := range steps {
		switch p := s.Single; {
		case s.Type == "", s.Type == "ByteLevel": // nothing, and something about offsets
		case s.Type == "TemplateProcessing" && len(p) == 1 && p[0].Special == nil && p[0].Sequence != nil: // the text alone
		case s.Type == "TemplateProcessing" && !framed && len(p) == 2 && p[0].Special != nil && p[0].Special.ID == names.BOS && p[1].Sequence != nil:
			framed = true
		default:
			return false, fmt.Errorf("the post-processor puts something else round a text than %s before it", clip(names.BOS))
		}
	}
	return framed, nil
}

func (f *fileJSON) vocabulary(names Names) (Vocabulary, error) {
	n := len(f.Model.Vocab)
	for _, a := range f.AddedTokens {
		if _, ok := f.Model.Vocab[a.Content]; !ok {
			n++
		}
	}
	v := Vocabulary{Tokens: make([]string, n), Special: make([]bool, n), BOS: None, EOS: None, Pad: None}
	set := func(s string, id int32, special bool) error {
		if id < 0 || int(id) >= n {
			return fmt.Errorf("token %q has id %d of %d tokens", clip(s), id, n)
		}
		if v.Tokens[id] != "" && v.Tokens[id] != s {
			return fmt.Errorf("id %d stands for two tokens", id)
		}
		v.Tokens[id], v.Special[id] = s, special
		return nil
	}
	for s, id := range f.Model.Vocab {
		if err := set(s, id, false); err != nil {
			return v, err
		}
	}
	for _, a := range f.AddedTokens {
		if a.SingleWord || a.LStrip || a.RStrip || a.Normalized || !a.Special {
			return v, fmt.Errorf("added token %q is not a plain special token", clip(a.Content))
		}
		if err := set(a.Content, a.ID, true); err != nil {
			return v, err
		}
		if a.Content == names.BOS {
			v.BOS = a.ID
		}
		if a.Content == names.EOS { // one token may be both
			v.EOS = a.ID
		}
		if a.Content == names.Pad {
			v.Pad = a.ID
		}
	}
	for _, m := range f.Model.Merges {
		v.Merges = append(v.Merges, string(m))
	}
	return v, nil
}
