package panel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"jupiter/plugins/sdk"
)

// item is a line of a benchmark file.
type item struct {
	Prompt      string            `json:"prompt"`
	System      string            `json:"system"`
	Reference   string            `json:"reference"`
	Text        string            `json:"text"`
	Distractors []string          `json:"distractors"`
	Key         string            `json:"key"`
	Cluster     string            `json:"cluster"`
	Benchmark   string            `json:"benchmark"`
	Evidence    []string          `json:"evidence"`
	Meta        map[string]string `json:"meta"`

	place string
	hash  [sha256.Size]byte // of the key
}

// known are the keys of an item.
var known = [...]string{"prompt", "system", "reference", "text", "distractors", "key", "cluster", "benchmark", "evidence", "meta"}

// parseItem reads a line, and gives the keys in it that mean nothing.
func parseItem(line []byte) (it *item, unknown []string, err error) {
	if !utf8.Valid(line) {
		return nil, nil, errors.New("is not UTF-8 text")
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return nil, nil, plain(err)
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known[:], k) {
			unknown = append(unknown, k)
		}
	}
	it = &item{}
	if err := json.NewDecoder(bytes.NewReader(line)).Decode(it); err != nil {
		return nil, nil, plain(err)
	}
	if it.Reference != "" && it.Text != "" && it.Reference != it.Text {
		return nil, nil, errors.New("has a reference and another text")
	}
	if it.Reference == "" {
		it.Reference = it.Text
	}
	if it.Key == "" {
		it.Key = normalise(it.Prompt)
	}
	it.hash = sha256.Sum256([]byte(it.Key))
	return it, unknown, it.check()
}

func plain(err error) error {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) && t.Field != "" {
		return fmt.Errorf("%s has the wrong type, %s", t.Field, t.Value)
	}
	if errors.As(err, &t) {
		return fmt.Errorf("want an object, found %s", t.Value)
	}
	return err
}

func (it *item) check() error {
	if strings.TrimSpace(it.Prompt) == "" {
		return errors.New("has no prompt")
	}
	if strings.TrimSpace(it.Reference) == "" {
		return errors.New("has no reference")
	}
	if len(it.Distractors) > 25 {
		return fmt.Errorf("has %d distractors; options are lettered, so there can be 25", len(it.Distractors))
	}
	for i, d := range it.Distractors {
		switch {
		case d == "":
			return fmt.Errorf("distractor %d is empty", i+1)
		case normalise(d) == normalise(it.Reference):
			return fmt.Errorf("distractor %d is the reference", i+1)
		case slices.Contains(it.Distractors[:i], d):
			return fmt.Errorf("distractor %d occurs twice", i+1)
		}
	}
	if n := len(it.Distractors); n == 1 || n == 2 {
		return fmt.Errorf("has %d distractors; a choice needs at least three, because guessing among fewer is right too often", n)
	}
	return nil
}

func (it *item) question(split string) *sdk.Question {
	return &sdk.Question{
		Prompt:      &sdk.Prompt{Id: hex.EncodeToString(it.hash[:12]), System: it.System, Text: it.Prompt, Meta: it.Meta},
		Reference:   it.Reference,
		Benchmark:   it.Benchmark,
		Key:         it.Key,
		Cluster:     it.Cluster,
		Distractors: it.Distractors,
		Split:       split,
		Evidence:    it.Evidence,
	}
}

// normalise is what exact match compares: lower case, single spaces, no final full stop.
func normalise(s string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.Join(strings.Fields(strings.ToLower(s)), " "), "."))
}
