package conformance

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// material is what stages are given to work on: sums of two numbers, and texts that are hard to carry.
type material struct {
	given []*pluginv1.Record // of Options.Records
}

// record gives the record of a number, with an identifier that no other has.
func (b *bench) record(n int) (*pluginv1.Record, error) {
	if b.Records != "" && b.given == nil {
		if err := b.readRecords(); err != nil {
			return nil, err
		}
	}
	if len(b.given) > 0 {
		r := b.given[n%len(b.given)]
		return &pluginv1.Record{Id: fmt.Sprintf("r%d", n), Prompt: r.Prompt, Text: r.Text, Messages: r.Messages}, nil
	}
	return &pluginv1.Record{Id: fmt.Sprintf("r%d", n), Text: sum(n)}, nil
}

// sum is a text about a number, unlike that about another.
func sum(n int) string {
	x, y := n*7919%100_003, n*104_729%99_991
	return fmt.Sprintf("What is the sum of %d and %d? The sum of %d and %d is %d. It is number %d of these questions.", x, y, x, y, x+y, n)
}

func (b *bench) readRecords() error {
	r, err := sdk.OpenRecords(b.Records)
	if err != nil {
		return err
	}
	defer r.Close()
	for len(b.given) < 100_000 {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		b.given = append(b.given, rec)
	}
	if len(b.given) == 0 {
		return fmt.Errorf("%s has no records", b.Records)
	}
	return nil
}

// dataset writes a file of records for a trainer.
func (b *bench) dataset(n int) (*pluginv1.Artifact, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("records%d.jsonl.zst", n))
	a := &pluginv1.Artifact{Path: path, MediaType: sdk.RecordsMediaType}
	if exists(path) {
		return a, nil
	}
	return a, writeRecords(path, n, b.record)
}

func writeRecords(path string, n int, record func(int) (*pluginv1.Record, error)) error {
	w, err := sdk.CreateRecords(path)
	if err != nil {
		return err
	}
	for i := range n {
		r, err := record(i)
		if err == nil {
			err = w.Write(r)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// split writes a file of questions for an evaluator, or gives that of Options.Questions.
func (b *bench) split() (*pluginv1.Artifact, error) {
	if b.Questions != "" {
		return &pluginv1.Artifact{Path: b.Questions}, nil
	}
	path := filepath.Join(b.dir, "questions.jsonl")
	if exists(path) { // a stage that changes it is found out
		return &pluginv1.Artifact{Path: path}, nil
	}
	var s strings.Builder
	for i := range 40 {
		fmt.Fprintf(&s, "{\"prompt\":\"%d + 4 =\",\"reference\":\"%d\",\"distractors\":[\"%d\",\"%d\",\"%d\"]}\n", i, i+4, i+5, i+6, i+7)
	}
	return &pluginv1.Artifact{Path: path}, os.WriteFile(path, []byte(s.String()), 0o644)
}

// hard are texts that are hard to carry: each is valid UTF-8, and each has to come through as it is.
var hard = []string{
	"",
	" ",
	"\n\r\n\t",
	"e\u0301 o\u0308 Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324", // combining
	"\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u0645\u0631\u062d\u0628\u0627",             // from right to left
	"\U0001F9EE\U0001F468\u200d\U0001F469\u200d\U0001F467 \U00020000\U0010FFFD",           // beyond the basic plane
	"a\x00b\x01\x1b[31mc\x7f\u0085",                                                       // control characters
	"\uFFFD\uFEFF\uFFFE\u2028\u2029",
	"\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u0928\u092e\u0938\u094d\u0924\u0947",
	strings.Repeat("x", 100_000),
	strings.Repeat("\U0001F9EE", 5_000),
	`{"text": "\ud800", "a": [[[[[` + "\\",
	"'; DROP TABLE records; -- <script> %s%n ${HOME} `id`",
}
