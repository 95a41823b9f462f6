// Command starter is a plugin of Jupiter with a verifier: it judges sums such as "2+3:" with the answer "5".
package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Verifier("starter", sdk.Options{
		Description: "Judges sums.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was judged is judged again
		// Equal calls give equal bytes, and several run at once: true of what is below.
		Deterministic: true, Concurrent: true,
	}, open),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	MaxDigits int  `jupiter:"max_digits" default:"6" desc:"Digits of the longest number that is judged, up to 18."`
	Report    bool `jupiter:"report,effect=none" default:"true" desc:"Show how many are right while it runs."`
}

// Validate finds what the schema cannot.
func (c config) Validate() []*sdk.Diagnostic {
	if c.MaxDigits < 1 || c.MaxDigits > 18 {
		return []*sdk.Diagnostic{sdk.Error("Digits out of range", "max_digits is between 1 and 18.", "max_digits")}
	}
	return nil
}

// open gives the function that judges the items of one call: one judgement an item, in order. A call that is stopped has
// nothing to save, so it answers what it was asked.
func open(_ context.Context, call *sdk.Call, c config) (func([]*sdk.VerifyItem) ([]*sdk.Judgement, error), error) {
	seen, right := 0, 0
	return func(items []*sdk.VerifyItem) ([]*sdk.Judgement, error) {
		out := make([]*sdk.Judgement, len(items))
		for i, item := range items {
			out[i] = c.judge(item.GetPrompt(), item.GetText())
			if out[i].AnswerOk {
				right++
			}
		}
		seen += len(items)
		if c.Report && !call.IsStopped() {
			call.Progress(uint64(seen), 0, "items", map[string]float64{"right": float64(right)})
		}
		return out, nil
	}, nil
}

var sum = regexp.MustCompile(`^(\d+)\+(\d+):$`)

// judge looks at a question and an answer. What no person wrote may be anything: it is judged, and never an error.
func (c config) judge(prompt, text string) *sdk.Judgement {
	j := &sdk.Judgement{}
	if prompt == "" { // a sample that states its own question
		colon := strings.IndexByte(text, ':') + 1
		prompt, text = text[:colon], text[colon:]
		j.Question, j.Answer = prompt, text
	}
	m := sum.FindStringSubmatch(prompt)
	if m == nil || len(m[1]) > c.MaxDigits || len(m[2]) > c.MaxDigits {
		j.Reason = "no_question"
		return j
	}
	a, _ := strconv.ParseUint(m[1], 10, 64)
	b, _ := strconv.ParseUint(m[2], 10, 64)
	j.Family = "sum"
	j.Key = fmt.Sprintf("%d+%d", min(a, b), max(a, b)) // one question has one key, whichever way round it is asked
	got, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		j.Reason = "no_number"
		return j
	}
	j.WellFormed, j.Consistent = true, true
	j.AnswerOk = got == a+b
	j.StepsOk = j.AnswerOk // there are no steps to look at
	if !j.AnswerOk {
		j.Reason = "wrong_answer" // a short stable word: dropped samples are counted by it
	}
	return j
}

func main() { sdk.Serve(plugin) }
