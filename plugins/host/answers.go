package host

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
)

// What a plugin answers is about what it was asked, in the order in which it was asked, once. t.mu is held in all of these.

// tooMany is what is wrong with an answer that nothing was asked for.
const tooMany = "it answers more than it was asked"

// answers takes the answers of a message.
func (t *tracker) answers(m any) (wrong string) {
	switch m := m.(type) {
	case *pluginv1.FilterEvent:
		for _, v := range m.GetVerdicts().GetVerdicts() {
			if wrong = t.answer(v.GetId()); wrong == "" {
				wrong = contract.Verdict(v)
			}
			if wrong != "" {
				return wrong
			}
		}
	case *pluginv1.VerifyEvent:
		for _, j := range m.Judgements {
			if wrong = t.answer(j.GetId()); wrong == "" {
				wrong = contract.Judgement(j)
			}
			if wrong != "" {
				return wrong
			}
		}
	case *pluginv1.CompleteEvent:
		if p := m.GetPiece(); p != nil {
			return t.piece(p)
		}
		if c := m.GetCompletion(); c != nil {
			if wrong = t.answer(c.PromptId); wrong == "" {
				wrong = contract.Completion(c)
			}
			if !strings.HasPrefix(c.Text, string(t.pieces[c.PromptId])) && wrong == "" {
				wrong = fmt.Sprintf("the completion of %.80q does not begin with its pieces", c.PromptId)
			}
			delete(t.pieces, c.PromptId)
		}
	case *pluginv1.LikelihoodEvent:
		return t.likelihoods(m)
	case *pluginv1.ScoreResponse:
		for _, s := range m.Scores {
			if wrong = t.answer(s.GetPromptId()); wrong == "" {
				wrong = contract.Score(s)
			}
			if wrong != "" {
				return wrong
			}
		}
		if len(t.asked) > 0 && (t.stopping == nil || !t.stopping.Load()) {
			return fmt.Sprintf("it scores %d of %d answers", t.answered, t.answered+uint64(len(t.asked)))
		}
	}
	return wrong
}

// piece takes a part of a completion that is due.
func (t *tracker) piece(p *pluginv1.Piece) string {
	if !t.streams {
		return "a piece of a completion, and they were asked for whole"
	}
	if !slices.ContainsFunc(t.asked, func(a asked) bool { return a.id == p.PromptId }) {
		return fmt.Sprintf("a piece of a completion of %.80q, which is not due", p.PromptId)
	}
	if t.pieces == nil {
		t.pieces = map[string][]byte{}
	}
	if len(t.pieces[p.PromptId])+len(p.Text) > maxReceive {
		return fmt.Sprintf("the pieces of the completion of %.80q are longer than a completion may be", p.PromptId)
	}
	t.pieces[p.PromptId] = append(t.pieces[p.PromptId], p.Text...)
	return contract.Piece(p)
}

// answer takes the answer to the item that is due.
func (t *tracker) answer(id string) string {
	if len(t.asked) == 0 {
		return tooMany
	}
	if due := t.asked[0].id; id != due {
		return fmt.Sprintf("it answers %.80q where %.80q is due", id, due)
	}
	t.asked = t.asked[1:]
	t.answered++
	return ""
}

func (t *tracker) likelihoods(m *pluginv1.LikelihoodEvent) string {
	if len(t.asked) > 0 && t.asked[0].id == m.PromptId && t.asked[0].parts != len(m.Likelihoods) {
		return fmt.Sprintf("it gives %d likelihoods of the %d continuations of %.80q", len(m.Likelihoods), t.asked[0].parts, m.PromptId)
	}
	if !contract.Word(m.Scorer) {
		return fmt.Sprintf("likelihoods by %.40q, which is no short word", m.Scorer)
	}
	for _, l := range m.Likelihoods {
		if wrong := contract.Likelihood(l); wrong != "" {
			return wrong
		}
	}
	return t.answer(m.PromptId)
}

// questions takes questions, each of which has an ID of its own in its split.
func (t *tracker) questions(qs []*pluginv1.Question) string {
	for _, q := range qs {
		if wrong := contract.Question(q); wrong != "" {
			return wrong
		}
		if !t.first(q.Split + "/" + q.Prompt.Id) {
			return fmt.Sprintf("two questions of split %q have the id %.80q", q.Split, q.Prompt.Id)
		}
		t.answered++
	}
	if len(qs) > 0 {
		t.note = fmt.Sprintf("after question %d", t.answered)
	}
	return ""
}

func (t *tracker) checkpoint(c *pluginv1.Checkpoint) string {
	if c == nil {
		return ""
	}
	switch {
	case c.Step <= t.from:
		return fmt.Sprintf("a checkpoint of step %d after step %d", c.Step, t.from)
	case c.Step > t.to:
		return fmt.Sprintf("a checkpoint of step %d, and the window ends at %d", c.Step, t.to)
	}
	if wrong := contract.Cursor(c.Cursor); wrong != "" {
		return wrong
	}
	t.from, t.note = c.Step, "after the checkpoint of step "+strconv.FormatUint(c.Step, 10)
	return contract.Output(c.Output)
}

// exportedName is that of an exporter's one output.
const exportedName = "model"

// output takes an output, which has a name of its own: want, where that is not "".
func (t *tracker) output(o *pluginv1.Output, want string) string {
	switch {
	case o == nil:
		return ""
	case want != "" && o.Name != want:
		return fmt.Sprintf("it gives an output called %.40q, and one called %q is due", o.Name, want)
	case !t.first(o.Name):
		return fmt.Sprintf("it gives the output %.40q twice", o.Name)
	}
	return contract.Output(o)
}

// first says whether a name was not there before.
func (t *tracker) first(name string) bool {
	if t.named[name] {
		return false
	}
	if t.named == nil {
		t.named = map[string]bool{}
	}
	t.named[name] = true
	return true
}
