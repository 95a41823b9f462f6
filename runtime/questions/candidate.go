package questions

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Kinds of items.
const (
	Question = "question"
	Cloze    = "cloze"
)

// Candidate is an item that may come into the benchmark.
type Candidate struct {
	ID          string   `json:"id"` // by what it says, and not by who wrote it: a judgement on it stays its own
	Kind        string   `json:"kind"`
	Document    string   `json:"document"`
	Also        []string `json:"also,omitempty"` // other documents that have the passage
	Heading     string   `json:"heading,omitempty"`
	Passage     string   `json:"passage"`
	Question    string   `json:"question"`
	Answer      string   `json:"answer"`
	Distractors []string `json:"distractors,omitempty"`
	Reason      string   `json:"reason,omitempty"` // why it is left out, see Reasons; "": it is not

	sentence string // that it asks about: one item a sentence
	digest   string // of the passage
}

func candidate(kind string, p Passage, sentence, question, answer string) Candidate {
	c := Candidate{Kind: kind, Document: p.Document, Also: p.Also, Heading: p.Heading, Passage: p.Text, Question: question, Answer: answer, sentence: sentence, digest: p.Digest}
	sum := sha256.Sum256([]byte(strings.Join([]string{kind, p.Digest, Normal(question), Normal(answer)}, "\x00")))
	c.ID = hex.EncodeToString(sum[:8])
	return c
}

// hash is a number that hangs on texts alone.
func hash(parts ...string) uint64 {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return binary.LittleEndian.Uint64(h[:8])
}
