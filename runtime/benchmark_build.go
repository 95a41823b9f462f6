package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"jupiter/plan/config"
	"jupiter/runtime/questions"
	"jupiter/state/durable"
)

// BuildOptions bound the making of a benchmark.
type BuildOptions struct {
	MaxTokens uint64 // 0: as the teacher's budget says
	Progress  func(BuildProgress)
}

// BuildProgress says how far a benchmark is.
type BuildProgress struct {
	Items, Wanted int
	Tokens        uint64
}

// Built says what became of a benchmark.
type Built struct {
	Domain    string         `json:"domain"`
	Directory string         `json:"directory"`
	Documents int            `json:"documents"`
	Skipped   []Skipped      `json:"skipped"`
	Passages  int            `json:"passages"`
	Asked     int            `json:"asked"`   // passages that the teacher was asked about
	Replies   map[string]int `json:"replies"` // without questions, by reason
	Kinds     []BuiltKind    `json:"kinds"`
	Judged    map[string]int `json:"judged"` // by status
	Splits    []BuiltSplit   `json:"splits"` // none where the work is not done
	Gains     []BuiltGain    `json:"gains"`
	Tokens    Tokens         `json:"tokens"`
	Model     string         `json:"changed_model,omitempty"` // the teacher is another model than the one that gave earlier replies
	Ended     string         `json:"ended,omitempty"`         // the budget that ended the work before it was done
	Waits     int            `json:"waits,omitempty"`         // candidates that somebody must look at before there are splits
}

// BuiltKind counts the candidates of one kind.
type BuiltKind struct {
	Kind    string         `json:"kind"`
	Kept    int            `json:"kept"`
	Dropped map[string]int `json:"dropped"` // by reason
}

// BuiltSplit is one split.
type BuiltSplit struct {
	Name     string `json:"name"`
	Items    int    `json:"items"`
	Clusters int    `json:"clusters"` // documents
	Few      bool   `json:"few"`      // fewer clusters than the gate decides on
}

// BuiltGain is what the gate of a cycle can show with these items.
type BuiltGain struct {
	Cycle  string  `json:"cycle,omitempty"` // "": no cycle has the domain, and the defaults are taken
	Items  uint64  `json:"items"`           // of the gate pool that decide
	Points float64 `json:"points"`          // of the composite score, × 100
}

// Tokens are those of this build, as the teacher counts them.
type Tokens struct {
	Prompt     uint64  `json:"prompt"`
	Completion uint64  `json:"completion"`
	USD        float64 `json:"usd,omitempty"`
}

// build is one making of a benchmark.
type build struct {
	r       *Runner
	d       *config.Domain
	b       *config.Build
	o       BuildOptions
	teacher *teacher // nil: none is needed
	replies *replies
	began   time.Time
	head    teacherLine
	out     *Built

	introduced bool
}

// BuildBenchmark makes the benchmark of a domain from its documents, going on from what is there. What is done of it when ctx or
// a budget ends is kept, and the splits stay as they were. Who calls it holds the lock of the directory.
func (r *Runner) BuildBenchmark(ctx context.Context, d *config.Domain, o BuildOptions) (out *Built, err error) {
	b := &build{r: r, d: d, b: d.Evaluation.Build, o: o, began: r.Clock()}
	b.out = &Built{Domain: d.Name(), Directory: b.b.Directory, Judged: map[string]int{}, Skipped: []Skipped{}, Splits: []BuiltSplit{}, Gains: []BuiltGain{}}
	docs, skipped, err := readDocuments(b.b.Documents, b.b.Written)
	if err != nil {
		return nil, err
	}
	b.out.Documents, b.out.Skipped = len(docs), append(b.out.Skipped, skipped...)
	if len(docs) == 0 {
		return b.out, errors.New("no document can be read")
	}
	before, err := ReadCandidates(b.b.Directory)
	if err != nil {
		return nil, err
	}
	if b.teacher, err = r.teacherOf(d); err != nil {
		return nil, err
	}
	if b.replies, err = openReplies(filepath.Join(b.b.Directory, repliesFile)); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.replies.close()) }()
	scores, err := b.known(ctx)
	if err != nil {
		return nil, err
	}
	made := questions.New(docs, questions.Options{Items: int(b.b.Items), Kinds: b.b.Kinds, Seed: b.b.Seed, SecondPass: b.b.SecondPass, Scores: scores, Rejected: rejected(before)})
	asked := b.ask(ctx, made)
	if asked != nil && !errors.Is(asked, errBudget) && ctx.Err() == nil {
		return nil, asked
	}
	return b.out, errors.Join(b.write(made, docs, before, asked), ctx.Err())
}

func rejected(before []Candidate) map[string]bool {
	m := map[string]bool{}
	for _, c := range before {
		m[c.ID] = c.Status == StatusRejected
	}
	return m
}

// known finds out whether the teacher tells likelihoods, once for all builds: what is asked hangs on it.
func (b *build) known(ctx context.Context) (bool, error) {
	if b.teacher == nil {
		return false, nil
	}
	b.head = b.replies.last[b.teacher.id]
	b.head.Teacher = b.teacher.id
	if !b.b.SecondPass || !slices.Contains(b.b.Kinds, questions.Cloze) {
		return false, nil
	}
	if b.head.Scores == nil {
		scores, err := b.teacher.scores(ctx)
		if err != nil {
			return false, err
		}
		b.head.Scores = &scores
	}
	return *b.head.Scores, nil
}

// errBudget ends a build whose budget is used up.
var errBudget = errors.New("the budget is used up")

// ask asks what is to be asked, until there are enough items or nothing is left.
func (b *build) ask(ctx context.Context, made *questions.Builder) error {
	for {
		asks := made.Next(func(key string) (questions.Reply, bool) {
			if b.teacher == nil {
				return questions.Reply{}, false
			}
			r, ok := b.replies.of[b.teacher.id+key]
			return r, ok
		})
		if b.o.Progress != nil {
			b.o.Progress(BuildProgress{len(made.Kept()), int(b.b.Items), b.out.Tokens.Prompt + b.out.Tokens.Completion})
		}
		if len(asks) == 0 {
			return nil
		}
		if err := b.introduce(ctx); err != nil {
			return err
		}
		for _, group := range alikeAsks(asks) {
			if why := b.spent(); why != "" {
				b.out.Ended = why
				return errBudget
			}
			if err := b.put(ctx, group); err != nil {
				return err
			}
		}
	}
}

// introduce writes down who gives the replies that follow, before the first is asked for. Another model under the same name is
// told, and earlier replies stay: they were paid for.
func (b *build) introduce(ctx context.Context) error {
	if b.introduced {
		return nil
	}
	b.introduced = true
	model, err := b.teacher.model(ctx)
	if err != nil {
		return err
	}
	if b.head.Model != "" && model != b.head.Model {
		b.out.Model = model
	}
	b.head.Model = model
	return b.replies.add(replyLine{teacherLine: b.head})
}

// alikeAsks are the asks in groups that one call can hold: of one length, and of one sort.
func alikeAsks(asks []questions.Ask) (groups [][]questions.Ask) {
	for _, a := range asks {
		n := len(groups)
		if n > 0 && groups[n-1][0].MaxTokens == a.MaxTokens && (groups[n-1][0].Options == nil) == (a.Options == nil) {
			groups[n-1] = append(groups[n-1], a)
		} else {
			groups = append(groups, []questions.Ask{a})
		}
	}
	return groups
}

// put asks the teacher, and keeps each reply as soon as it is there.
func (b *build) put(ctx context.Context, asks []questions.Ask) error {
	prompts, options := make([]string, len(asks)), make([][]string, len(asks))
	for i, a := range asks {
		prompts[i], options[i] = a.Prompt, a.Options
	}
	keep := func(i int, l replyLine) error {
		b.replies.of[b.teacher.id+asks[i].Key] = l.Reply
		b.out.Tokens.Prompt += l.Prompt
		b.out.Tokens.Completion += l.Completion
		if p := b.teacher.stage.Prices; p != nil {
			b.out.Tokens.USD += p.Of(float64(l.Prompt), float64(l.Completion))
		}
		l.Key = asks[i].Key
		return b.replies.add(l)
	}
	if options[0] != nil {
		return b.teacher.likelihoods(ctx, prompts, options, func(i int, scores []float64, tokens uint64) error {
			return keep(i, replyLine{Reply: questions.Reply{Scores: scores}, Prompt: tokens})
		})
	}
	return b.teacher.complete(ctx, prompts, asks[0].MaxTokens, func(i int, c Completed) error {
		return keep(i, replyLine{Reply: questions.Reply{Text: c.Text, Cut: c.Finish == "length"}, Prompt: c.PromptTokens, Completion: c.CompletionTokens})
	})
}

// spent says which budget is used up; "": none.
func (b *build) spent() string {
	t, budget := b.out.Tokens, b.teacher.stage.Budget
	tokens := cmp.Or(b.o.MaxTokens, budget.Tokens)
	switch {
	case tokens > 0 && t.Prompt+t.Completion >= tokens:
		return fmt.Sprintf("%d tokens are spent", t.Prompt+t.Completion)
	case budget.USD > 0 && t.USD >= budget.USD:
		return fmt.Sprintf("%.2f US dollars are spent", t.USD)
	case budget.Hours > 0 && b.r.Clock().Sub(b.began).Hours() >= budget.Hours:
		return fmt.Sprintf("%g hours are over", budget.Hours)
	}
	return ""
}

// write writes the candidates and, where the work is done, the splits.
func (b *build) write(made *questions.Builder, docs []questions.Document, before []Candidate, ended error) error {
	all := merge(made.Candidates(), before, ended == nil)
	b.out.Passages, b.out.Asked, b.out.Replies = made.Passages(), made.Asked(), made.Replies()
	lines := b.deal(all, docs)
	b.count(all)
	if err := WriteCandidates(b.b.Directory, all); err != nil || ended != nil {
		return err
	}
	for _, name := range splitOrder(b.b) {
		if len(lines[name]) > 0 {
			continue
		}
		if b.out.Waits = b.out.Judged[StatusNew]; b.b.Reviewed && b.out.Waits > 0 {
			return nil
		}
		return fmt.Errorf("no item is left for the split %q of %s, so the splits stay as they were", name, b.d.Addr)
	}
	for _, name := range splitOrder(b.b) {
		if err := replaceLines(filepath.Join(b.b.Directory, name+".jsonl"), lines[name]); err != nil {
			return err
		}
	}
	b.describe(lines)
	return nil
}

func splitOrder(b *config.Build) []string {
	if b.HeldOut == 0 {
		return []string{"dev", "gate"}
	}
	return []string{"validation", "dev", "gate"}
}

// BenchmarkDirectory makes the directory of a benchmark, so that its lock can be taken.
func BenchmarkDirectory(b *config.Build) error { return durable.Mkdir(b.Directory) }
