package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/sdk"
)

// maxRecord is the largest record, encoded. With its place and the message around it, it fits a batch of 1 MiB.
const maxRecord = 1<<20 - 16<<10

// record reads one JSON object.
func (c Config) record(data []byte) (*sdk.Record, error) {
	if badUTF8(data) > 0 {
		return nil, errNotUTF8
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, plain(err, "a JSON object")
	}
	if object == nil {
		return nil, errors.New("null is not a JSON object")
	}
	r := &sdk.Record{Meta: map[string]string{}}
	var err error
	if r.Text, err = c.text(object); err != nil {
		return nil, err
	}
	if r.Prompt, err = field(object, or(c.PromptField, "prompt")); err != nil {
		return nil, err
	}
	if r.Messages, err = messages(object["messages"]); err != nil {
		return nil, err
	}
	switch {
	case len(r.Messages) > 0 && (r.Text != "" || r.Prompt != ""):
		return nil, errors.New("has messages, and a text or prompt beside them")
	case len(r.Messages) == 0 && strings.TrimSpace(r.Text) == "":
		return nil, fmt.Errorf("has no text: neither %s nor messages", c.textKeys())
	case proto.Size(r) > maxRecord:
		return nil, fmt.Errorf("the record is larger than %d KiB", maxRecord>>10)
	}
	return r, nil
}

func (c Config) textKeys() string { return or(c.TextField, "text nor content") }

func (c Config) text(object map[string]json.RawMessage) (string, error) {
	if c.TextField != nil {
		return field(object, *c.TextField)
	}
	if _, ok := object["text"]; ok {
		return field(object, "text")
	}
	return field(object, "content")
}

// field reads a string; a key that is absent or null gives "".
func field(object map[string]json.RawMessage, key string) (string, error) {
	raw, ok := object[key]
	if !ok {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%s: %w", key, plain(err, "a string"))
	}
	return s, nil
}

func messages(raw json.RawMessage) ([]*sdk.Message, error) {
	if raw == nil {
		return nil, nil
	}
	var list []struct {
		Role    string
		Content string
		Train   *bool
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("messages: %w", plain(err, `a list of {"role", "content"}`))
	}
	var out []*sdk.Message
	for i, m := range list {
		if m.Role == "" {
			return nil, fmt.Errorf("messages: message %d has no role", i+1)
		}
		train := m.Role == "assistant"
		if m.Train != nil {
			train = *m.Train
		}
		out = append(out, &sdk.Message{Role: m.Role, Content: m.Content, Train: train})
	}
	return out, nil
}

// plain says in words that a value has the wrong type; syntax errors stay as they are.
func plain(err error, want string) error {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return fmt.Errorf("want %s, found %s", want, t.Value)
	}
	return err
}

func or(s *string, def string) string {
	if s != nil {
		return *s
	}
	return def
}
