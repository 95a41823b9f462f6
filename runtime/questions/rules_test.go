package questions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const canal = "The Canal de Castilla was begun in 1753 under Antonio de Ulloa. It has 49 locks, and its barges carried grain to Valladolid."

// good is a question that every rule lets pass.
func good() Candidate {
	return Candidate{Kind: Question, Passage: canal, Question: "Under whom was the Canal de Castilla begun?", Answer: "Antonio de Ulloa"}
}

func TestRules(t *testing.T) {
	t.Parallel()
	gap := "The Canal de Castilla was begun in ____ under Antonio de Ulloa.\n____ ="
	for _, c := range []struct {
		name, question, answer, want string
		kind                         string
	}{
		{name: "good"},
		{"number", "How many locks has the Canal de Castilla?", "49", "", Question},
		{"cloze", gap, "1753", "", Cloze},
		{"cloze without blank", "The Canal de Castilla was begun in 1753.", "1753", NoQuestion, Cloze},
		{"refusal", "I cannot write questions about this?", "Valladolid", Refusal, Question},
		{"refusal as an answer", "Where did the barges of the canal go?", "I'm sorry, but I can't say", Refusal, Question},
		{"short", "Where to?", "Valladolid", QuestionLength, Question},
		{"long", "Where " + strings.Repeat("very ", 70) + "far?", "Valladolid", QuestionLength, Question},
		{"a sentence as an answer", "What is said of the barges of the canal?", "its barges carried grain to Valladolid from very far away", AnswerLength, Question},
		{"no answer", "Where did the barges of the canal go?", " . ", AnswerLength, Question},
		{"no question", "Describe where the barges of the canal go.", "Valladolid", NoQuestion, Question},
		{"two questions", "Where did barges go? And when did they go?", "Valladolid", NoQuestion, Question},
		{"the text", "What does the text say of the barges' goal?", "Valladolid", RefersToPassage, Question},
		{"above", "Which town mentioned above got the grain?", "Valladolid", RefersToPassage, Question},
		{"according to the passage", "According to the passage, where did the grain go?", "Valladolid", RefersToPassage, Question},
		{"another script", "Куда баржи возили зерно по каналу?", "Valladolid", OtherScript, Question},
		{"not in the passage", "Which sea does the Canal de Castilla reach?", "Atlantic", NotInEvidence, Question},
		{"part of a word", "What did the barges of the canal carry?", "rain", NotInEvidence, Question},
		{"gives itself away", "Did the barges go to Valladolid with grain?", "Valladolid", GivesAway, Question},
		{"says nothing", "How was the Canal de Castilla begun?", "under the", NotInEvidence, Question},
		{"stop words", "What joins the locks and the barges?", "and its", SaysNothing, Question},
	} {
		x := good()
		if c.kind != "" {
			x.Kind, x.Question, x.Answer = c.kind, c.question, c.answer
		}
		if got := Broken(x); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, phrase string
		want         bool
	}{
		{"The net/http package", "net/http", true},
		{"The network", "net", false},
		{"since Go 1.21.", "Go 1.21", true},
		{"since Go 1.21.", "Go 1.2", false},
		{"since Go 1.2.1", "Go 1.2", false},
		{"a  LONG\nway", "long way", true},
		{"東京は日本の首都です。", "首都", true},
		{"snake_case", "case", false},
		{"anything", " ", false},
		{"", "x", false},
	} {
		if got := Holds(c.text, c.phrase); got != c.want {
			t.Errorf("Holds(%q, %q) = %t", c.text, c.phrase, got)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	two := []Pair{{"Who?", "Ulloa"}, {"When?", "1753"}}
	for _, c := range []struct {
		name, reply string
		want        []Pair
		reason      string
	}{
		{"as asked", "Question: Who?\nAnswer: Ulloa\nQuestion: When?\nAnswer: 1753\n", two, ""},
		{"numbered, in bold", "Here you are:\n\n**Question 1:** Who?\n**Answer:** Ulloa\n\n2. Question: When?\r\n   Answer: \"1753\"", two, ""},
		{"short labels", "Q: Who?\nA: Ulloa\nQ2: When?\nA2: 1753", two, ""},
		{"in Spanish", "Pregunta: Who?\nRespuesta: Ulloa\nPregunta: When?\nRespuesta: 1753", two, ""},
		{"a question without an answer", "Question: Why?\nQuestion: Who?\nAnswer: Ulloa\nAnswer: again\nQuestion: When?\nAnswer: 1753", two, ""},
		{"prose", "The canal is nice.", nil, Unreadable},
		{"refusal", "I'm sorry, but I cannot help with that.", nil, Refusal},
		{"in German", "Ich kann leider nicht helfen.", nil, Refusal},
		{"nothing", " \n", nil, Empty},
		{"endless line", "Question: " + strings.Repeat("a", 1<<20), nil, Unreadable},
		{"too many", strings.Repeat("Question: Who?\nAnswer: Ulloa\n", 50), repeat(Pair{"Who?", "Ulloa"}, maxPairs), ""},
	} {
		got, reason := Parse(c.reply)
		if d := cmp.Diff(c.want, got); d != "" || reason != c.reason {
			t.Errorf("%s: %q\n%s", c.name, reason, d)
		}
	}
}

func repeat[T any](x T, n int) (all []T) {
	for range n {
		all = append(all, x)
	}
	return all
}

// FuzzParse: whatever a teacher says, what is read of it is bounded and in form.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"Question: Who?\nAnswer: Ulloa", "**Q1:** a\n> A: b", "Sorry, no.", "", "Вопрос： х\nОтвет: у\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		pairs, reason := Parse(reply)
		if (len(pairs) == 0) == (reason == "") || len(pairs) > maxPairs {
			t.Fatalf("%d pairs, %q", len(pairs), reason)
		}
		for _, p := range pairs {
			if p.Question == "" || p.Answer == "" || len(p.Question) > maxField || len(p.Answer) > maxField || strings.ContainsAny(p.Question+p.Answer, "\n\r") {
				t.Fatalf("%q", p)
			}
			Broken(candidate(Question, Passage{Text: canal}, canal, p.Question, p.Answer))
			agrees(reply, p.Answer)
		}
	})
}
