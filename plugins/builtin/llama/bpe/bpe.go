// Package bpe is a byte-level byte-pair tokenizer of the kind that Llama 3 uses, so that a vocabulary trained here means
// the same ids in llama.cpp, Ollama and Hugging Face transformers.
//
// Text is cut into pieces by Llama 3's split pattern (split.go). A piece that is a token by itself becomes that token
// ("ignore_merges"); any other piece starts as its bytes and is joined pair by pair, the earliest learned merge first.
// All 256 bytes are tokens, so every byte string has an encoding, valid UTF-8 or not, and decoding gives it back.
//
// What is trained here is all of that kind. A vocabulary from elsewhere may be SmolLM's instead (smollm.go): it cuts in
// another way, and lacks bytes that its makers' texts did not have, mostly control characters, which an encoding leaves out.
//
// Training never merges digits. The split pattern puts runs of one to three digits in pieces of their own, and training does
// not count such pieces; so no merge and no token that it makes contains more than one digit, and because the exported files
// carry the same pattern and the same merges, this holds for every other reader of them too.
//
// Special tokens have ids but no text that Encode could meet: "<|im_end|>" in a document is ordinary text here and
// becomes the tokens of its characters. Other programs look for special tokens in the text they are given; who feeds
// them untrusted text has to turn that off there.
package bpe

import (
	"fmt"
	"slices"
	"strings"
)

// Spellings of the special tokens that every trained vocabulary begins with, in the order of their ids. Ollama,
// llama.cpp and Hugging Face's tools recognise them by these names.
const (
	BeginText = "<|begin_of_text|>"
	EndText   = "<|endoftext|>"
	Padding   = "<|pad|>"
	StartTurn = "<|im_start|>"
	EndTurn   = "<|im_end|>"
)

// None is the id of a special token that a vocabulary does not have.
const None int32 = -1

// Tokenizer turns text into token ids and back. It never changes after it is made and may be used by several
// goroutines at once.
type Tokenizer struct {
	tokens  []string         // by id: the token's bytes; a special token's spelling
	special []bool           // by id
	ids     map[string]int32 // ordinary tokens by their bytes
	bytes   [256]int32       // the token of each single byte
	merges  []pair           // by rank
	ranks   map[pair]merge
	bos     int32
	eos     int32
	pad     int32
	start   int32
	end     int32
	split   Split
	noBOS   bool
	chat    string // Vocabulary.ChatTemplate
}

type pair struct{ left, right int32 }

// A merge joins two adjacent tokens into one. The lower its rank, the earlier it applies.
type merge struct{ rank, id int32 }

// Vocabulary is a tokenizer's content as the file formats hold it.
type Vocabulary struct {
	Tokens        []string // by id, in the byte-level spelling (see Spell); special tokens literally
	Special       []bool   // by id
	Merges        []string // "left right" in the byte-level spelling, by rank
	BOS, EOS, Pad int32    // ids of special tokens; BOS and EOS must exist, Pad may be None
	Split         Split
	NoBOS         bool   // a text does not begin with BOS
	ChatTemplate  string // that the model brought, in Jinja; nothing here reads it. "": none but the package's own
}

// New makes a tokenizer of a vocabulary. It refuses one that lacks a byte, spells a token twice, or merges tokens that
// it does not have.
func New(v Vocabulary) (*Tokenizer, error) {
	if len(v.Tokens) != len(v.Special) {
		return nil, fmt.Errorf("%d tokens, but %d marks of special tokens", len(v.Tokens), len(v.Special))
	}
	if len(v.Tokens) > MaxVocab {
		return nil, fmt.Errorf("%d tokens: more than %d", len(v.Tokens), MaxVocab)
	}
	t := &Tokenizer{
		tokens: make([]string, len(v.Tokens)), special: slices.Clone(v.Special),
		ids: make(map[string]int32, len(v.Tokens)), ranks: make(map[pair]merge, len(v.Merges)),
		bos: v.BOS, eos: v.EOS, pad: v.Pad, start: None, end: None, split: v.Split, noBOS: v.NoBOS,
	}
	if err := t.fill(v.Tokens); err != nil {
		return nil, err
	}
	if t.chat = v.ChatTemplate; len(t.chat) > maxTemplate {
		return nil, fmt.Errorf("a chat template of %d bytes: more than %d", len(t.chat), maxTemplate)
	}
	if t.chat == t.ownTemplate() && t.HasChat() {
		t.chat = "" // it is the package's own
	}
	for _, s := range []struct {
		what string
		id   int32
		must bool
	}{{"beginning-of-text", v.BOS, true}, {"end-of-text", v.EOS, true}, {"padding", v.Pad, false}} {
		if s.id == None && !s.must {
			continue
		}
		if s.id < 0 || int(s.id) >= len(t.tokens) || !t.special[s.id] {
			return nil, fmt.Errorf("the %s token %d is not a special token of the vocabulary", s.what, s.id)
		}
	}
	for i, m := range v.Merges {
		if err := t.addMerge(i, m); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// maxTemplate bounds a chat template, in bytes. The longest in use have some ten thousand.
const maxTemplate = 1 << 20

// MaxVocab bounds the vocabularies that are read from files; the largest in use have about 256,000 tokens.
const MaxVocab = 1 << 20

func (t *Tokenizer) fill(spellings []string) error {
	for b := range t.bytes {
		t.bytes[b] = None
	}
	named := make(map[string]bool, len(spellings))
	for i, s := range spellings {
		id := int32(i)
		if s == "" || named[s] {
			return fmt.Errorf("token %d, %q, is empty or spelled twice", i, clip(s))
		}
		named[s] = true
		if t.special[i] {
			t.tokens[i] = s
			switch s {
			case StartTurn:
				t.start = id
			case EndTurn:
				t.end = id
			}
			continue
		}
		raw, err := unspell(s)
		if err != nil {
			return fmt.Errorf("token %d: %w", i, err)
		}
		t.tokens[i], t.ids[raw] = raw, id
		if len(raw) == 1 {
			t.bytes[raw[0]] = id
		}
	}
	for b, id := range t.bytes {
		if id == None && (t.split == Llama3 || b == '\n' || ' ' <= b && b <= '~') {
			return fmt.Errorf("byte 0x%02x has no token", b)
		}
	}
	return nil
}

// Missing is the number of bytes that have no token: they are left out of a text.
func (t *Tokenizer) Missing() (n int) {
	for _, id := range t.bytes {
		if id == None {
			n++
		}
	}
	return n
}

func (t *Tokenizer) addMerge(rank int, m string) error {
	l, r, ok := strings.Cut(m, " ")
	if !ok || strings.Contains(r, " ") {
		return fmt.Errorf("merge %d, %q, is not two tokens", rank, m)
	}
	var part [2]string
	var p pair
	for i, s := range []string{l, r} {
		raw, err := unspell(s)
		if err != nil {
			return fmt.Errorf("merge %d: %w", rank, err)
		}
		id, ok := t.ids[raw]
		if !ok {
			return fmt.Errorf("merge %d: %q is not a token", rank, s)
		}
		part[i] = raw
		if i == 0 {
			p.left = id
		} else {
			p.right = id
		}
	}
	id, ok := t.ids[part[0]+part[1]]
	if !ok {
		return fmt.Errorf("merge %d, %q, joins to no token", rank, m)
	}
	if _, twice := t.ranks[p]; twice {
		return fmt.Errorf("merge %d, %q, is there twice", rank, m)
	}
	t.merges = append(t.merges, p)
	t.ranks[p] = merge{int32(rank), id}
	return nil
}

// Vocabulary gives the tokenizer's content in the form that the file formats hold.
func (t *Tokenizer) Vocabulary() Vocabulary {
	v := Vocabulary{Special: slices.Clone(t.special), BOS: t.bos, EOS: t.eos, Pad: t.pad, Split: t.split, NoBOS: t.noBOS, ChatTemplate: t.chat}
	for i := range t.tokens {
		v.Tokens = append(v.Tokens, t.spelling(int32(i)))
	}
	for _, p := range t.merges {
		v.Merges = append(v.Merges, t.spelling(p.left)+" "+t.spelling(p.right))
	}
	return v
}

func (t *Tokenizer) spelling(id int32) string {
	if t.special[id] {
		return t.tokens[id]
	}
	return Spell(t.tokens[id])
}

// Size is the number of tokens; ids run from 0 to Size-1.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// BOS is the id of the token that a text begins with, but for a vocabulary with NoBOS: there it stands for no text at all.
func (t *Tokenizer) BOS() int32 { return t.bos }

// EOS is the id of the token that ends a text.
func (t *Tokenizer) EOS() int32 { return t.eos }

// Pad is the id of the padding token, or None.
func (t *Tokenizer) Pad() int32 { return t.pad }

// EndTurn is the id of the token that ends a chat message, or None.
func (t *Tokenizer) EndTurn() int32 { return t.end }

// Special reports whether id is a special token, one that no text encodes to.
func (t *Tokenizer) Special(id int32) bool { return t.special[id] }

// Bytes gives a token's bytes, which need not be valid UTF-8; a special token's spelling.
func (t *Tokenizer) Bytes(id int32) string { return t.tokens[id] }

// Decode joins the tokens' bytes. A special token appears by its spelling, so that one which a model wrote in the
// middle of a text is seen rather than lost. Decode panics on an id outside the vocabulary.
func (t *Tokenizer) Decode(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(t.tokens[id])
	}
	return b.String()
}
