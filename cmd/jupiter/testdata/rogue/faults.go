package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"jupiter/plugins/proto/pluginv1"
)

// fault sends something in the place of a stage's message.
type fault func(s *stream, m any) error

// faults of streams, by name: "<kind>-<what>".
var faults = map[string]fault{
	"collector-id":       onBatch[*pluginv1.CollectEvent](func(b *pluginv1.RecordBatch) { b.Records[0].Id = "mine" }),
	"collector-empty":    onBatch[*pluginv1.CollectEvent](func(b *pluginv1.RecordBatch) { b.Records[0].Text = "" }),
	"collector-utf8":     invalid[*pluginv1.CollectEvent],
	"collector-large":    onBatch[*pluginv1.CollectEvent](func(b *pluginv1.RecordBatch) { b.Records[0].Text = strings.Repeat("x", 39<<20/10) }),
	"collector-huge":     only[*pluginv1.CollectEvent](func(s *stream, m any) error { return s.send(raw(make([]byte, math.MaxInt32))) }),
	"collector-cursor":   onBatch[*pluginv1.CollectEvent](func(b *pluginv1.RecordBatch) { b.Cursor = make([]byte, 3<<20) }),
	"collector-exit":     only[*pluginv1.CollectEvent](later(3, func(*stream, any) error { os.Exit(0); return nil })),
	"collector-error":    later(3, func(*stream, any) error { return errors.New("closed\x1b[2J\a on \u202eMondays") }),
	"collector-noise":    only[*pluginv1.CollectEvent](noise),
	"collector-children": only[*pluginv1.CollectEvent](children),
	"collector-warnings": only[*pluginv1.CollectEvent](warnings),
	"collector-refuses": func(s *stream, _ any) error {
		return s.send(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Diagnostic{Diagnostic: &pluginv1.Diagnostic{
			Severity: pluginv1.Diagnostic_SEVERITY_ERROR, Summary: "Gone\x1b]0;owned\a", Attribute: []*pluginv1.PathStep{{Step: &pluginv1.PathStep_Name{Name: "nowhere"}}}}}})
	},

	"evaluator-twice":   onQuestions(func(q []*pluginv1.Question) { q[1].Prompt.Id = q[0].Prompt.Id }),
	"evaluator-split":   onQuestions(func(q []*pluginv1.Question) { q[0].Split = "../../gate" }),
	"evaluator-utf8":    invalid[*pluginv1.PrepareResponse],
	"evaluator-NaN":     onScores(func(r *pluginv1.ScoreResponse) { r.Scores[2].Accuracy = proto.Float64(math.NaN()) }),
	"evaluator-Inf":     onScores(func(r *pluginv1.ScoreResponse) { r.Scores[2].Coherence = proto.Float64(math.Inf(1)) }),
	"evaluator-above":   onScores(func(r *pluginv1.ScoreResponse) { r.Scores[2].Domain = proto.Float64(1.5) }),
	"evaluator-missing": onScores(func(r *pluginv1.ScoreResponse) { r.Scores = r.Scores[:len(r.Scores)-1] }),
	"evaluator-more":    onScores(func(r *pluginv1.ScoreResponse) { r.Scores = append(r.Scores, r.Scores[0]) }),
	"evaluator-swapped": onScores(func(r *pluginv1.ScoreResponse) { r.Scores[0], r.Scores[1] = r.Scores[1], r.Scores[0] }),

	"generator-endless": endless,
	"generator-few":     only[*pluginv1.GenerateEvent](later(3, func(*stream, any) error { return nil })),
	"generator-utf8":    invalid[*pluginv1.GenerateEvent],
	"generator-tokens":  onBatch[*pluginv1.GenerateEvent](func(b *pluginv1.RecordBatch) { b.Records[0].CompletionTokens = math.MaxUint64 }),

	"completion-swapped": swapped(func(m any) bool { e, ok := m.(*pluginv1.CompleteEvent); return ok && e.GetCompletion() != nil }),
	"completion-twice":   twice(func(m any) bool { e, ok := m.(*pluginv1.CompleteEvent); return ok && e.GetCompletion() != nil }),
	"completion-few":     only[*pluginv1.CompleteEvent](later(3, func(*stream, any) error { return nil })),
	"completion-reason":  on(func(e *pluginv1.CompleteEvent) { e.GetCompletion().FinishReason = "bored" }),
	"likelihood-NaN":     on(func(e *pluginv1.LikelihoodEvent) { e.Likelihoods[0].SumLogprob = math.NaN() }),
	"likelihood-above":   on(func(e *pluginv1.LikelihoodEvent) { e.Likelihoods[0].SumLogprob = 3 }),
	"likelihood-tokens":  on(func(e *pluginv1.LikelihoodEvent) { e.Likelihoods[0].Tokens = 0 }),
	"likelihood-few":     only[*pluginv1.LikelihoodEvent](later(3, func(*stream, any) error { return nil })),
	"likelihood-twice":   twice(func(m any) bool { _, ok := m.(*pluginv1.LikelihoodEvent); return ok }),

	"verifier-swapped": on(func(e *pluginv1.VerifyEvent) { slices.Reverse(e.Judgements) }),
	"verifier-twice":   on(func(e *pluginv1.VerifyEvent) { e.Judgements = append(e.Judgements, e.Judgements[len(e.Judgements)-1]) }),
	"verifier-few":     on(func(e *pluginv1.VerifyEvent) { e.Judgements = e.Judgements[1:] }),
	"verifier-none":    only[*pluginv1.VerifyEvent](func(*stream, any) error { return nil }),
	"verifier-reason":  on(func(e *pluginv1.VerifyEvent) { e.Judgements[0].Reason = "\x1b[31mred" }),
	"verifier-never":   only[*pluginv1.VerifyEvent](func(*stream, any) error { select {} }),
	"filter-swapped":   onVerdicts(func(b *pluginv1.VerdictBatch) { slices.Reverse(b.Verdicts) }),
	"filter-twice":     onVerdicts(func(b *pluginv1.VerdictBatch) { b.Verdicts = append(b.Verdicts, b.Verdicts[0]) }),
	"filter-none":      only[*pluginv1.FilterEvent](func(*stream, any) error { return nil }),

	"trainer-falling": onCheckpoint(func(_ *stream, c *pluginv1.Checkpoint) { c.Step = 30 - c.Step }),
	"trainer-beyond":  onCheckpoint(func(_ *stream, c *pluginv1.Checkpoint) { c.Step += 100 }),
	"trainer-twice":   twice(func(m any) bool { e, ok := m.(*pluginv1.TrainEvent); return ok && e.GetCheckpoint() != nil }),
	"trainer-none":    only[*pluginv1.TrainEvent](func(*stream, any) error { return nil }),
	"trainer-NaN":     onLoss(math.NaN()),
	"trainer-never":   only[*pluginv1.TrainEvent](later(2, func(*stream, any) error { select {} })),
	"trainer-crash": only[*pluginv1.TrainEvent](later(2, func(*stream, any) error {
		time.Sleep(100 * time.Millisecond) // what was sent before is on its way
		stderr := os.NewFile(2, "stderr")  // as a runtime writes there: go-plugin has put a pipe of its own in the place of os.Stderr
		for i := range 60 {
			fmt.Fprintln(stderr, "last words", i)
		}
		os.Exit(3)
		return nil
	})),
	"trainer-kill": only[*pluginv1.TrainEvent](later(2, func(*stream, any) error {
		time.Sleep(100 * time.Millisecond)
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})),
	"trainer-hog":     only[*pluginv1.TrainEvent](later(2, hog)),
	"trainer-bomb":    only[*pluginv1.TrainEvent](later(2, bomb)),
	"trainer-suspend": only[*pluginv1.TrainEvent](later(2, suspend)),
	"trainer-up":      onCheckpoint(func(s *stream, c *pluginv1.Checkpoint) { c.Output.Path = "../../../rogue.fault" }),
	"trainer-gone":    onCheckpoint(func(s *stream, c *pluginv1.Checkpoint) { c.Output.Path = "nothing" }),

	"exporter-absolute":    onOutput(func(s *stream, o *pluginv1.Output) { o.Path = "/etc/passwd" }),
	"exporter-link":        special[*pluginv1.ExportEvent](link),
	"exporter-pipe":        special[*pluginv1.ExportEvent](pipe),
	"exporter-socket":      special[*pluginv1.ExportEvent](socket),
	"exporter-device":      special[*pluginv1.ExportEvent](device),
	"exporter-inner":       special[*pluginv1.ExportEvent](within(link)),
	"exporter-innerpipe":   special[*pluginv1.ExportEvent](within(pipe)),
	"exporter-innerdevice": special[*pluginv1.ExportEvent](within(device)),
	"exporter-innersocket": special[*pluginv1.ExportEvent](within(socket)),
	"trainer-link":         special[*pluginv1.TrainEvent](link),
	"trainer-pipe":         special[*pluginv1.TrainEvent](pipe),
	"trainer-socket":       special[*pluginv1.TrainEvent](socket),
	"trainer-device":       special[*pluginv1.TrainEvent](device),
	"trainer-inner":        special[*pluginv1.TrainEvent](within(link)),
	"trainer-innerpipe":    special[*pluginv1.TrainEvent](within(pipe)),
	"trainer-innerdevice":  special[*pluginv1.TrainEvent](within(device)),
	"trainer-linked":       hardLinked,
	"trainer-utf8":         invalid[*pluginv1.TrainEvent],
	"filter-utf8":          invalid[*pluginv1.FilterEvent],
	"verifier-utf8":        invalid[*pluginv1.VerifyEvent],
	"completion-utf8":      invalid[*pluginv1.CompleteEvent],
	"likelihood-utf8":      invalid[*pluginv1.LikelihoodEvent],
	"scores-utf8":          invalid[*pluginv1.ScoreResponse],

	"collector-tiny":   tiny,
	"collector-idle":   idle(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Batch{Batch: &pluginv1.RecordBatch{}}}),
	"generator-idle":   idle(&pluginv1.GenerateEvent{Event: &pluginv1.GenerateEvent_Diagnostic{Diagnostic: &pluginv1.Diagnostic{Severity: pluginv1.Diagnostic_SEVERITY_WARNING, Summary: "Hm"}}}),
	"trainer-idle":     idle(&pluginv1.TrainEvent{Event: &pluginv1.TrainEvent_Progress{Progress: &pluginv1.Progress{Done: 1, Total: 2}}}),
	"exporter-idle":    idle(&pluginv1.ExportEvent{}),
	"verifier-idle":    idle(&pluginv1.VerifyEvent{}),
	"filter-idle":      idle(&pluginv1.FilterEvent{Event: &pluginv1.FilterEvent_Verdicts{Verdicts: &pluginv1.VerdictBatch{}}}),
	"generator-never":  never[*pluginv1.GenerateEvent](),
	"filter-never":     never[*pluginv1.FilterEvent](),
	"questions-never":  never[*pluginv1.PrepareResponse](),
	"scores-never":     never[*pluginv1.ScoreResponse](),
	"completion-never": never[*pluginv1.CompleteEvent](),
	"likelihood-never": never[*pluginv1.LikelihoodEvent](),
	"exporter-never":   never[*pluginv1.ExportEvent](),

	"exporter-changing": special[*pluginv1.ExportEvent](changing),
	"exporter-name":     onOutput(func(s *stream, o *pluginv1.Output) { o.Name = "modle" }),
	"exporter-twice":    twice(func(m any) bool { e, ok := m.(*pluginv1.ExportEvent); return ok && e.GetOutput() != nil }),
	"exporter-none":     only[*pluginv1.ExportEvent](func(*stream, any) error { return nil }),
	"exporter-utf8":     invalid[*pluginv1.ExportEvent],
	"deaf":              only[*pluginv1.TrainEvent](later(2, func(*stream, any) error { select {} })),
}

// answers are faults of calls with one response.
var answers = map[string]func(any){
	"estimate-NaN": estimated(func(e *pluginv1.EstimateResponse) { e.Flop = math.NaN() }),
	"estimate-tokens": estimated(func(e *pluginv1.EstimateResponse) {
		if e.Records == 0 { // not of a trainer
			e.CompletionTokens = math.Inf(1)
		}
	}),
	"estimate-negative": estimated(func(e *pluginv1.EstimateResponse) { e.BytesWritten = -1 }),
	"estimate-huge":     estimated(func(e *pluginv1.EstimateResponse) { e.PromptTokens = 1e300 }),
	"estimate-records":  estimated(func(e *pluginv1.EstimateResponse) { e.Records = math.MaxUint64 }),
	"validate-utf8": func(resp any) {
		if r, ok := resp.(*pluginv1.ValidateResponse); ok {
			r.Diagnostics = append(r.Diagnostics, &pluginv1.Diagnostic{})
		}
	},
	"validate-many": func(resp any) {
		if r, ok := resp.(*pluginv1.ValidateResponse); ok {
			for range 50000 {
				r.Diagnostics = append(r.Diagnostics, &pluginv1.Diagnostic{Address: "0", Severity: pluginv1.Diagnostic_SEVERITY_WARNING, Summary: "Hm\x1b[2J"})
			}
		}
	},
	"info-name":    described(func(r *pluginv1.InfoResponse) { r.Name = "fake" }),
	"info-version": described(func(r *pluginv1.InfoResponse) { r.Version = strings.Repeat("9", 1<<20) }),
	"info-twice":   described(func(r *pluginv1.InfoResponse) { r.Stages = append(r.Stages, r.Stages[0]) }),
	"info-core": described(func(r *pluginv1.InfoResponse) {
		r.Stages[0].Schema.Attributes = append(r.Stages[0].Schema.Attributes, &pluginv1.Attribute{Name: "for_each", Type: []byte(`"string"`)})
	}),
	"info-type": described(func(r *pluginv1.InfoResponse) {
		r.Stages[0].Schema.Attributes[0].Type = []byte(strings.Repeat(`["list",`, 10000) + `"string"` + strings.Repeat("]", 10000))
	}),
	"info-many": described(func(r *pluginv1.InfoResponse) {
		for i := range 100000 {
			r.Stages[0].Schema.Attributes = append(r.Stages[0].Schema.Attributes, &pluginv1.Attribute{Name: fmt.Sprint("a", i), Type: []byte(`"bool"`)})
		}
	}),
}

func estimated(change func(*pluginv1.EstimateResponse)) func(any) {
	return func(resp any) {
		if e, ok := resp.(*pluginv1.EstimateResponse); ok {
			change(e)
		}
	}
}

func described(change func(*pluginv1.InfoResponse)) func(any) {
	return func(resp any) {
		if r, ok := resp.(*pluginv1.InfoResponse); ok {
			change(r)
		}
	}
}

// early is what is wrong before there is a handshake.
func early(fault string) {
	switch fault {
	case "handshake-garbage":
		fmt.Println("Hello, \x1b[31mI am no plugin.")
		time.Sleep(time.Minute)
	case "handshake-crash":
		for i := range 60 {
			fmt.Fprintln(os.Stderr, "last words", i)
		}
		os.Exit(7)
	case "handshake-kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "handshake-endless":
		for {
			fmt.Print(strings.Repeat("x", 4096))
		}
	}
}

// only applies a fault to messages of a type, and lets others pass.
func only[M any](f fault) fault {
	return func(s *stream, m any) error {
		if _, ok := m.(M); !ok {
			return s.send(m)
		}
		return f(s, m)
	}
}

// on changes messages of a type, but for their progress.
func on[M any](change func(M)) fault {
	return only[M](func(s *stream, m any) error {
		if e, ok := m.(*pluginv1.CompleteEvent); !ok || e.GetCompletion() != nil {
			change(m.(M))
		}
		return s.send(m)
	})
}

// later lets n messages pass first.
func later(n int, f fault) fault {
	return func(s *stream, m any) error {
		if s.n <= n {
			return s.send(m)
		}
		return f(s, m)
	}
}

// batched is a message with records.
type batched interface{ GetBatch() *pluginv1.RecordBatch }

func onBatch[M batched](change func(*pluginv1.RecordBatch)) fault {
	return only[M](func(s *stream, m any) error {
		if b := m.(M).GetBatch(); len(b.GetRecords()) > 0 {
			change(b)
		}
		return s.send(m)
	})
}

func onVerdicts(change func(*pluginv1.VerdictBatch)) fault {
	return func(s *stream, m any) error {
		if e, ok := m.(*pluginv1.FilterEvent); ok && len(e.GetVerdicts().GetVerdicts()) > 0 {
			change(e.GetVerdicts())
		}
		return s.send(m)
	}
}

func onQuestions(change func([]*pluginv1.Question)) fault {
	return func(s *stream, m any) error {
		if r, ok := m.(*pluginv1.PrepareResponse); ok && len(r.Questions) > 1 {
			change(r.Questions)
		}
		return s.send(m)
	}
}

func onScores(change func(*pluginv1.ScoreResponse)) fault {
	return func(s *stream, m any) error {
		if r, ok := m.(*pluginv1.ScoreResponse); ok {
			change(r)
		}
		return s.send(m)
	}
}

func onCheckpoint(change func(*stream, *pluginv1.Checkpoint)) fault {
	return func(s *stream, m any) error {
		if e, ok := m.(*pluginv1.TrainEvent); ok && e.GetCheckpoint() != nil {
			change(s, e.GetCheckpoint())
		}
		return s.send(m)
	}
}

func onLoss(v float64) fault {
	return func(s *stream, m any) error {
		if e, ok := m.(*pluginv1.TrainEvent); ok && e.GetProgress() != nil {
			e.GetProgress().Metrics = map[string]float64{"loss": v, "speed": math.Inf(-1)}
		}
		return s.send(m)
	}
}

func onOutput(change func(*stream, *pluginv1.Output)) fault {
	return func(s *stream, m any) error {
		if e, ok := m.(*pluginv1.ExportEvent); ok && e.GetOutput() != nil {
			change(s, e.GetOutput())
		}
		return s.send(m)
	}
}

// special gives as its output something that it has made.
func special[M any](makeIt func(path string) error) fault {
	return only[M](func(s *stream, m any) error {
		var o *pluginv1.Output
		switch e := m.(type) {
		case *pluginv1.ExportEvent:
			o = e.GetOutput()
		case *pluginv1.TrainEvent:
			o = e.GetCheckpoint().GetOutput()
		}
		if o != nil {
			o.Path = "special"
			if err := makeIt(filepath.Join(s.work, o.Path)); err != nil {
				return err
			}
		}
		return s.send(m)
	})
}

// within makes something in a directory.
func within(makeIt func(path string) error) func(string) error {
	return func(path string) error { return errors.Join(os.Mkdir(path, 0o755), makeIt(filepath.Join(path, "a"))) }
}

func link(path string) error { return os.Symlink("/etc", path) }

func pipe(path string) error { return syscall.Mkfifo(path, 0o644) }

// device makes the only one that needs no right.
func device(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o644, 0) }

// hog takes memory, and no more than a test's machine has.
func hog(s *stream, m any) error {
	var all [][]byte
	for range 150 { // 1.2 GB
		all = append(all, bytes.Repeat([]byte{1}, 8<<20))
		time.Sleep(10 * time.Millisecond)
	}
	defer runtime.KeepAlive(all)
	return s.send(m)
}

func suspend(*stream, any) error {
	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	select {} // the other threads may run on for a moment
}

func socket(path string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := os.Chdir(filepath.Dir(path)); err != nil { // the path may be too long for a socket's
		return err
	}
	return syscall.Bind(fd, &syscall.SockaddrUnix{Name: filepath.Base(path)})
}

// changing writes a file for ever.
func changing(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	more := bytes.Repeat([]byte("more"), 1<<18)
	if _, err := f.Write(bytes.Repeat(more, 32)); err != nil {
		return err
	}
	go func() {
		for range 200 { // at most 200 MiB
			_, _ = f.Write(more)
			time.Sleep(time.Millisecond)
		}
	}()
	return nil
}

// twice sends some messages twice.
func twice(some func(any) bool) fault {
	return func(s *stream, m any) error {
		if some(m) {
			return s.send(m, m)
		}
		return s.send(m)
	}
}

// swapped sends every second of some messages before the one before it.
func swapped(some func(any) bool) fault {
	return func(s *stream, m any) error {
		if !some(m) {
			return s.send(m)
		}
		if s.held == nil {
			s.held = m
			return nil
		}
		first := s.held
		s.held = nil
		return s.send(m, first)
	}
}

// invalid breaks the UTF-8 of the texts of a message.
func invalid[M proto.Message](s *stream, m any) error {
	e, ok := m.(M)
	if !ok {
		return s.send(m)
	}
	b, err := garbled(e)
	return errors.Join(err, s.send(b))
}

// garbled is a message in which no text is valid UTF-8.
func garbled(m proto.Message) (raw, error) {
	const mark = "a text of the rogue"
	m = proto.Clone(m)
	fill(m.ProtoReflect(), mark)
	b, err := proto.Marshal(m)
	return bytes.ReplaceAll(b, []byte(mark), append([]byte{0xff}, mark[1:]...)), err
}

// fill sets each text of a message, and of those within it that are there.
func fill(m protoreflect.Message, text string) {
	all := m.Descriptor().Fields()
	for i := range all.Len() {
		f := all.Get(i)
		switch {
		case f.IsMap() || f.ContainingOneof() != nil && !m.Has(f):
		case f.IsList() && f.Message() != nil:
			for k := range m.Get(f).List().Len() {
				fill(m.Get(f).List().Get(k).Message(), text)
			}
		case f.IsList():
		case f.Kind() == protoreflect.StringKind:
			m.Set(f, protoreflect.ValueOfString(text))
		case f.Message() != nil && m.Has(f):
			fill(m.Get(f).Message(), text)
		}
	}
}

func never[M any]() fault { return only[M](func(*stream, any) error { select {} }) }

// idle sends one message for ever, in the place of the first of its kind.
func idle[M any](nothing M) fault {
	return only[M](func(s *stream, _ any) error {
		for {
			if err := s.send(nothing); err != nil {
				return err
			}
		}
	})
}

// tiny sends 200,000 batches of one record, before what it has to say, each with a cursor.
func tiny(s *stream, m any) error {
	if _, ok := m.(*pluginv1.CollectEvent); ok && s.n == 1 {
		for i := range 200000 {
			b := &pluginv1.RecordBatch{Records: []*pluginv1.Record{{Text: fmt.Sprint("tiny ", i)}}, Cursor: fmt.Append(nil, i)}
			if err := s.send(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Batch{Batch: b}}); err != nil {
				return err
			}
		}
	}
	return s.send(m)
}

// hardLinked gives its checkpoint another name, and writes to that once the host has it.
func hardLinked(s *stream, m any) error {
	if e, ok := m.(*pluginv1.TrainEvent); ok && e.GetCheckpoint() != nil {
		path := filepath.Join(s.work, e.GetCheckpoint().Output.Path)
		if err := errors.Join(os.Link(path, path+"-too"), s.send(m)); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		return os.WriteFile(path+"-too", []byte("written to later"), 0o644)
	}
	return s.send(m)
}

// endless sends samples for ever.
func endless(s *stream, m any) error {
	if _, ok := m.(*pluginv1.GenerateEvent); !ok {
		return s.send(m)
	}
	for {
		if err := s.send(&pluginv1.GenerateEvent{Event: &pluginv1.GenerateEvent_Batch{Batch: &pluginv1.RecordBatch{Records: []*pluginv1.Record{{Text: "more"}}}}}); err != nil {
			return err
		}
	}
}

// noise writes to standard output, where a handshake was before, and much to standard error.
func noise(s *stream, m any) error {
	if s.n == 1 {
		line := bytes.Repeat([]byte("noise "), 20000)
		for range 256 { // 30 MB
			_, _ = os.Stdout.Write(line)
			_, _ = os.Stderr.Write(line)
		}
	}
	return s.send(m)
}

// warnings says far too much, in the terminal's own language.
func warnings(s *stream, m any) error {
	if s.n == 1 {
		for range 100000 {
			d := &pluginv1.Diagnostic{Severity: pluginv1.Diagnostic_SEVERITY_WARNING, Summary: "Look\x1b[2J\x1b]0;owned\a here", Detail: "\u202eno"}
			if err := s.send(&pluginv1.CollectEvent{Event: &pluginv1.CollectEvent_Diagnostic{Diagnostic: d}}); err != nil {
				return err
			}
		}
	}
	return s.send(m)
}
