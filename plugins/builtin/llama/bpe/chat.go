package bpe

// ChatTemplate renders messages as ChatML in the template language (Jinja) that GGUF files and tokenizer_config.json
// carry. Chat gives the same tokens, as long as no message's content begins with a line end: the split pattern would
// join that to the line end of the header, which Chat keeps apart so that a model is trained on exactly the tokens
// that it meets when it answers.
//
// It says BOS itself, as programs that render it add no special token: transformers and mlx-lm to a directory of Hugging
// Face's, llama-cpp-python to a GGUF file. llama.cpp adds BOS to what does not begin with it. Where texts do not begin
// with BOS, turns alone is the template.
const ChatTemplate = sayBOS + turns

const (
	sayBOS = `{{ bos_token }}`
	turns  = `{% for message in messages %}<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`
)

// Message is one turn of a chat.
type Message struct {
	Role, Content string
	Train         bool // the content and the end of the turn count in the loss
}

// Chat renders messages as ChatML, BOS first where a text begins with it. loss has a flag for each token: true for the
// content of messages to be trained, and for the end of their turn. With open the header of an assistant's answer follows, which the answer
// continues. Text in a message never becomes a special token. Chat panics where the vocabulary lacks the two tokens of
// turns; HasChat says so beforehand.
func (t *Tokenizer) Chat(messages []Message, open bool) (ids []int32, loss []bool) {
	if !t.HasChat() {
		panic("bpe: the vocabulary has no " + StartTurn + " and " + EndTurn)
	}
	put := func(train bool, more ...int32) {
		for _, id := range more {
			ids = append(ids, id)
			loss = append(loss, train)
		}
	}
	if !t.noBOS {
		put(false, t.bos)
	}
	for _, m := range messages {
		put(false, t.start)
		put(false, t.Encode(m.Role+"\n")...)
		put(m.Train, t.Encode(m.Content)...)
		put(m.Train, t.end)
		put(false, t.Encode("\n")...)
	}
	if open {
		put(false, t.start)
		put(false, t.Encode("assistant\n")...)
	}
	return ids, loss
}

// HasChat reports whether the vocabulary has the special tokens of ChatML.
func (t *Tokenizer) HasChat() bool { return t.start != None && t.end != None }

// ChatTemplate is the template that a model's files carry: the one that it brought, or else ChatML's where it has the tokens; ""
// for none.
func (t *Tokenizer) ChatTemplate() string {
	if t.chat == "" && t.HasChat() {
		return t.ownTemplate()
	}
	return t.chat
}

func (t *Tokenizer) ownTemplate() string {
	if t.noBOS {
		return turns
	}
	return ChatTemplate
}
