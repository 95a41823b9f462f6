package runtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"jupiter/runtime/questions"
)

// Reviewable says whether a candidate is one for a person to judge, or was judged: what the rules dropped is not.
func (c Candidate) Reviewable() bool { return c.Reason == "" || c.Judged() }

// Edit gives a candidate another question, answer and wrong answers. The error says what makes it no item.
func (c *Candidate) Edit(question, answer string, distractors []string) error {
	question, answer = strings.TrimSpace(question), strings.TrimSpace(answer)
	switch {
	case questions.Normal(question) == "":
		return errors.New("the question is empty")
	case questions.Normal(answer) == "":
		return errors.New("the answer is empty")
	case len(distractors) < 3:
		return fmt.Errorf("there are %d wrong answers, and a choice needs three or more", len(distractors))
	case len(distractors) > 25:
		return fmt.Errorf("there are %d wrong answers, and options are lettered, so there can be 25", len(distractors))
	}
	for i, d := range distractors {
		same := func(o string) bool { return questions.Normal(o) == questions.Normal(d) }
		switch {
		case questions.Normal(d) == "":
			return fmt.Errorf("wrong answer %d is empty", i+1)
		case same(answer):
			return fmt.Errorf("wrong answer %d is the answer", i+1)
		case slices.ContainsFunc(distractors[:i], same):
			return fmt.Errorf("wrong answer %d is there twice", i+1)
		}
	}
	if c.Original == nil {
		c.Original = &Original{c.Question, c.Answer, c.Distractors}
	}
	c.Question, c.Answer, c.Distractors, c.Status = question, answer, distractors, StatusEdited
	return nil
}

// Judge sets what a person says of a candidate, without editing it. One that was edited before is as it was written again when
// it is new again.
func (c *Candidate) Judge(status string) {
	if status == StatusNew && c.Original != nil {
		c.Question, c.Answer, c.Distractors, c.Original = c.Original.Question, c.Original.Answer, c.Original.Distractors, nil
	}
	if status == StatusAccepted && c.Original != nil {
		status = StatusEdited
	}
	c.Status = status
}
