package quantities

import "strings"

// Judgement is what Judge finds in a solution. StepsOK implies all other findings. AnswerOK implies no more than
// WellFormed: a right answer may stand after a wrong derivation, or after steps that it does not follow from.
type Judgement struct {
	WellFormed bool // the question is one of the domain, the solution has the shape: equations, then a quantity
	Consistent bool // the answer's numbers come from the written steps or the question, its units from the question
	StepsOK    bool // every step and the answer are the oracle's
	AnswerOK   bool // the final quantity is the oracle's

	Reason string // the first finding that fails: see the constants; empty when accepted
	Key    string // canonical key; empty when the question is none
	Family string // empty when the question is none

	// Where the sample stated its own question: its two halves, the colon with the question.
	Question, Answer string
}

// Accepted reports whether the solution is right in every part.
func (j Judgement) Accepted() bool { return j.StepsOK && j.AnswerOK }

// Reasons for which a solution is not accepted.
const (
	NoQuestion   = "no_question"  // the text has no colon, or what stands before it is no question of the domain
	TooLong      = "too_long"     // longer than MaxLength
	Shape        = "shape"        // not equations and a quantity
	Inconsistent = "inconsistent" // the answer does not follow from what is written
	WrongAnswer  = "wrong_answer"
	WrongSteps   = "wrong_steps" // the right answer after a wrong derivation
)

// Judge compares text with the oracle. With a prompt, which ends in a colon, text is its solution; with an empty
// prompt, text is a whole example, question and solution.
func Judge(prompt, text string) Judgement {
	if len(prompt)+len(text) > MaxLength {
		return Judgement{Reason: TooLong}
	}
	var j Judgement
	if prompt == "" {
		colon := strings.IndexByte(text, ':') + 1
		prompt, text = text[:colon], text[colon:]
		j.Question, j.Answer = prompt, text
		if colon == 0 {
			j.Answer = ""
		}
	}
	p, ok := Parse(prompt)
	if !ok {
		j.Reason = NoQuestion
		return j
	}
	j.Key, j.Family = p.Key(), p.Family.String()
	j.Reason = j.compare(p, text)
	return j
}

// compare fills in the findings and gives the reason.
func (j *Judgement) compare(p Problem, text string) string {
	w, ok := parseWork(text)
	if !ok {
		return Shape
	}
	truth := p.Solution()
	j.WellFormed = true
	j.Consistent = w.follows(p)
	j.StepsOK = text == truth
	j.AnswerOK = Answer(text) == Answer(truth)
	switch {
	case !j.Consistent:
		return Inconsistent
	case !j.AnswerOK:
		return WrongAnswer
	case !j.StepsOK:
		return WrongSteps
	}
	return ""
}
