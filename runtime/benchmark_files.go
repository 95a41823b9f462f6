package runtime

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"jupiter/runtime/questions"
	"jupiter/state/durable"
)

// The directory of a benchmark that is made from documents:
//
//	replies.jsonl                      what the teacher said, a line as soon as it is said: {"key": …, "text": …}
//	candidates.jsonl                   all candidates, with what people said of them; replaced as a whole
//	validation.jsonl dev.jsonl gate.jsonl   the splits, as the evaluator panel reads them; replaced as a whole
//	lock                               held by whoever builds or reviews
const (
	repliesFile    = "replies.jsonl"
	candidatesFile = "candidates.jsonl"
)

// A line of replies.jsonl: a reply, or, with Teacher, what is known of who gives those below it.
type replyLine struct {
	teacherLine
	Key string `json:"key,omitempty"`
	questions.Reply
	Prompt     uint64 `json:"prompt_tokens,omitempty"`
	Completion uint64 `json:"completion_tokens,omitempty"`
}

type teacherLine struct {
	Teacher string `json:"teacher,omitempty"` // a digest of what its block says
	Model   string `json:"model,omitempty"`   // as its plugin names it
	Scores  *bool  `json:"tells_likelihoods,omitempty"`
}

// replies is the file of what the teacher said. It is appended to, and each line is on the disk before the next is asked for, so
// that a crash loses the line in work. What such a line left is cut off when the file is opened again.
type replies struct {
	f    *os.File
	of   map[string]questions.Reply
	last map[string]teacherLine // by teacher
}

// maxReplyLine bounds a line of the file, in bytes.
const maxReplyLine = 8 << 20

func openReplies(path string) (*replies, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	r := &replies{f: f, of: map[string]questions.Reply{}, last: map[string]teacherLine{}}
	if err := r.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return r, durable.Sync(filepath.Dir(path))
}

func (r *replies) load() error {
	in := bufio.NewReaderSize(r.f, 64<<10)
	whole, teacher := int64(0), ""
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(line) > 0 { // the last one was cut off
				return r.f.Truncate(whole)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if len(line) > maxReplyLine {
			return fmt.Errorf("line %d is longer than %d MiB", n, maxReplyLine>>20)
		}
		var l replyLine
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("line %d: %w; remove the line, and what it held is asked for again", n, err)
		}
		whole += int64(len(line))
		if l.Teacher != "" {
			teacher = l.Teacher
			r.last[teacher] = l.teacherLine
			continue
		}
		r.of[teacher+l.Key] = l.Reply
	}
}

// add makes a line durable.
func (r *replies) add(l replyLine) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := r.f.Write(append(b, '\n')); err != nil {
		return err
	}
	return r.f.Sync()
}

func (r *replies) close() error { return r.f.Close() }

// What a person has said of a candidate.
const (
	StatusNew      = "new"
	StatusAccepted = "accepted"
	StatusEdited   = "edited"
	StatusRejected = "rejected"
)

// Candidate is a line of candidates.jsonl.
type Candidate struct {
	questions.Candidate
	Status   string    `json:"status"`
	Split    string    `json:"split,omitempty"`    // that it is in; "": none
	Original *Original `json:"original,omitempty"` // of one that was edited
}

// Original is what a candidate was before somebody edited it.
type Original struct {
	Question    string   `json:"question"`
	Answer      string   `json:"answer"`
	Distractors []string `json:"distractors"`
}

// Judged says whether a person has said something.
func (c Candidate) Judged() bool { return c.Status != StatusNew }

// ReadCandidates reads the candidates of a benchmark; none where it was never built.
func ReadCandidates(dir string) ([]Candidate, error) {
	path := filepath.Join(dir, candidatesFile)
	all, err := readLines[Candidate](path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i, c := range all {
		switch c.Status {
		case StatusNew, StatusAccepted, StatusEdited, StatusRejected:
		default:
			return nil, fmt.Errorf("%s:%d: %q is no status of a candidate", candidatesFile, i+1, c.Status)
		}
	}
	return all, nil
}

// WriteCandidates replaces the candidates of a benchmark.
func WriteCandidates(dir string, all []Candidate) error {
	return replaceLines(filepath.Join(dir, candidatesFile), all)
}

// replaceLines replaces a file of JSON lines as a whole.
func replaceLines[T any](path string, all []T) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, v := range all {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return durable.Replace(path, b.Bytes())
}
