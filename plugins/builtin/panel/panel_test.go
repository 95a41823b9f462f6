package panel

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// write writes a benchmark file of one line an argument, and gives it as an artifact.
func write(t *testing.T, lines ...string) *sdk.Artifact {
	t.Helper()
	p := filepath.Join(t.TempDir(), "bench.jsonl")
	if err := os.WriteFile(p, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return &sdk.Artifact{Path: p}
}

func numbered(n int, prefix string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"prompt":"%s %d","reference":"%d"}`, prefix, i, i))
	}
	return out
}

func prepare(t *testing.T, req *sdk.PrepareRequest) ([]*sdk.Question, error) {
	t.Helper()
	var out []*sdk.Question
	err := Prepare(t.Context(), &sdk.Call{}, req, func(q []*sdk.Question) error {
		out = append(out, q...)
		return nil
	})
	return out, err
}

func TestPrepareReadsAll(t *testing.T) {
	t.Parallel()
	got, err := prepare(t, &sdk.PrepareRequest{Splits: map[string]*sdk.Artifact{
		"gate": write(t, `{"prompt":"P?","system":"S","reference":"R","distractors":["X","Y","Z"],"key":"k","cluster":"c","evidence":["e"],"benchmark":"b","meta":{"m":"n"}}`),
		"dev":  write(t, "", `{"prompt":"  Other   P? ","text":"T"}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	type question struct {
		Split, System, Text, Reference, Key, Cluster, Benchmark string
		Distractors, Evidence                                   []string
		Meta                                                    map[string]string
	}
	var qs []question
	for _, q := range got {
		qs = append(qs, question{q.Split, q.Prompt.System, q.Prompt.Text, q.Reference, q.Key, q.Cluster, q.Benchmark, q.Distractors, q.Evidence, q.Prompt.Meta})
	}
	want := []question{
		{Split: "dev", Text: "  Other   P? ", Reference: "T", Key: "other p?"},
		{Split: "gate", System: "S", Text: "P?", Reference: "R", Key: "k", Cluster: "c", Benchmark: "b", Distractors: []string{"X", "Y", "Z"}, Evidence: []string{"e"}, Meta: map[string]string{"m": "n"}},
	}
	if diff := cmp.Diff(want, qs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrepareOrderAndCap(t *testing.T) {
	t.Parallel()
	lines := numbered(300, "gate")
	run := func(lines []string, samples uint64) []string {
		got, err := prepare(t, &sdk.PrepareRequest{Samples: samples, Splits: map[string]*sdk.Artifact{
			"gate": write(t, lines...), "validation": write(t, numbered(50, "val")...),
		}})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, q := range got {
			ids = append(ids, q.Split+" "+q.Prompt.Id)
		}
		return ids
	}
	all := run(lines, 0)
	if len(all) != 350 || !slices.IsSortedFunc(all[:300], strings.Compare) {
		t.Errorf("%d questions; the gate split is in the order of the hashes: %v", len(all), slices.IsSorted(all[:300]))
	}
	reversed := slices.Clone(lines)
	slices.Reverse(reversed)
	if diff := cmp.Diff(all, run(reversed, 0)); diff != "" {
		t.Errorf("the order of the lines matters (-want +got):\n%s", diff)
	}
	capped := run(lines, 100)
	if diff := cmp.Diff(slices.Concat(all[:100], all[300:]), capped); diff != "" {
		t.Errorf("a cap of 100 is not the 100 lowest hashes, and the other splits whole (-want +got):\n%s", diff)
	}
}

// TestCustomIsDivided: 20 to 80, and an item stays in its split when others come.
func TestCustomIsDivided(t *testing.T) {
	t.Parallel()
	splits := func(n int, samples uint64) map[string]string {
		got, err := prepare(t, &sdk.PrepareRequest{Custom: write(t, numbered(n, "q")...), Samples: samples})
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]string{}
		for _, q := range got {
			of[q.Key] = q.Split
		}
		return of
	}
	few, many := splits(500, 0), splits(2000, 0)
	dev := 0
	for k, s := range many {
		if s == "dev" {
			dev++
		}
		if f, ok := few[k]; ok && f != s {
			t.Errorf("%q is in %s among 500 and in %s among 2000", k, f, s)
		}
	}
	if dev < 340 || dev > 460 || len(many) != 2000 {
		t.Errorf("%d of %d items are in dev, want about 400 of 2000", dev, len(many))
	}
	if n := len(splits(2000, 100)); n != dev+100 {
		t.Errorf("with at most 100 samples there are %d questions, want %d in dev and 100 in gate", n, dev)
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	ok := `{"prompt":"p","reference":"r"}`
	for name, tc := range map[string]struct {
		req  *sdk.PrepareRequest
		want []string
	}{
		"nothing":                                {&sdk.PrepareRequest{}, []string{"no split"}},
		"no such file":                           {&sdk.PrepareRequest{Splits: map[string]*sdk.Artifact{"dev": {Path: "/nowhere/x.jsonl"}}}, []string{"split dev", "/nowhere/x.jsonl"}},
		"not JSON":                               {splits("dev", write(t, ok, "{")), []string{"1 bad lines", "bench.jsonl:2: unexpected end"}},
		"not an object":                          {splits("dev", write(t, "[]")), []string{":1: want an object"}},
		"wrong type":                             {splits("dev", write(t, `{"prompt":1,"reference":"r"}`)), []string{":1: prompt has the wrong type, number"}},
		"no prompt":                              {splits("dev", write(t, `{"reference":"r"}`)), []string{":1: has no prompt"}},
		"no reference":                           {splits("dev", write(t, `{"prompt":"p"}`, `{"prompt":"q"}`)), []string{"2 bad lines", ":1: has no reference"}},
		"two references":                         {splits("dev", write(t, `{"prompt":"p","reference":"r","text":"s"}`)), []string{"a reference and another text"}},
		"right option":                           {splits("dev", write(t, `{"prompt":"p","reference":"r","distractors":["a","R."]}`)), []string{"distractor 2 is the reference"}},
		"same option":                            {splits("dev", write(t, `{"prompt":"p","reference":"r","distractors":["a","a"]}`)), []string{"distractor 2 occurs twice"}},
		"empty option":                           {splits("dev", write(t, `{"prompt":"p","reference":"r","distractors":[""]}`)), []string{"distractor 1 is empty"}},
		"few options":                            {splits("dev", write(t, `{"prompt":"p","reference":"r","distractors":["a","b"]}`)), []string{"has 2 distractors"}},
		"many options":                           {splits("dev", write(t, fmt.Sprintf(`{"prompt":"p","reference":"r","distractors":[%s"z"]}`, strings.Repeat(`"x",`, 25)))), []string{"26 distractors"}},
		"not UTF-8":                              {splits("dev", write(t, "{\"prompt\":\"\xff\",\"reference\":\"r\"}")), []string{":1: is not UTF-8"}},
		"twice in one":                           {splits("dev", write(t, ok, `{"prompt":" P. ","reference":"r"}`)), []string{`key "p" occurs twice`, "bench.jsonl:1 (dev)", "bench.jsonl:2 (dev)"}},
		"in two splits":                          {&sdk.PrepareRequest{Splits: map[string]*sdk.Artifact{"dev": write(t, ok), "gate": write(t, `{"prompt":"x","reference":"r","key":"p"}`)}}, []string{"occurs twice", "(dev)", "(gate)"}},
		"custom and gate":                        {&sdk.PrepareRequest{Custom: write(t, ok), Splits: map[string]*sdk.Artifact{"gate": write(t, ok)}}, []string{"one or the other"}},
		"custom and validation that share a key": {&sdk.PrepareRequest{Custom: write(t, ok), Splits: map[string]*sdk.Artifact{"validation": write(t, ok)}}, []string{"occurs twice"}},
		"benchmark without items":                {&sdk.PrepareRequest{Custom: write(t, ok), Benchmarks: []string{"code_syntax"}}, []string{`benchmark "code_syntax" has no items`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := prepare(t, tc.req)
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
}

func splits(name string, a *sdk.Artifact) *sdk.PrepareRequest {
	return &sdk.PrepareRequest{Splits: map[string]*sdk.Artifact{name: a}}
}

func TestBenchmarksAreSelected(t *testing.T) {
	t.Parallel()
	req := splits("gate", write(t, `{"prompt":"a","reference":"r","benchmark":"x"}`, `{"prompt":"b","reference":"r","benchmark":"y"}`, `{"prompt":"c","reference":"r"}`))
	req.Benchmarks = []string{"x"}
	got, err := prepare(t, req)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, q := range got {
		keys = append(keys, q.Key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"a", "c"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// score is a QuestionScore with absent components as NaN.
type score struct{ accuracy, coherence, domain float64 }

func TestScore(t *testing.T) {
	t.Parallel()
	absent := math.NaN()
	q := &sdk.Question{Prompt: &sdk.Prompt{Id: "q"}, Reference: "89in", Distractors: []string{"88in", "90in", "89ft"}}
	open := &sdk.Question{Prompt: &sdk.Prompt{Id: "o"}, Reference: "The  answer."}
	says := func(text string) *sdk.Completion { return &sdk.Completion{Text: text} }
	like := func(sums ...float64) []*sdk.Likelihood {
		var out []*sdk.Likelihood
		for _, s := range sums {
			out = append(out, &sdk.Likelihood{SumLogprob: s, Tokens: 4, Bytes: 8})
		}
		return out
	}
	right := &sdk.Judgement{WellFormed: true, Consistent: true, StepsOk: true, AnswerOk: true}
	wrong := &sdk.Judgement{WellFormed: true, Consistent: true, Reason: "wrong_answer"}
	torn := &sdk.Judgement{WellFormed: true, Reason: "inconsistent"}
	_, letter := sdk.Letters(q)
	third := -1.0 / 3

	for name, tc := range map[string]struct {
		answer  *sdk.Answer
		per     string
		want    score
		reasons []string
	}{
		"right, likely":          {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Likelihoods: like(-1, -2, -3, -4)}, perToken, score{1, 0.5 + 0.5*math.Exp(-0.25), 1}, nil},
		"per byte":               {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Likelihoods: like(-1, -2, -3, -4)}, perByte, score{1, 0.5 + 0.5*math.Exp(-0.125), 1}, nil},
		"wrong, unlikely":        {&sdk.Answer{Question: q, Completion: says("x"), Judgement: wrong, Likelihoods: like(-2, -1, -3, -4)}, perToken, score{0, 0.5 + 0.5*math.Exp(-0.5), third}, []string{"wrong_answer"}},
		"inconsistent":           {&sdk.Answer{Question: q, Completion: says("x"), Judgement: torn, Likelihoods: like(-2, -3, -3, -4)}, perToken, score{0, 0.5 * math.Exp(-0.5), 1}, []string{"inconsistent"}},
		"a tie is wrong":         {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Likelihoods: like(-1, -1, -3, -4)}, perToken, score{1, 0.5 + 0.5*math.Exp(-0.25), third}, nil},
		"no likelihoods":         {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right}, perToken, score{1, 1, absent}, []string{NoLikelihood, NoChoice}},
		"a letter":               {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Choice: says(string(letter) + ") because")}, perToken, score{1, 1, 1}, []string{NoLikelihood}},
		"no letter":              {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Choice: says("I do not know")}, perToken, score{1, 1, third}, []string{NoLikelihood}},
		"NaN":                    {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Likelihoods: like(math.NaN(), -1, -2, -3)}, perToken, score{1, 1, absent}, []string{NoLikelihood, NoChoice}},
		"a distractor is -Inf":   {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Likelihoods: like(-1, math.Inf(-1), -2, -3)}, perToken, score{1, 0.5 + 0.5*math.Exp(-0.25), absent}, []string{NoChoice}},
		"no tokens":              {&sdk.Answer{Question: q, Completion: says("x"), Judgement: right, Likelihoods: []*sdk.Likelihood{{SumLogprob: -1}}}, perToken, score{1, 1, absent}, []string{NoLikelihood, NoChoice}},
		"no answer":              {&sdk.Answer{Question: q, Judgement: right, Likelihoods: like(-1, -2, -3, -4)}, perToken, score{absent, math.Exp(-0.25), 1}, []string{NoAnswer}},
		"no verifier, match":     {&sdk.Answer{Question: open, Completion: says(" the answer\n")}, perToken, score{1, absent, absent}, []string{NoLikelihood, NoDistractors}},
		"no verifier, no match":  {&sdk.Answer{Question: open, Completion: says("an answer")}, perToken, score{0, absent, absent}, []string{NoLikelihood, NoDistractors}},
		"no verifier, reference": {&sdk.Answer{Question: open, Completion: says("an answer"), Likelihoods: like(-2)}, perToken, score{0, math.Exp(-0.5), absent}, []string{NoDistractors}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Score(Config{LikelihoodPer: tc.per}, []*sdk.Answer{tc.answer})
			if err != nil {
				t.Fatal(err)
			}
			value := func(p *float64) float64 {
				if p == nil {
					return math.NaN()
				}
				return *p
			}
			s := got[0]
			for _, c := range []struct {
				name      string
				got, want float64
			}{
				{"accuracy", value(s.Accuracy), tc.want.accuracy},
				{"coherence", value(s.Coherence), tc.want.coherence},
				{"domain", value(s.Domain), tc.want.domain},
			} {
				if math.IsNaN(c.got) != math.IsNaN(c.want) || math.Abs(c.got-c.want) > 1e-12 {
					t.Errorf("%s = %g, want %g", c.name, c.got, c.want)
				}
			}
			if diff := cmp.Diff(tc.reasons, s.Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if s.PromptId != tc.answer.Question.Prompt.Id {
				t.Errorf("the score is of prompt %q", s.PromptId)
			}
		})
	}
	if _, err := Score(Config{}, []*sdk.Answer{{Question: q, Likelihoods: like(-1, -2)}}); err == nil || !strings.Contains(err.Error(), "4 options and 2 likelihoods") {
		t.Errorf("two likelihoods for four options: %v", err)
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]byte{
		"B": 'B', "b": 'B', " (c).": 'C', "D) because of the ratio": 'D', "A: 89in": 'A', "A, I think": 'A', "**B**": 'B',
		"The answer is C.": 'C', "Answer: D": 'D', "A good question; the answer is B": 0, "B or C": 0, "E": 0, "": 0, "89in": 0, "none": 0,
		"I pick B because B is right": 'B', "A\nThe ratio is 12.": 'A', "\u0131": 0,
	} {
		got := sdk.Chosen(text, 4)
		if got != want {
			t.Errorf("Chosen(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestLettersAreFair: the right option stands in each place about equally often.
func TestLettersAreFair(t *testing.T) {
	t.Parallel()
	count := map[byte]int{}
	for i := range 4000 {
		q := &sdk.Question{Prompt: &sdk.Prompt{Id: fmt.Sprint(i)}, Reference: "r", Distractors: []string{"a", "b", "z"}}
		options, letter := sdk.Letters(q)
		if options[letter-'A'] != "r" || len(options) != 4 {
			t.Fatalf("options %v, letter %c", options, letter)
		}
		count[letter]++
	}
	for _, l := range []byte("ABCD") {
		if count[l] < 900 || count[l] > 1100 {
			t.Errorf("%c is right %d times of 4000", l, count[l])
		}
	}
}

// TestDefaultDomain prepares the default domain's splits through the protocol, and scores the references as answers.
func TestDefaultDomain(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	dir := filepath.Join("..", "..", "..", "domains", "quantities")
	req := &sdk.PrepareRequest{Call: conn.Call(t, pluginv1.Kind_KIND_EVALUATOR, "panel", nil), Samples: 300, Splits: map[string]*sdk.Artifact{}}
	for _, s := range []string{"validation", "dev", "gate"} {
		req.Splits[s] = &sdk.Artifact{Path: filepath.Join(dir, s+".jsonl")}
	}
	stream, err := conn.Evaluator.Prepare(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	scoring, err := conn.Evaluator.Score(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := scoring.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Call{Call: conn.Call(t, pluginv1.Kind_KIND_EVALUATOR, "panel", nil)}}); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		for _, q := range p.GetQuestions() {
			count[q.Split]++
			a := &sdk.Answer{Question: q, Completion: &sdk.Completion{PromptId: q.Prompt.Id, Text: q.Reference}}
			if err := scoring.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: a}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(map[string]int{"validation": 200, "dev": 500, "gate": 300}, count); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	res, err := scoring.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range res.GetScores() {
		if s.GetAccuracy() != 1 || s.Domain != nil {
			t.Fatalf("a reference is scored %v", s)
		}
	}
	if len(res.GetScores()) != 1000 {
		t.Errorf("%d scores, want 1000", len(res.GetScores()))
	}
}

func FuzzParseItem(f *testing.F) {
	f.Add([]byte(`{"prompt":"p","reference":"r","distractors":["a"]}`))
	f.Add([]byte(`{"prompt":null,"meta":{"a":1}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		it, _, err := parseItem(line)
		if err != nil {
			return
		}
		if it.Reference == "" || it.Prompt == "" || !json.Valid(line) {
			t.Errorf("%q became %+v", line, it)
		}
		q := it.question("dev")
		if options, l := sdk.Letters(q); options[l-'A'] != it.Reference {
			t.Errorf("letter %c of %v is not the reference", l, options)
		}
	})
}
