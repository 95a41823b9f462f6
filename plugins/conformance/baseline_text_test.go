//go:build linux

package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"jupiter/plugins/sdk"
)

// judge keeps texts by their hash.
type judge struct {
	baseline
	leaked [][]byte
}

func (j *judge) Refer([]*sdk.Record) error {
	if j.breaks == "filter-reference" {
		return errors.New("there is no reference")
	}
	return nil
}

func (j *judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	if err := j.act(); err != nil {
		return nil, err
	}
	var out []*sdk.Verdict
	for i, r := range records {
		if err := j.look(r.GetText()); err != nil {
			return nil, err
		}
		v := &sdk.Verdict{Keep: hash(r.GetText())%3 > 0, Score: 0.5}
		if !v.Keep {
			v.Reason = "hash"
		}
		switch {
		case j.breaks == "filter-batches":
			v.Score = float64(i)
		case j.breaks == "filter-verdict" && !v.Keep:
			v.Reason = ""
		}
		out = append(out, v)
	}
	return out, nil
}

func (j *judge) verify(items []*sdk.VerifyItem) ([]*sdk.Judgement, error) {
	var out []*sdk.Judgement
	for i, it := range items {
		if err := j.look(it.GetPrompt() + it.GetText()); err != nil {
			return nil, err
		}
		v := &sdk.Judgement{WellFormed: true, Key: strconv.FormatUint(hash(it.GetText()), 36)}
		if j.breaks == "verifier-batches" {
			v.Key = strconv.Itoa(i)
		}
		out = append(out, v)
	}
	return out, nil
}

// look breaks the rules about texts.
func (j *judge) look(text string) error {
	switch {
	case strings.HasSuffix(j.breaks, "-large") && len(text) > 2<<20:
		return errors.New("that is too long for me")
	case strings.HasSuffix(j.breaks, "-unicode") && strings.Contains(text, "\x00"):
		return errors.New("that ends early")
	case strings.HasSuffix(j.breaks, "-memory"):
		j.leaked = append(j.leaked, touched(8<<10))
	}
	return nil
}

// act breaks the rules about the process.
func (j *judge) act() error {
	switch j.breaks {
	case "stage-answers":
		os.Exit(3)
	case "write-inside":
		_ = os.WriteFile("left-behind", []byte("x"), 0o644) // where it is confined it cannot
	case "works-confined":
		return os.WriteFile(filepath.Join(os.Getenv("HOME"), "needed"), []byte("x"), 0o644)
	case "stdout-clean":
		_, err := syscall.Write(1, []byte("hello\n"))
		return err
	}
	return nil
}

type generates struct{ baseline }

func (g generates) Import(_ context.Context, c *sdk.Call, _ config, path string, emit func(*sdk.Output) error) error {
	return g.take(c, path, "model", emit)
}

func (g generates) Generate(_ context.Context, c *sdk.Call, _ config, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	for _, set := range req.GetSets() {
		n := set.GetSamples()
		if g.breaks == "generator-samples" && n > 0 {
			n--
		}
		for i := range n {
			if c.IsStopped() {
				return nil
			}
			index := set.GetStartIndex() + i
			if g.breaks == "generator-continues" {
				index = i
			}
			r := &sdk.Record{Text: fmt.Sprintf("sample %x", hash(set.GetTemplate(), strconv.FormatUint(c.Seed+index, 10))), PromptTokens: 1, CompletionTokens: 2}
			if all := set.GetPrompts(); len(all) > 0 {
				r.Prompt = all[(set.GetStartIndex()+i)%uint64(len(all))].GetText()
				if g.breaks == "generator-prompts" {
					r.Prompt = all[i/2%uint64(len(all))].GetText() // one prompt after the other
				}
			}
			c.Spend(1, 2)
			if err := emit(&sdk.RecordBatch{Records: []*sdk.Record{r}}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g generates) Complete(_ context.Context, c *sdk.Call, _ config, _ *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	for _, p := range prompts {
		if g.breaks == "generator-unicode" && strings.Contains(p.GetText(), "\x00") {
			return errors.New("that ends early")
		}
		text := strconv.FormatUint(hash(p.GetText()), 10)
		if s.GetJsonSchema() != nil {
			text := `{"answer": 5}`
			if g.breaks == "generator-json" {
				text = `{"answer": "5"}`
			}
			if err := emit(&sdk.Completion{Text: text, FinishReason: "stop", CompletionTokens: 5, PromptTokens: 1}); err != nil {
				return err
			}
			continue
		}
		if g.breaks == "generator-alone" {
			text += strconv.Itoa(len(prompts))
		}
		n := uint64(len(text))
		if most := uint64(s.GetMaxTokens()); most > 0 || g.breaks == "generator-no-tokens" {
			n = min(n, most)
		}
		out := &sdk.Completion{Text: text[:n], FinishReason: "length", CompletionTokens: n, PromptTokens: 1}
		for _, end := range s.GetStop() {
			if g.breaks != "generator-stop" {
				out.Text, _, _ = strings.Cut(out.Text, end)
			}
		}
		switch g.breaks {
		case "generator-max-tokens":
			out.CompletionTokens = uint64(s.GetMaxTokens()) + 1
		case "generator-finish":
			out.FinishReason = "eos"
		}
		c.Spend(1, n)
		if err := emit(out); err != nil {
			return err
		}
	}
	return nil
}

// Stream shows half of each completion before it gives it.
func (g generates) Stream(ctx context.Context, c *sdk.Call, cfg config, m *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, piece func(*sdk.Piece) error, emit func(*sdk.Completion) error) error {
	n := -1
	return g.Complete(ctx, c, cfg, m, s, prompts, func(out *sdk.Completion) error {
		n++
		if g.breaks == "generator-stream" {
			out.Text += "…"
		}
		return errors.Join(piece(&sdk.Piece{PromptId: prompts[n].GetId(), Text: out.Text[:len(out.Text)/2]}), emit(out))
	})
}

func (g generates) Score(_ context.Context, _ *sdk.Call, _ config, _ *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	for _, it := range items {
		e := &sdk.LikelihoodEvent{}
		for _, text := range it.GetContinuations() {
			l := &sdk.Likelihood{SumLogprob: -float64(len(text)), Tokens: uint64(len(text)), Bytes: uint64(len(text))}
			if g.breaks == "generator-score" {
				l.SumLogprob = 0.5
			}
			e.Likelihoods = append(e.Likelihoods, l)
		}
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}
