package questions

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Reasons why something does not come into the benchmark. The first four are of a reply, Gone is of a judgement, and the others
// are of candidates.
const (
	Refusal    = "refusal"    // the teacher will not
	Empty      = "empty"      // it says nothing
	Unreadable = "unreadable" // it does not keep to the form
	CutOff     = "cut_off"    // it ended in the middle of the last answer

	NotInEvidence   = "answer_not_in_evidence"
	GivesAway       = "question_has_answer"
	QuestionLength  = "question_length"
	AnswerLength    = "answer_length"
	NoQuestion      = "not_a_question"
	RefersToPassage = "refers_to_passage"
	OtherScript     = "other_script"
	SaysNothing     = "stop_word"

	SecondPass     = "second_pass" // the teacher answers otherwise
	Repeated       = "repeated"    // the teacher asks the same of several passages
	SameSentence   = "same_sentence"
	Duplicate      = "duplicate"
	NearDuplicate  = "near_duplicate"
	FewDistractors = "few_distractors"

	Gone = "gone" // documents and settings do not lead to it any more
)

// rule is one requirement of a candidate.
type rule struct {
	reason string
	breaks func(Candidate) bool
}

// rules in the order in which they are applied: the first that is broken is the reason.
func rules() []rule {
	return []rule{
		{Refusal, ruleRefusal},
		{QuestionLength, ruleQuestionLength},
		{AnswerLength, ruleAnswerLength},
		{NoQuestion, ruleQuestion},
		{RefersToPassage, ruleStandsAlone},
		{OtherScript, ruleScript},
		{NotInEvidence, ruleEvidence},
		{GivesAway, ruleGivesAway},
		{SaysNothing, ruleSaysSomething},
	}
}

// Broken is the reason why a candidate does not stand; "": it does.
func Broken(c Candidate) string {
	for _, r := range rules() {
		if r.breaks(c) {
			return r.reason
		}
	}
	return ""
}

func ruleRefusal(c Candidate) bool { return Refused(c.Question) || Refused(c.Answer) }

// ruleQuestionLength: in unspaced scripts a character says as much as a few letters.
func ruleQuestionLength(c Candidate) bool {
	least := 12
	if strings.ContainsFunc(c.Question, unspaced) {
		least = 6
	}
	n := runes(c.Question)
	return n < least || c.Kind == Question && n > 300 || n > maxSentence+maxHeading+20
}

// ruleAnswerLength: long answers are sentences, which exact match cannot judge.
func ruleAnswerLength(c Candidate) bool {
	n := runes(c.Answer)
	return Normal(c.Answer) == "" || n > 80 || len(strings.Fields(c.Answer)) > 8
}

// ruleQuestion: a question ends as one, and is one.
func ruleQuestion(c Candidate) bool {
	if c.Kind == Cloze {
		return strings.Count(c.Question, Blank) != 2
	}
	last, _ := utf8.DecodeLastRuneInString(c.Question)
	mark := strings.ContainsRune("?？؟", last) || last == ';' && Script(c.Question) == "Greek"
	return !mark || strings.Count(c.Question, "?") > 1
}

var passageWords = regexp.MustCompile(`(?i)\b(the|this|that|el|la|este|esta|diese[rmns]?|der|die|das|le|ce|cet|cette|il|o|este|esse)\s+(above|following|given|provided|text|texto|texte|testo|passage|pasaje|passagem|paragraph|párrafo|excerpt|article|document|documento|author|autor|autora|auteur|sentence|section|snippet|abschnitt|absatz|artikel)\b|\b(mentioned|described|listed|stated|shown)\s+(above|here|below)\b|\baccording to (it|them)\b`)

// ruleStandsAlone: who is asked has not the passage before him. A cloze quotes what the passage says.
func ruleStandsAlone(c Candidate) bool {
	return c.Kind == Question && passageWords.MatchString(c.Question)
}

// ruleScript: the question is in the passage's script. A question that quotes more than it says, as of identifiers, has the
// script of what it quotes.
func ruleScript(c Candidate) bool {
	return Script(c.Question) != Script(c.Passage)
}

// ruleEvidence: the answer stands in the passage.
func ruleEvidence(c Candidate) bool { return !Holds(c.Passage, c.Answer) }

func ruleGivesAway(c Candidate) bool { return Holds(c.Question, c.Answer) }

// boilerplate are answers that say that there is none.
var boilerplate = []string{"not mentioned", "not specified", "not stated", "not given", "n/a", "the text", "the passage", "no se menciona", "unknown"}

// ruleSaysSomething: an answer is more than words that every text has.
func ruleSaysSomething(c Candidate) bool {
	a := Normal(c.Answer)
	if slices.Contains(boilerplate, a) {
		return true
	}
	for w := range strings.FieldsSeq(a) {
		if !stops[strings.Trim(w, ".,;:!?")] {
			return false
		}
	}
	return true
}
