package sdk

import (
	"strings"
	"unicode/utf8"
)

// Draft is a text while a generator writes it, token by token, within what a Sampling allows: at most MaxTokens tokens, and
// nothing from the first stop sequence on.
//
//	d := sdk.NewDraft(sampling)
//	for token, ok := next(); ok && d.Add(token); token, ok = next() {
//	}
//	err := emit(d.Completion())
type Draft struct {
	most   uint64 // 0: no bound
	stop   []string
	text   []byte
	tokens uint64
	shown  int // bytes of text that Piece has given
	over   bool
	cut    bool // max_tokens ended it
}

// NewDraft begins a text. A nil Sampling bounds nothing; nor does one without max_tokens, for which a stage that has a
// bound of its own in its configuration puts that in.
func NewDraft(s *Sampling) *Draft {
	return &Draft{most: uint64(s.GetMaxTokens()), stop: s.GetStop()}
}

// Add appends what one token stands for, which may be part of a character, and says whether the text goes on. It does not
// once a stop sequence has come, or where there were as many tokens as may be: then nothing is appended.
func (d *Draft) Add(token string) bool {
	if !d.over && d.most > 0 && d.tokens == d.most {
		d.over, d.cut = true, true
	}
	if d.over {
		return false
	}
	before := len(d.text)
	d.text = append(d.text, token...)
	d.tokens++
	end := -1
	for _, s := range d.stop {
		if s == "" {
			continue // every text has it
		}
		from := max(0, before-len(s)+1) // what came before has been looked at
		if i := strings.Index(string(d.text[from:]), s); i >= 0 && (end < 0 || from+i < end) {
			end = from + i
		}
	}
	if end >= 0 {
		d.text, d.over = d.text[:end], true
	}
	return !d.over
}

// Piece gives what has come since the last Piece and is certain to be part of the text: whole characters, and nothing that
// may yet turn out to be the beginning of a stop sequence. All pieces, one after another, are the beginning of Text.
func (d *Draft) Piece() string {
	end := len(d.text)
	for _, s := range d.stop {
		if d.over {
			break
		}
		for n := min(len(s)-1, len(d.text)); n > 0; n-- {
			if string(d.text[len(d.text)-n:]) == s[:n] {
				end = min(end, len(d.text)-n)
				break
			}
		}
	}
	for end > d.shown { // Text makes one U+FFFD of all that is no character up to the next one
		if r, n := utf8.DecodeLastRune(d.text[d.shown:end]); r != utf8.RuneError || n > 1 {
			break
		}
		end--
	}
	piece := strings.ToValidUTF8(string(d.text[d.shown:end]), "\uFFFD")
	d.shown = end
	return piece
}

// Text is what was written, in valid UTF-8: a character that was left unfinished is U+FFFD.
func (d *Draft) Text() string { return strings.ToValidUTF8(string(d.text), "\uFFFD") }

// Tokens counts all that were added, those of a stop sequence too.
func (d *Draft) Tokens() uint64 { return d.tokens }

// FinishReason is "length" where another token was there and could not be added, and "stop" where the text ended by
// itself, or by a stop sequence.
func (d *Draft) FinishReason() string {
	if d.cut {
		return "length"
	}
	return "stop"
}

// Completion is the text as the answer to a prompt.
func (d *Draft) Completion() *Completion {
	return &Completion{Text: d.Text(), FinishReason: d.FinishReason(), CompletionTokens: d.tokens}
}

// Record is the text as a sample: of a prompt, or a whole one where that is nil. One that was cut says so, and is never
// trained on.
func (d *Draft) Record(p *Prompt) *Record {
	r := &Record{Prompt: p.GetText(), Bucket: p.GetBucket(), Text: d.Text(), CompletionTokens: d.tokens}
	if d.cut {
		r.Meta = map[string]string{"finish": "length"}
	}
	return r
}
