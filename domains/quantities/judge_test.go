package quantities

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSolve(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ prompt, want string }{
		{"7ft5in en in:", "7*12=84;84+5=89;89in"},
		{"89in en ft:", "7*12=84;89-84=5;7ft5in"},
		{"7ft5in+3ft9in:", "5+9=14;14-12=2;7+3+1=11;11ft2in"},
		{"3lb9oz+9lb3oz:", "9+3=12;3+9=12;12lb12oz"},
		{"1yd1ft+8yd2ft:", "1+2=3;3-3=0;1+8+1=10;10yd0ft"},
		{"25mar+14d:", "25+14=39;39-31=8;8abr"},
		{"25mar+6d:", "25+6=31;31mar"},
		{"31dic+1d:", "31+1=32;32-31=1;1ene"},
		{"28feb+27d:", "28+27=55;55-28=27;27mar"},
		{"12d23h en h:", "12*24=288;288+23=311;311h"},
	} {
		got, ok := Solve(tc.prompt)
		if !ok || got != tc.want {
			t.Errorf("Solve(%q) = %q, %v; want %q", tc.prompt, got, ok, tc.want)
		}
	}
}

func TestSolveRefuses(t *testing.T) {
	t.Parallel()
	for _, prompt := range []string{
		"", ":", "7ft5in en in", "7ft5in en in::", " 7ft5in en in:", "7ft5in en in: ",
		"07ft5in en in:",  // leading zero
		"7ft12in en in:",  // not less than the ratio
		"13ft5in en in:",  // out of bounds
		"0ft5in en in:",   // zero
		"7ft0in en in:",   // zero
		"7ft5in en ft:",   // wrong target
		"7ft5cm en cm:",   // no such pair
		"84in en ft:",     // comes out even
		"11in en ft:",     // less than one
		"160in en ft:",    // more than twelve
		"7ft5in+3lb9oz:",  // mixed pairs
		"7ft5in+3ft:",     // one unit
		"29feb+1d:",       // a common year
		"32ene+1d:",       //
		"1ene+28d:",       // more than maxDays
		"1ene+0d:",        //
		"1ene+5h:",        // not days
		"1ENE+5d:",        // case
		"９ft5in en in:",   // digits of another script
		"7ft5in  en in:",  // two spaces
		"7ft5in en in\n:", //
		"99999999999999999999in en ft:",
		strings.Repeat("9", 200) + "in en ft:",
	} {
		if got, ok := Solve(prompt); ok {
			t.Errorf("Solve(%q) = %q, want a refusal", prompt, got)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	ok := func(key, family string) Judgement {
		return Judgement{WellFormed: true, Consistent: true, StepsOK: true, AnswerOK: true, Key: key, Family: family}
	}
	with := func(j Judgement, f func(*Judgement)) Judgement { f(&j); return j }
	in89 := ok("7ft5in en in", "to_smaller")

	for name, tc := range map[string]struct {
		prompt, text string
		want         Judgement
	}{
		"right":        {"7ft5in en in:", "7*12=84;84+5=89;89in", in89},
		"whole sample": {"", "7ft5in en in:7*12=84;84+5=89;89in", with(in89, func(j *Judgement) { j.Question, j.Answer = "7ft5in en in:", "7*12=84;84+5=89;89in" })},
		"sums commute": {"7ft5in+3ft9in:", "5+9=14;14-12=2;7+3+1=11;11ft2in", ok("3ft9in+7ft5in", "sum")},
		"wrong answer from wrong steps": {"7ft5in en in:", "7*12=80;80+5=85;85in", with(in89, func(j *Judgement) {
			j.StepsOK, j.AnswerOK, j.Reason = false, false, WrongAnswer
		})},
		"right answer from wrong steps": {"7ft5in en in:", "7*12=85;84+5=89;89in", with(in89, func(j *Judgement) {
			j.StepsOK, j.Reason = false, WrongSteps
		})},
		"right answer that does not follow": {"7ft5in en in:", "7*12=84;89in", with(in89, func(j *Judgement) {
			j.Consistent, j.StepsOK, j.Reason = false, false, Inconsistent
		})},
		"number from nowhere": {"7ft5in en in:", "7*12=84;84+5=89;90in", with(in89, func(j *Judgement) {
			j.Consistent, j.StepsOK, j.AnswerOK, j.Reason = false, false, false, Inconsistent
		})},
		"foreign unit": {"7ft5in en in:", "7*12=84;84+5=89;89oz", with(in89, func(j *Judgement) {
			j.Consistent, j.StepsOK, j.AnswerOK, j.Reason = false, false, false, Inconsistent
		})},
		"a date's answer is a month": {"2may+3d:", "2+3=5;5d", with(ok("2may+3d", "date"), func(j *Judgement) {
			j.Consistent, j.StepsOK, j.AnswerOK, j.Reason = false, false, false, Inconsistent
		})},
		"no steps":         {"7ft5in en in:", "89in", Judgement{Reason: Shape, Key: "7ft5in en in", Family: "to_smaller"}},
		"no answer":        {"7ft5in en in:", "7*12=84;84+5=89;", Judgement{Reason: Shape, Key: "7ft5in en in", Family: "to_smaller"}},
		"text after":       {"7ft5in en in:", "7*12=84;84+5=89;89in ", Judgement{Reason: Shape, Key: "7ft5in en in", Family: "to_smaller"}},
		"overflow":         {"7ft5in en in:", "7*12=84444444444444444444;84+5=89;89in", Judgement{Reason: Shape, Key: "7ft5in en in", Family: "to_smaller"}},
		"empty":            {"7ft5in en in:", "", Judgement{Reason: Shape, Key: "7ft5in en in", Family: "to_smaller"}},
		"nothing at all":   {"", "", Judgement{Reason: NoQuestion}},
		"no colon":         {"", "7ft5in en in", Judgement{Reason: NoQuestion}},
		"no such question": {"", "7ft5in en cm:7*12=84;89in", Judgement{Reason: NoQuestion, Question: "7ft5in en cm:", Answer: "7*12=84;89in"}},
		"prompt open":      {"7ft5in en in", ":7*12=84;84+5=89;89in", Judgement{Reason: NoQuestion}},
		"too long":         {"7ft5in en in:", strings.Repeat("1+1=2;", 50) + "89in", Judgement{Reason: TooLong}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Judge(tc.prompt, tc.text)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Judge(%q, %q) (-want +got):\n%s", tc.prompt, tc.text, diff)
			}
			if got.Question+got.Answer != "" && got.Question+got.Answer != tc.prompt+tc.text {
				t.Errorf("question %q and answer %q do not make up the sample %q", got.Question, got.Answer, tc.text)
			}
		})
	}
}

func TestDistractorsAreWrong(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 4000 {
		p := Draw(Family(i%int(families)), r)
		seen := map[string]bool{p.Solution(): true}
		for _, d := range Distractors(p, r) {
			j := Judge(p.Prompt(), d)
			if !j.WellFormed || j.AnswerOK || j.StepsOK {
				t.Fatalf("distractor %q of %q is judged %+v", d, p.Prompt(), j)
			}
			if seen[d] {
				t.Fatalf("distractor %q of %q occurs twice", d, p.Prompt())
			}
			seen[d] = true
		}
	}
}

// FuzzJudge: no input panics, and what is accepted is what the oracle writes.
func FuzzJudge(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		p := Draw(Family(i%int(families)), r)
		f.Add("", p.Prompt()+p.Solution())
		f.Add(p.Prompt(), Distractors(p, r)[0])
	}
	f.Add("7ft5in en in:", "7*12=84;84+5=89;89in")
	f.Add("", ":::;;=1*")
	f.Fuzz(func(t *testing.T, prompt, text string) {
		j := Judge(prompt, text)
		question, answer := prompt, text
		if prompt == "" {
			question, answer = j.Question, j.Answer
		}
		truth, ok := Solve(question)
		if j.Accepted() != (ok && answer == truth) {
			t.Errorf("Judge(%q, %q) = %+v; the oracle says %q, %v", prompt, text, j, truth, ok)
		}
		if j.Accepted() != (j.Reason == "") || j.StepsOK && !(j.WellFormed && j.Consistent && j.AnswerOK) {
			t.Errorf("Judge(%q, %q) contradicts itself: %+v", prompt, text, j)
		}
		if ok != (j.Key != "") && j.Reason != TooLong {
			t.Errorf("Judge(%q, %q): key %q of a question that is one: %v", prompt, text, j.Key, ok)
		}
	})
}
