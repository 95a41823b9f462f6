package questions

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxConversation bounds a line of chats, in bytes. A longer one may not fit a record.
const MaxConversation = 1<<20 - 16<<10

// Turn is an answer in a conversation, with what the user wrote before it.
type Turn struct{ Question, Answer string }

// Conversation reads a line of a file of chats, {"messages": [{"role", "content"}, …]}, in the form that records have. What may
// be asked about is what the assistant says, unless a message says that it is not to be learned ("train": false). Whatever the
// collector "files" does not take is an error here too, which says what is the matter with the line.
func Conversation(name string, line []byte) (Document, error) {
	switch {
	case len(line) > MaxConversation:
		return Document{}, fmt.Errorf("is longer than %d KiB", MaxConversation>>10)
	case !utf8.Valid(line):
		return Document{}, errors.New("is not UTF-8; save it as UTF-8")
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return Document{}, fmt.Errorf("is no JSON object: %w", err)
	}
	var messages []struct {
		Role    string
		Content string
		Train   *bool
	}
	if raw := object["messages"]; raw != nil {
		if err := json.Unmarshal(raw, &messages); err != nil {
			return Document{}, fmt.Errorf("has messages that are no list of role and content, as texts: %w", err)
		}
	}
	if len(messages) == 0 {
		return Document{}, errors.New("has no messages")
	}
	for _, key := range []string{"prompt", "text", "content"} {
		if raw := string(object[key]); raw != "" && raw != "null" && raw != `""` {
			return Document{}, fmt.Errorf("has %s beside its messages", key)
		}
	}
	d := Document{Name: name}
	question := ""
	for i, m := range messages {
		if m.Role == "" {
			return Document{}, fmt.Errorf("has no role in message %d", i+1)
		}
		content, err := Clean([]byte(m.Content))
		if err != nil {
			return Document{}, fmt.Errorf("has a message, number %d, that %w", i+1, err)
		}
		switch {
		case m.Role == "user":
			question = content
		case m.Role == "assistant" && strings.TrimSpace(content) != "" && (m.Train == nil || *m.Train):
			d.Turns = append(d.Turns, Turn{question, content})
		}
	}
	if len(d.Turns) == 0 {
		return Document{}, errors.New("has no answer, a message of the role assistant with a text")
	}
	return d, nil
}

// heading makes one of what a user wrote: the line of it that ends as a question where it does not fit, else its beginning, up to
// a whole word.
func heading(question string) string {
	text := plain(question)
	if runes(text) <= maxHeading {
		return text
	}
	for _, s := range Sentences(text) {
		if strings.HasSuffix(s, "?") && runes(s) <= maxHeading {
			return s
		}
	}
	text = text[:boundary(text, maxHeading)]
	if i := strings.LastIndexByte(text, ' '); i > len(text)/2 {
		text = text[:i]
	}
	return text
}
