package runtime

import (
	"context"
	"fmt"
	"strings"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// Where nothing can be scored by likelihood, domain knowledge is asked for: the options of a question are lettered, and the
// model names one. That is another thing than a likelihood, so all contestants of an evaluation are asked in the same way, and a
// model that does not know what a choice is, as a small one that has seen nothing but its domain, cannot be judged by it: then
// the component is unavailable for all.

// triedChoices is how many questions each contestant is tried on, and half of them is how many it must answer with a letter.
const triedChoices = 16

// chooses says whether all contestants answer a choice with a letter, whichever it is. Trials are not kept: they are greedy, so
// that a run that goes on later comes to the same.
func (j *job) chooses(ctx context.Context, runner *host.Stage, sides []contestant, qs []question) (bool, error) {
	var tried []question
	for _, q := range qs {
		if len(q.Distractors) > 0 && len(tried) < triedChoices {
			tried = append(tried, q)
		}
	}
	if len(tried) == 0 {
		return false, nil
	}
	for _, c := range sides {
		named := 0
		err := j.choose(ctx, runner, c, tried, func(i int, text string) {
			if sdk.Chosen(text, 1+len(tried[i].Distractors)) != 0 {
				named++
			}
		})
		if err != nil {
			return false, fmt.Errorf("%s: %w", c.side, err)
		}
		if 2*named < len(tried) {
			j.warn(fmt.Sprintf("domain knowledge counts as unavailable, for all contestants: asked to choose, the %s named a letter in %d of %d questions", c.side, named, len(tried)))
			return false, nil
		}
	}
	return true, nil
}

// choose asks a model for the letter of each question's right answer. Questions without options are passed over.
func (j *job) choose(ctx context.Context, runner *host.Stage, c contestant, qs []question, each func(i int, text string)) error {
	var prompts []*pluginv1.Prompt
	index := map[string]int{}
	for i, q := range qs {
		if len(q.Distractors) > 0 {
			p := q.prompt()
			p.Text = choicePrompt(q)
			prompts, index[q.ID] = append(prompts, p), i
		}
	}
	if len(prompts) == 0 {
		return nil
	}
	return complete(ctx, j, runner, j.a.Judges.Runner, c.model, prompts, func(done *pluginv1.Completion) error {
		each(index[done.PromptId], done.Text)
		return nil
	})
}

// choicePrompt is a question with its options.
func choicePrompt(q question) string {
	var b strings.Builder
	b.WriteString(q.Prompt + "\n")
	options, _ := sdk.Letters(q.proto())
	for i, o := range options {
		fmt.Fprintf(&b, "\n%c. %s", 'A'+i, o)
	}
	fmt.Fprintf(&b, "\n\nWhich of A to %c is right? Answer with the letter alone.", 'A'+len(options)-1)
	return b.String()
}
