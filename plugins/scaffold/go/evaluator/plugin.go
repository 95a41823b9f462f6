// Command starter is a plugin of Jupiter with an evaluator: it reads the splits of a benchmark, and an answer is right where
// it is the reference.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Evaluator[config]("starter", sdk.Options{
		Description: "Reads splits, and compares answers with references.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was scored is scored again
		// Equal calls give equal bytes, and several run at once: true of what is below.
		Deterministic: true, Concurrent: true,
	}, evaluator{}),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	IgnoreCase bool `jupiter:"ignore_case" default:"true" desc:"Capital and small letters are the same."`
	MaxChars   int  `jupiter:"max_chars" default:"500" desc:"A longer answer is not coherent."`
	Report     bool `jupiter:"report,effect=none" default:"true" desc:"Show each split as it is read."`
}

// Validate finds what the schema cannot.
func (c config) Validate() []*sdk.Diagnostic {
	if c.MaxChars < 1 {
		return []*sdk.Diagnostic{sdk.Error("No room for an answer", "max_chars is at least 1.", "max_chars")}
	}
	return nil
}

type evaluator struct{}

// line is one question of a split's file.
type line struct {
	Prompt, Reference, Key, Cluster string
	Distractors                     []string
}

// Prepare reads the files of the splits. Samples bounds the split "gate".
func (evaluator) Prepare(_ context.Context, call *sdk.Call, c config, req *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	if req.GetCustom() != nil || len(req.GetBenchmarks()) > 0 {
		return errors.New("this evaluator reads splits alone: no benchmarks, no custom evaluation file")
	}
	for n, split := range slices.Sorted(maps.Keys(req.GetSplits())) {
		if call.IsStopped() {
			return nil
		}
		questions, err := read(split, req.GetSplits()[split].GetPath())
		if err != nil {
			return err
		}
		if limit := req.GetSamples(); split == "gate" && limit > 0 && uint64(len(questions)) > limit {
			questions = questions[:limit]
		}
		if c.Report {
			call.Progress(uint64(n)+1, uint64(len(req.GetSplits())), "splits", nil)
		}
		if err := emit(questions); err != nil {
			return err
		}
	}
	return nil
}

// read gives the questions of a file, in an order that does not depend on that of its lines.
func read(split, path string) ([]*sdk.Question, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []*sdk.Question
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if l.Prompt == "" || l.Reference == "" {
			return nil, fmt.Errorf("%s:%d: a question has a prompt and a reference", path, n)
		}
		if l.Key == "" {
			l.Key = strings.Join(strings.Fields(strings.ToLower(l.Prompt)), " ")
		}
		id := fmt.Sprintf("%x", sha256.Sum256([]byte(l.Key)))[:16]
		out = append(out, &sdk.Question{
			Prompt: &sdk.Prompt{Id: id, Text: l.Prompt}, Reference: l.Reference, Distractors: l.Distractors,
			Key: l.Key, Cluster: l.Cluster, Split: split,
		})
	}
	slices.SortFunc(out, func(a, b *sdk.Question) int { return strings.Compare(a.GetPrompt().GetId(), b.GetPrompt().GetId()) })
	return out, lines.Err()
}

// Score judges answers. It depends on them and on the configuration alone, and loads no model. What cannot be measured is
// left out: Domain, here, which needs likelihoods.
func (evaluator) Score(_ context.Context, _ *sdk.Call, c config, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	out := make([]*sdk.QuestionScore, len(answers))
	for i, a := range answers {
		out[i] = &sdk.QuestionScore{PromptId: a.GetQuestion().GetPrompt().GetId()}
		if a.GetCompletion() == nil {
			continue
		}
		right := c.same(a.GetCompletion().GetText(), a.GetQuestion().GetReference())
		formed := a.GetCompletion().GetFinishReason() != "length" && len([]rune(a.GetCompletion().GetText())) <= c.MaxChars
		if j := a.GetJudgement(); j != nil { // the domain's verifier knows better
			right, formed = j.GetAnswerOk(), j.GetWellFormed() && j.GetConsistent()
		}
		out[i].Accuracy, out[i].Coherence = number(right), number(formed)
	}
	return out, nil
}

func (c config) same(answer, reference string) bool {
	answer, reference = strings.TrimSpace(answer), strings.TrimSpace(reference)
	return answer == reference || c.IgnoreCase && strings.EqualFold(answer, reference)
}

func number(b bool) *float64 {
	n := 0.0
	if b {
		n = 1
	}
	return &n
}

func main() { sdk.Serve(plugin) }
