package questions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Ask is what the teacher is to be asked: to go on with a prompt, or, with Options, how likely it finds each of them as the
// continuation.
type Ask struct {
	Key       string
	Prompt    string
	Options   []string
	MaxTokens uint32
}

// Reply is what the teacher said.
type Reply struct {
	Text   string    `json:"text,omitempty"`
	Cut    bool      `json:"cut,omitempty"`    // it ended at the longest answer allowed
	Scores []float64 `json:"scores,omitempty"` // natural logarithms of the options' probabilities
}

// ask makes one, whose key hangs on all that the reply does, but for the teacher.
func ask(prompt string, maxTokens uint32, options ...string) Ask {
	sum := sha256.Sum256([]byte(fmt.Sprint(maxTokens) + "\x00" + prompt + "\x00" + strings.Join(options, "\x00")))
	return Ask{hex.EncodeToString(sum[:16]), prompt, options, maxTokens}
}

// Longest replies, in tokens.
const (
	maxWritten = 200 // to a passage
	maxChecked = 48  // to a question
)

// pairsWanted is how many questions the teacher is asked for a passage.
const pairsWanted = 2

// write asks for questions about a passage, in a form that small models keep to.
func write(p Passage) Ask {
	title := ""
	if p.Heading != "" {
		title = "Title: " + p.Heading + "\n"
	}
	return ask(fmt.Sprintf(`%sText: %s

Write %d short exam questions about facts in this text, in the language of the text. Each question must make sense to somebody who has never seen the text, so name what it is about. Each answer is at most five words, copied from the text. Write nothing else than lines of this form:
Question: ...
Answer: ...`, title, p.Text, pairsWanted), maxWritten)
}

// check asks for the answer to a candidate, with the passage in view: in words, or, of a cloze where the teacher can tell
// likelihoods, which of the options.
func check(c Candidate, scores bool) Ask {
	text := c.Passage
	if c.Heading != "" {
		text = c.Heading + "\n" + text
	}
	if c.Kind == Cloze {
		prompt := "Text: " + text + "\n\nFill in the blank with what the text has there.\n" + c.Question
		if scores {
			return ask(prompt, 0, append([]string{c.Answer}, c.Distractors...)...)
		}
		return ask(prompt, maxChecked)
	}
	return ask("Text: "+text+"\n\nAnswer the question from the text, in at most five words copied from it.\nQuestion: "+c.Question+"\nAnswer:", maxChecked)
}

// Pair is a question with its answer, as the teacher wrote it.
type Pair struct{ Question, Answer string }

// Bounds of what is read of a reply.
const (
	maxPairs = 8
	maxReply = 16 << 10 // bytes
	maxField = 1000     // bytes
)

var (
	labelled = regexp.MustCompile(`(?i)^[\s>*_#\-]*(?:\d{1,2}[.):]\s*)?[*_]*(question|pregunta|pergunta|frage|domanda|вопрос|q|answer|respuesta|resposta|réponse|antwort|risposta|ответ|a)\s*(?:\d{1,2})?\s*[*_]*\s*[:：][*_\s]*(.*)$`)
	asking   = regexp.MustCompile(`(?i)^(question|pregunta|pergunta|frage|domanda|вопрос|q)$`)
	refusing = regexp.MustCompile(`(?i)^\W*(i(’|')?m (sorry|unable|not able)|sorry|i (can(’|')?t|cannot|am (sorry|unable|not able)|won(’|')?t|will not)|as an ai|unfortunately,? i|lo siento|no puedo|je (suis désolé|ne peux)|es tut mir leid|ich kann (nicht|keine|leider))`)
)

// Refused says whether a reply says that it will not answer, or that it is a model.
func Refused(text string) bool { return refusing.MatchString(text) }

// Parse reads questions and answers out of a reply, with labels in one of some languages, numbered or not, in bold or not.
// The second result is why there are none: refusal, empty, or unreadable. A question without an answer is passed over.
func Parse(reply string) ([]Pair, string) {
	reply = strings.ToValidUTF8(reply[:min(len(reply), maxReply)], "\uFFFD")
	if strings.TrimSpace(reply) == "" {
		return nil, Empty
	}
	var pairs []Pair
	question := ""
	for line := range strings.Lines(reply) {
		m := labelled.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		text := tidy(m[2])
		switch {
		case len(text) > maxField:
			question = ""
		case asking.MatchString(m[1]):
			question = text
		case question != "" && text != "":
			if pairs = append(pairs, Pair{question, text}); len(pairs) == maxPairs {
				return pairs, ""
			}
			question = ""
		}
	}
	switch {
	case len(pairs) > 0:
		return pairs, ""
	case Refused(reply):
		return nil, Refusal
	}
	return nil, Unreadable
}

// tidy takes off marks around a question or an answer, and the full stop of an answer.
func tidy(s string) string {
	s = strings.Trim(strings.Join(strings.Fields(s), " "), `*_"“”„«»`)
	return strings.TrimSpace(strings.Trim(s, "`"))
}

// agrees says whether a reply to a question is the answer: one holds the other.
func agrees(reply, answer string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(reply), "\n")
	if m := labelled.FindStringSubmatch(first); m != nil {
		first = m[2]
	}
	return Holds(first, answer) || runes(Normal(first)) >= 3 && Holds(answer, first)
}
