package host

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"jupiter/plugins/proto/pluginv1"
)

// exchange is one call as the tracker sees it: requests, then answers of which the last is wrong.
type exchange struct {
	sent []proto.Message
	said []proto.Message
	want string // in what is wrong with the last answer; "": nothing
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, x := range exchanges() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := &tracker{}
			for _, m := range x.sent {
				tr.send(m)
			}
			for i, m := range x.said {
				wrong := tr.receive(m)
				switch last := i == len(x.said)-1; {
				case !last && wrong != "" || last && x.want == "" && wrong != "":
					t.Fatalf("answer %d: %s, want that it is right", i, wrong)
				case last && x.want != "" && !strings.Contains(wrong, x.want):
					t.Errorf("it says %q, want %q", wrong, x.want)
				case len(wrong) > 300:
					t.Errorf("%d bytes say what is wrong", len(wrong))
				}
			}
		})
	}
}

// exchanges has a call for each way to break the contract, and some that keep it.
func exchanges() map[string]exchange {
	all := map[string]exchange{}
	for _, more := range []map[string]exchange{records(), verdicts(), generations(), models(), evaluations(), figures()} {
		for name, x := range more {
			if _, twice := all[name]; twice {
				panic(name)
			}
			all[name] = x
		}
	}
	return all
}

// Each text of the protocol is held to UTF-8 by what reads it, so no plugin gets another one past that.
func TestTextsAreUTF8(t *testing.T) {
	t.Parallel()
	n := 0
	var each func(protoreflect.MessageDescriptors)
	each = func(all protoreflect.MessageDescriptors) {
		for i := range all.Len() {
			m := all.Get(i)
			for k := range m.Fields().Len() {
				f := m.Fields().Get(k)
				if f.Kind() != protoreflect.StringKind || m.IsMapEntry() {
					continue
				}
				n++
				b := protowire.AppendString(protowire.AppendTag(nil, f.Number(), protowire.BytesType), "a\xffb")
				if err := proto.Unmarshal(b, dynamicpb.NewMessage(m)); err == nil || !strings.Contains(err.Error(), "invalid UTF-8") {
					t.Errorf("%s: %v, want that it is invalid", f.FullName(), err)
				}
			}
			each(m.Messages())
		}
	}
	each(pluginv1.File_jupiter_plugin_v1_plugin_proto.Messages())
	if n < 50 {
		t.Errorf("looked at %d texts only", n)
	}
}

// Whoever brings nothing is counted, and whoever brings something is not.
func TestIdle(t *testing.T) {
	t.Parallel()
	progress := func(n uint64) *pluginv1.Progress { return &pluginv1.Progress{Done: n} }
	batch := func(text, cursor string) *pluginv1.CollectEvent {
		b := &pluginv1.RecordBatch{Cursor: []byte(cursor)}
		if text != "" {
			b.Records = []*pluginv1.Record{{Text: text}}
		}
		return &pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Batch{Batch: b}}
	}
	heard := func(n uint64) *pluginv1.CollectEvent {
		return &pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Progress{Progress: progress(n)}}
	}
	tr := &tracker{}
	for i, c := range []struct {
		m    any
		idle int // messages that brought nothing, after this one
	}{
		{batch("a", ""), 0}, {batch("", ""), 1}, {batch("", "1"), 0}, {batch("", "1"), 1}, {batch("", "2"), 0},
		{heard(1), 0}, {heard(1), 1}, {heard(2), 0}, {&pluginv1.CollectEvent{}, 1}, {batch("b", ""), 0},
		{&pluginv1.VerifyEvent{Progress: progress(2)}, 1}, {&pluginv1.ValidateResponse{}, 0},
	} {
		if wrong := tr.receive(c.m); wrong != "" || tr.idled != c.idle {
			t.Errorf("message %d: %q, %d that brought nothing, want %d", i, wrong, tr.idled, c.idle)
		}
	}
	tr.idled = maxIdle - 1
	if wrong := tr.receive(batch("", "")); wrong != "" {
		t.Error(wrong)
	}
	if wrong := tr.receive(batch("", "")); !strings.Contains(wrong, "more than 262144 messages in a row that bring nothing") {
		t.Errorf("%q, want that it is too many", wrong)
	}
}

func said(m ...proto.Message) []proto.Message { return m }

func records() map[string]exchange {
	source := func(b *pluginv1.RecordBatch) []proto.Message {
		return said(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Batch{Batch: b}})
	}
	samples := func(r ...*pluginv1.Record) []proto.Message {
		return said(&pluginv1.GenerateEvent{Event: &pluginv1.GenerateEvent_Batch{Batch: &pluginv1.RecordBatch{Records: r}}})
	}
	rec := func(r ...*pluginv1.Record) *pluginv1.RecordBatch { return &pluginv1.RecordBatch{Records: r} }
	half := &pluginv1.Record{Text: strings.Repeat("x", 600<<10)}
	return map[string]exchange{
		"records":             {said: source(rec(&pluginv1.Record{Text: "a"}, &pluginv1.Record{Messages: []*pluginv1.Message{{Role: "user"}}}))},
		"large record":        {said: source(rec(&pluginv1.Record{Text: strings.Repeat("x", 3<<20-100)}))},
		"too large record":    {said: source(rec(&pluginv1.Record{Text: strings.Repeat("x", 39<<20/10)})), want: "record 0 of a batch has 4089451 bytes, and one has at most 3145728"},
		"too large batch":     {said: source(rec(half, half)), want: "a batch of 1228808 bytes"},
		"id":                  {said: source(rec(&pluginv1.Record{Text: "a"}, &pluginv1.Record{Text: "b", Id: "mine"})), want: `record 1 of a batch has the id "mine"`},
		"no text":             {said: source(rec(&pluginv1.Record{Prompt: "a"})), want: "has neither text nor messages"},
		"nil record":          {said: source(rec(nil)), want: "has neither text nor messages"},
		"empty sample":        {said: samples(&pluginv1.Record{Prompt: "a"})},
		"messages and a text": {said: samples(&pluginv1.Record{Text: "a", Messages: []*pluginv1.Message{{}}}), want: "messages and a text"},
		"tokens of a sample":  {said: samples(&pluginv1.Record{Text: "a", CompletionTokens: math.MaxUint64}), want: "count of tokens"},
		"large cursor":        {said: source(&pluginv1.RecordBatch{Cursor: make([]byte, 3<<20)}), want: "a cursor of 3145728 bytes, and one has at most 65536"},
		"cursor":              {said: source(&pluginv1.RecordBatch{Cursor: make([]byte, 64<<10)})},
	}
}

func verdicts() map[string]exchange {
	ask := said(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: &pluginv1.RecordBatch{Records: []*pluginv1.Record{{Id: "a"}, {Id: "b"}}}}})
	v := func(vs ...*pluginv1.Verdict) proto.Message {
		return &pluginv1.FilterEvent{Event: &pluginv1.FilterEvent_Verdicts{Verdicts: &pluginv1.VerdictBatch{Verdicts: vs}}}
	}
	items := said(&pluginv1.VerifyRequest{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: []*pluginv1.VerifyItem{{Id: "a"}, {Id: "b"}}}}})
	j := func(js ...*pluginv1.Judgement) proto.Message { return &pluginv1.VerifyEvent{Judgements: js} }
	a, b := &pluginv1.Verdict{Id: "a"}, &pluginv1.Verdict{Id: "b"}
	return map[string]exchange{
		"verdicts":               {sent: ask, said: said(v(a), v(b))},
		"verdicts swapped":       {sent: ask, said: said(v(b, a)), want: `it answers "b" where "a" is due`},
		"verdict twice":          {sent: ask, said: said(v(a), v(a)), want: `it answers "a" where "b" is due`},
		"verdicts too many":      {sent: ask, said: said(v(a, b), v(b)), want: tooMany},
		"nil verdict":            {sent: ask, said: said(v(nil)), want: `it answers "" where "a" is due`},
		"reason with an escape":  {sent: ask, said: said(v(&pluginv1.Verdict{Id: "a", Reason: "\x1b[2J"})), want: `the reason "\x1b[2J"`},
		"long reason":            {sent: ask, said: said(v(&pluginv1.Verdict{Id: "a", Reason: strings.Repeat("r", 1<<20)})), want: "no short word"},
		"NaN of a verdict":       {sent: ask, said: said(v(&pluginv1.Verdict{Id: "a", Score: math.NaN()})), want: "a verdict with the score NaN"},
		"long duplicate":         {sent: ask, said: said(v(&pluginv1.Verdict{Id: "a", DuplicateOf: strings.Repeat("d", 2000)})), want: "an id of 2000 bytes"},
		"large halves":           {sent: items, said: said(j(&pluginv1.Judgement{Id: "a", Question: strings.Repeat("q", 2<<20), Answer: strings.Repeat("a", 2<<20)})), want: "a question and an answer of 4194304 bytes"},
		"judgements":             {sent: items, said: said(j(&pluginv1.Judgement{Id: "a", Reason: "wrong answer"}, &pluginv1.Judgement{Id: "b"}))},
		"judgements swapped":     {sent: items, said: said(j(&pluginv1.Judgement{Id: "b"})), want: `it answers "b" where "a" is due`},
		"judgement twice":        {sent: items, said: said(j(&pluginv1.Judgement{Id: "a"}, &pluginv1.Judgement{Id: "a"})), want: `where "b" is due`},
		"judgements too many":    {sent: items, said: said(j(&pluginv1.Judgement{Id: "a"}, &pluginv1.Judgement{Id: "b"}, &pluginv1.Judgement{Id: "c"})), want: tooMany},
		"family that turns text": {sent: items, said: said(j(&pluginv1.Judgement{Id: "a", Family: "a\u202eb"})), want: "the family"},
		"long key":               {sent: items, said: said(j(&pluginv1.Judgement{Id: "a", Key: strings.Repeat("k", 2000)})), want: "a key of 2000 bytes"},
	}
}

func generations() map[string]exchange {
	ask := said(&pluginv1.CompleteRequest{Prompts: []*pluginv1.Prompt{{Id: "a"}, {Id: "b"}}})
	c := func(c *pluginv1.Completion) proto.Message {
		return &pluginv1.CompleteEvent{Event: &pluginv1.CompleteEvent_Completion{Completion: c}}
	}
	open := said(&pluginv1.CompleteRequest{Stream: true, Prompts: []*pluginv1.Prompt{{Id: "a"}, {Id: "b"}}})
	p := func(id, text string, ts ...*pluginv1.Token) proto.Message {
		return &pluginv1.CompleteEvent{Event: &pluginv1.CompleteEvent_Piece{Piece: &pluginv1.Piece{PromptId: id, Text: text, Tokens: ts}}}
	}
	likely := said(&pluginv1.LikelihoodRequest{Items: []*pluginv1.LikelihoodItem{{PromptId: "a", Continuations: []string{"x", "y"}}, {PromptId: "b", Continuations: []string{"x"}}}})
	l := func(id string, ls ...*pluginv1.Likelihood) proto.Message {
		return &pluginv1.LikelihoodEvent{PromptId: id, Likelihoods: ls}
	}
	good := &pluginv1.Likelihood{SumLogprob: -1, Tokens: 1, Bytes: 1}
	by := &pluginv1.LikelihoodEvent{PromptId: "a", Likelihoods: []*pluginv1.Likelihood{good, good}, Scorer: "a\nb"}
	bad := func(sum float64, tokens uint64) []proto.Message {
		return said(l("a", good, &pluginv1.Likelihood{SumLogprob: sum, Tokens: tokens, Bytes: 1}))
	}
	return map[string]exchange{
		"completions":              {sent: ask, said: said(c(&pluginv1.Completion{PromptId: "a", FinishReason: "stop", Logprobs: []float32{-1, 0}}), c(&pluginv1.Completion{PromptId: "b"}))},
		"completions swapped":      {sent: ask, said: said(c(&pluginv1.Completion{PromptId: "b"})), want: `it answers "b" where "a" is due`},
		"completion twice":         {sent: ask, said: said(c(&pluginv1.Completion{PromptId: "a"}), c(&pluginv1.Completion{PromptId: "a"})), want: `it answers "a" where "b" is due`},
		"reason of an end":         {sent: ask, said: said(c(&pluginv1.Completion{PromptId: "a", FinishReason: "bored"})), want: `the reason "bored"`},
		"NaN of a token":           {sent: ask, said: said(c(&pluginv1.Completion{PromptId: "a", Logprobs: []float32{float32(math.NaN())}})), want: "a log-likelihood of NaN"},
		"tokens of a completion":   {sent: ask, said: said(c(&pluginv1.Completion{PromptId: "a", PromptTokens: 1 << 41})), want: "count of tokens"},
		"pieces":                   {sent: open, said: said(p("b", "x"), p("a", "1"), p("a", "", &pluginv1.Token{Logprob: -1}), p("a", "2"), c(&pluginv1.Completion{PromptId: "a", Text: "123"}), c(&pluginv1.Completion{PromptId: "b", Text: "x"}))},
		"pieces of no beginning":   {sent: open, said: said(p("a", "1"), p("a", "3"), c(&pluginv1.Completion{PromptId: "a", Text: "123"})), want: `completion of "a" does not begin with its pieces`},
		"pieces that nobody asked": {sent: ask, said: said(p("a", "1")), want: "were asked for whole"},
		"piece of another":         {sent: open, said: said(p("z", "1")), want: `of "z", which is not due`},
		"piece of what is over":    {sent: open, said: said(c(&pluginv1.Completion{PromptId: "a"}), p("a", "1")), want: `of "a", which is not due`},
		"pieces without end":       {sent: open, said: said(p("a", strings.Repeat("x", 3<<20)), p("a", strings.Repeat("x", 3<<20))), want: "longer than a completion may be"},
		"NaN of a piece":           {sent: open, said: said(p("a", "", &pluginv1.Token{Logprob: float32(math.NaN())})), want: "a log-likelihood of NaN"},
		"likelihoods":              {sent: likely, said: said(l("a", good, &pluginv1.Likelihood{SumLogprob: 1e-7, Tokens: 1}), l("b", good))},
		"likelihood of nothing":    {sent: likely, said: said(l("a", good, &pluginv1.Likelihood{}))},
		"likelihoods swapped":      {sent: likely, said: said(l("b", good)), want: `it answers "b" where "a" is due`},
		"likelihood twice":         {sent: likely, said: said(l("a", good, good), l("a", good)), want: `it answers "a" where "b" is due`},
		"too few likelihoods":      {sent: likely, said: said(l("a", good)), want: "1 likelihoods of the 2 continuations"},
		"name of a scorer":         {sent: likely, said: said(by), want: "likelihoods by"},
		"NaN likelihood":           {sent: likely, said: bad(math.NaN(), 1), want: "a log-likelihood of NaN"},
		"infinite likelihood":      {sent: likely, said: bad(math.Inf(1), 1), want: "a log-likelihood of +Inf"},
		"impossible likelihood":    {sent: likely, said: bad(math.Inf(-1), 1), want: "a log-likelihood of -Inf"},
		"positive likelihood":      {sent: likely, said: bad(2, 1), want: "a log-likelihood of 2,"},
		"likelihood of no tokens":  {sent: likely, said: bad(-2, 0), want: "of 0 tokens"},
		"likelihood of too much":   {sent: likely, said: bad(-2, math.MaxUint64), want: "a length that is none"},
		"likelihoods too many":     {sent: likely, said: said(l("a", good, good), l("b", good), l("b", good)), want: tooMany},
		"answers without question": {said: said(c(&pluginv1.Completion{})), want: tooMany},
	}
}

func models() map[string]exchange {
	train := said(&pluginv1.TrainRequest{FromStep: 10, ToStep: 30})
	cp := func(step uint64, path string) proto.Message {
		return &pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Checkpoint{Checkpoint: &pluginv1.Checkpoint{Step: step, Output: &pluginv1.Output{Name: "checkpoint", Path: path}}}}
	}
	out := func(name, path string) proto.Message {
		return &pluginv1.ExportEvent{Event: &pluginv1.ExportEvent_Output{Output: &pluginv1.Output{Name: name, Path: path}}}
	}
	imported := func(name, path string) proto.Message {
		return &pluginv1.ImportEvent{Event: &pluginv1.ImportEvent_Output{Output: &pluginv1.Output{Name: name, Path: path}}}
	}
	cursor := &pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Checkpoint{Checkpoint: &pluginv1.Checkpoint{Step: 11, Cursor: make([]byte, 1<<20)}}}
	return map[string]exchange{
		"checkpoints":             {sent: train, said: said(cp(20, "a"), cp(30, "b"))},
		"falling steps":           {sent: train, said: said(cp(20, "a"), cp(15, "b")), want: "a checkpoint of step 15 after step 20"},
		"checkpoint twice":        {sent: train, said: said(cp(20, "a"), cp(20, "a")), want: "a checkpoint of step 20 after step 20"},
		"checkpoint of the start": {sent: train, said: said(cp(10, "a")), want: "step 10 after step 10"},
		"beyond the window":       {sent: train, said: said(cp(31, "a")), want: "step 31, and the window ends at 30"},
		"cursor of a checkpoint":  {sent: train, said: said(cursor), want: "a cursor of 1048576 bytes"},
		"no output":               {sent: train, said: said(&pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Checkpoint{Checkpoint: &pluginv1.Checkpoint{Step: 11}}}), want: `an output called ""`},
		"checkpoint elsewhere":    {sent: train, said: said(cp(20, "../a")), want: `the path "../a", which lies outside`},
		"model":                   {said: said(out("model", "a"))},
		"model twice":             {said: said(out("model", "a"), out("model", "b")), want: `the output "model" twice`},
		"another output":          {said: said(out("modle", "a")), want: `an output called "modle", and one called "model" is due`},
		"absolute path":           {said: said(out("model", "/etc/passwd")), want: `the path "/etc/passwd", which lies outside`},
		"path up":                 {said: said(out("model", "a/../../b")), want: "which lies outside"},
		"no path":                 {said: said(out("model", "")), want: "which lies outside"},
		"long path":               {said: said(out("model", strings.Repeat("a", 1<<20))), want: "which lies outside"},
		"import twice":            {said: said(imported("model", "a"), imported("model", "a")), want: "twice"},
		"import elsewhere":        {said: said(imported("model", "/a")), want: "which lies outside"},
	}
}

func evaluations() map[string]exchange {
	q := func(split string, ids ...string) proto.Message {
		r := &pluginv1.PrepareResponse{}
		for _, id := range ids {
			r.Questions = append(r.Questions, &pluginv1.Question{Split: split, Prompt: &pluginv1.Prompt{Id: id}})
		}
		return r
	}
	var ask []proto.Message
	for _, id := range []string{"a", "b"} {
		ask = append(ask, &pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: &pluginv1.Answer{Question: &pluginv1.Question{Prompt: &pluginv1.Prompt{Id: id}}}}})
	}
	s := func(ss ...*pluginv1.QuestionScore) []proto.Message { return said(&pluginv1.ScoreResponse{Scores: ss}) }
	one := func(v float64) []proto.Message {
		return s(&pluginv1.QuestionScore{PromptId: "a", Accuracy: proto.Float64(1)}, &pluginv1.QuestionScore{PromptId: "b", Coherence: &v})
	}
	return map[string]exchange{
		"questions":           {said: said(q("dev", "a", "b"), q("gate", "a"))},
		"question twice":      {said: said(q("dev", "a"), q("dev", "b", "a")), want: `two questions of split "dev" have the id "a"`},
		"question without id": {said: said(q("dev", "")), want: `a question with the id ""`},
		"split elsewhere":     {said: said(q("../dev", "a")), want: `a split called "../dev"`},
		"split below":         {said: said(q("a/b", "a")), want: `a split called "a/b"`},
		"no split":            {said: said(q("", "a")), want: `a split called ""`},
		"nil question":        {said: said(&pluginv1.PrepareResponse{Questions: []*pluginv1.Question{nil}}), want: "a question with the id"},
		"scores":              {sent: ask, said: one(0)},
		"worse than a guess":  {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "a", Domain: proto.Float64(-1)}, &pluginv1.QuestionScore{PromptId: "b"})},
		"much worse":          {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "a", Domain: proto.Float64(-1.1)}, &pluginv1.QuestionScore{PromptId: "b"}), want: "domain -1.1 of question"},
		"unavailable":         {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "a"}, &pluginv1.QuestionScore{PromptId: "b"})},
		"scores swapped":      {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "b"}, &pluginv1.QuestionScore{PromptId: "a"}), want: `it answers "b" where "a" is due`},
		"missing score":       {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "a"}), want: "it scores 1 of 2 answers"},
		"score not asked":     {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "a"}, &pluginv1.QuestionScore{PromptId: "b"}, &pluginv1.QuestionScore{PromptId: "c"}), want: tooMany},
		"NaN part":            {sent: ask, said: s(&pluginv1.QuestionScore{PromptId: "a", SubScores: map[string]float64{"x": math.NaN()}}), want: `"x" NaN of question "a"`},
		"NaN score":           {sent: ask, said: one(math.NaN()), want: `coherence NaN of question "b"`},
		"infinite score":      {sent: ask, said: one(math.Inf(1)), want: "coherence +Inf"},
		"-infinite score":     {sent: ask, said: one(math.Inf(-1)), want: "coherence -Inf"},
		"score above 1":       {sent: ask, said: one(1.01), want: "coherence 1.01"},
		"score below 0":       {sent: ask, said: one(-0.5), want: "coherence -0.5"},
	}
}

func figures() map[string]exchange {
	p := func(p *pluginv1.Progress) []proto.Message {
		return said(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Progress{Progress: p}})
	}
	many := map[string]float64{}
	for i := range 1000 {
		many[strings.Repeat("m", i%90)+string(rune('a'+i/90))] = 1
	}
	return map[string]exchange{
		"progress":                {said: p(&pluginv1.Progress{Unit: "steps", Metrics: map[string]float64{"loss": math.NaN()}})}, // it diverges: no lie
		"progress in a response":  {said: said(&pluginv1.VerifyEvent{Progress: &pluginv1.Progress{Usage: &pluginv1.Usage{PromptTokens: 1 << 50}}}), want: "count of tokens"},
		"usage":                   {said: p(&pluginv1.Progress{Usage: &pluginv1.Usage{CompletionTokens: math.MaxUint64}}), want: "count of tokens"},
		"long unit":               {said: p(&pluginv1.Progress{Unit: strings.Repeat("u", 101)}), want: "a unit of 101 bytes"},
		"many metrics":            {said: p(&pluginv1.Progress{Metrics: many}), want: "1000 metrics"},
		"metric with an escape":   {said: p(&pluginv1.Progress{Metrics: map[string]float64{"\x1b]0;x\a": 1}}), want: "no short word"},
		"estimate":                {said: said(&pluginv1.EstimateResponse{Flop: 1e25, Records: 1 << 32})},
		"NaN estimate":            {said: said(&pluginv1.EstimateResponse{Flop: math.NaN()}), want: "it estimates flop = NaN"},
		"negative estimate":       {said: said(&pluginv1.EstimateResponse{BytesWritten: -1}), want: "it estimates bytes_written = -1"},
		"infinite estimate":       {said: said(&pluginv1.EstimateResponse{PeakMemoryBytes: math.Inf(1)}), want: "peak_memory_bytes = +Inf"},
		"huge estimate":           {said: said(&pluginv1.EstimateResponse{MaxCompletionTokens: 1e300}), want: "max_completion_tokens = 1e+300"},
		"huge records":            {said: said(&pluginv1.EstimateResponse{Records: math.MaxUint64}), want: "it estimates records = 18446744073709551615"},
		"fingerprint":             {said: said(&pluginv1.FingerprintResponse{Digest: "sha256:0"})},
		"long fingerprint":        {said: said(&pluginv1.FingerprintResponse{Backend: strings.Repeat("x", 1<<20)}), want: "a fingerprint of 1048576 bytes"},
		"unprintable fingerprint": {said: said(&pluginv1.FingerprintResponse{Digest: "a\x00b"}), want: `a fingerprint of 3 bytes`},
	}
}

// TestContractStopped: an evaluator that is asked to stop may score less than it was given, and still nothing else.
func TestContractStopped(t *testing.T) {
	t.Parallel()
	score := func(ids ...string) string {
		tr := &tracker{stopping: &atomic.Bool{}}
		tr.stopping.Store(true)
		resp := &pluginv1.ScoreResponse{}
		for _, id := range []string{"a", "b"} {
			tr.send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: &pluginv1.Answer{Question: &pluginv1.Question{Prompt: &pluginv1.Prompt{Id: id}}}}})
		}
		for _, id := range ids {
			resp.Scores = append(resp.Scores, &pluginv1.QuestionScore{PromptId: id})
		}
		return tr.receive(resp)
	}
	for _, tc := range []struct {
		ids  []string
		want string
	}{{nil, ""}, {[]string{"a"}, ""}, {[]string{"a", "b"}, ""}, {[]string{"b"}, `it answers "b" where "a" is due`}, {[]string{"a", "b", "c"}, tooMany}} {
		if got := score(tc.ids...); got != tc.want {
			t.Errorf("scores of %q: %q, want %q", tc.ids, got, tc.want)
		}
	}
}
