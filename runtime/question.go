package runtime

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jupiter/plugins/proto/pluginv1"
)

// BenchmarkMediaType is a sealed benchmark: a directory with <split>.jsonl, a question a line, and seal, the index
// that every record is checked against.
const BenchmarkMediaType = "application/vnd.jupiter.benchmark"

const sealFile = "seal"

// question is one line of a benchmark's split.
type question struct {
	ID          string   `json:"id"`
	Split       string   `json:"split"`
	Benchmark   string   `json:"benchmark,omitempty"`
	System      string   `json:"system,omitempty"`
	Prompt      string   `json:"prompt"`
	Reference   string   `json:"reference"`
	Distractors []string `json:"distractors,omitempty"`
	Key         string   `json:"key,omitempty"`
	Cluster     string   `json:"cluster,omitempty"`
	Evidence    []string `json:"evidence,omitempty"`
}

func newQuestion(q *pluginv1.Question) question {
	return question{ID: q.GetPrompt().GetId(), Split: q.Split, Benchmark: q.Benchmark, System: q.GetPrompt().GetSystem(), Prompt: q.GetPrompt().GetText(),
		Reference: q.Reference, Distractors: q.Distractors, Key: q.Key, Cluster: q.Cluster, Evidence: q.Evidence}
}

func (q question) prompt() *pluginv1.Prompt {
	return &pluginv1.Prompt{Id: q.ID, System: q.System, Text: q.Prompt}
}

func (q question) proto() *pluginv1.Question {
	return &pluginv1.Question{Prompt: q.prompt(), Reference: q.Reference, Benchmark: q.Benchmark, Key: q.Key, Cluster: q.Cluster, Distractors: q.Distractors, Split: q.Split, Evidence: q.Evidence}
}

// readQuestions reads one split of a benchmark artifact.
func readQuestions(benchmark, split string) ([]question, error) {
	path := filepath.Join(benchmark, split+".jsonl")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the benchmark has no split %q", split)
	}
	return readLines[question](path)
}

// readLines reads a file of JSON lines that this package wrote.
func readLines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []T
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for n := 1; s.Scan(); n++ {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", filepath.Base(path), n, err)
		}
		all = append(all, v)
	}
	return all, s.Err()
}

// writeLines writes JSON lines. The bytes are a pure function of the values.
func writeLines[T any](path string, all []T) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, v := range all {
		if err := enc.Encode(v); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(w.Flush(), f.Close())
}
