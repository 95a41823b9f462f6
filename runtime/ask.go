package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/state"
)

// Prompt is what a generator is to go on with: a text, with a system message or without, or the turns of a chat in their
// place.
type Prompt struct {
	System, Text string
	Turns        []Turn
}

// Turn is a message of a chat.
type Turn struct{ Role, Content string }

// Sampling says how tokens are drawn and where a text ends. The zero value takes the likeliest token each time, and leaves
// the length to the generator.
type Sampling struct {
	Temperature       float64
	TopP              float64 // 0: from all
	TopK              uint32  // 0: from all
	MinP              float64 // 0: from all
	RepetitionPenalty float64 // 0: none
	MaxTokens         uint32
	Stop              []string
	JSONSchema        []byte // where the generator follows one
}

// Ask is what a generator is asked.
type Ask struct {
	Prompts  []Prompt
	Sampling Sampling
	Seed     uint64

	// Piece, unless nil, is told of a completion while it is written, where the generator shows it. All pieces of a prompt are
	// the beginning of its completion.
	Piece func(prompt int, p Piece) error
}

// Piece is a part of a completion, with the tokens that were written since the last one.
type Piece struct {
	Text   string
	Tokens []Token
}

// Token is what a model has written. Its text may be part of a character, and is empty where it ends a text.
type Token struct {
	ID      uint32
	Text    []byte
	LogProb float64 // natural
}

// Completed is the answer to a prompt.
type Completed struct {
	Text                           string
	Finish                         string // stop, length
	PromptTokens, CompletionTokens uint64 // 0: the generator does not say
}

// Model is a generator that can be asked.
type Model struct {
	Version uint64
	Digest  string
	Made    time.Time
	Current bool // the one in use

	// What it can do besides: show what it writes, take chats, follow a JSON schema.
	Streams, Chats, FollowsSchema bool

	of  *config.Cycle
	rec state.Generator
}

// Models lists the generators of a cycle that can be asked, oldest first: those whose files are kept. It reads the state
// anew, so that a promotion of another process is seen.
func (r *Runner) Models(ctx context.Context, cycle addr.Address) ([]Model, error) {
	c := r.cycle(cycle)
	if c == nil {
		return nil, fmt.Errorf("%s is not in the configuration", cycle)
	}
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return nil, err
	}
	var all []Model
	for _, g := range f.Generators {
		if g.Released || !r.has(g.Digest) {
			continue
		}
		all = append(all, askable(c, g, f.Current))
	}
	return all, nil
}

func askable(c *config.Cycle, g state.Generator, current uint64) Model {
	has := func(feature string) bool { return slices.Contains(runs(c, g).Body.Schema.Features, feature) }
	return Model{Version: g.Version, Digest: g.Digest, Made: g.CreatedAt, Current: g.Version == current,
		Streams: has("stream"), Chats: has("chat"), FollowsSchema: has("json_schema"), of: c, rec: g}
}

// runs is the block that runs a generator.
func runs(c *config.Cycle, g state.Generator) *config.Stage {
	if g.Base {
		return c.Generator
	}
	return c.Successor
}

// WarmUp starts the process that runs a generator, and does not wait for it.
func (r *Runner) WarmUp(ctx context.Context, m Model) error {
	st, err := r.stage(ctx, runs(m.of, m.rec))
	if err != nil {
		return err
	}
	r.Host.Warm(ctx, st)
	return nil
}

// Ask has a generator answer prompts, and gives the answers in order. It may be called from several goroutines; done and
// Piece are called from the caller's. Nothing is recorded.
func (r *Runner) Ask(ctx context.Context, m Model, a Ask, done func(prompt int, c Completed) error) (err error) {
	j, err := r.asking(ctx, m, a.Seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.cleanup()) }()
	ctx, cancel := context.WithCancel(ctx) // what a caller that fails leaves of the call ends with it
	defer cancel()
	var model *pluginv1.Artifact
	if m.rec.MediaType == ModelMediaType {
		model = j.artifact(m.Digest, m.rec.MediaType)
	}
	return j.put(ctx, model, m.Streams, a, done)
}

// asking is the action of a question, with an ID and a directory of its own.
func (r *Runner) asking(ctx context.Context, m Model, seed uint64) (*job, error) {
	if whole, err := r.whole(ctx, m.Digest); err != nil {
		return nil, err
	} else if !whole {
		return nil, fmt.Errorf("the bytes of generator_v%d (%s) are gone or damaged; jupiter plan says what to do", m.Version, m.Digest)
	}
	work, err := os.MkdirTemp("", "jupiter-ask-")
	if err != nil {
		return nil, err
	}
	stage := runs(m.of, m.rec)
	a := &plan.Action{Address: m.of.Addr.Child("sample"), Kind: plan.Generate, Cycle: m.of, Domain: m.of.Domain, Stage: stage,
		Judges: &plan.Judges{Runner: stage, Verifier: m.of.Domain.Verifier}}
	id := plan.Identity{ID: fmt.Sprintf("%016x", r.asked.Add(1)), Seed: seed}
	return &job{r: r, a: a, id: id, inputs: map[string]string{"model": m.Digest}, work: work}, nil
}

// put puts a question to the generator, which runs a model, or, with nil, the one that its block names.
func (j *job) put(ctx context.Context, model *pluginv1.Artifact, streams bool, a Ask, done func(int, Completed) error) error {
	st, err := j.r.stage(ctx, j.a.Stage)
	if err != nil {
		return err
	}
	call, err := j.call(j.a.Stage.Type, j.a.Stage.Body)
	if err != nil {
		return err
	}
	req := &pluginv1.CompleteRequest{Call: call, Sampling: a.Sampling.message(), Prompts: promptMessages(a.Prompts), Stream: a.Piece != nil && streams, Model: model}
	stream, err := st.Generator().Complete(ctx)
	if err != nil {
		return err
	}
	if err := ignoreEOF(stream.Send(req)); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	n := 0
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if d := e.GetDiagnostic(); d != nil {
			err = j.diagnostic(st, d)
		} else if p := e.GetPiece(); p != nil {
			i, _ := strconv.Atoi(p.PromptId) // the host has seen to it that it is one of those that were asked
			err = a.Piece(i, pieceOf(p))
		} else if c := e.GetCompletion(); c != nil {
			err = done(n, Completed{c.Text, cmp.Or(c.FinishReason, "stop"), c.PromptTokens, c.CompletionTokens})
			n++
		}
		if err != nil {
			return err
		}
	}
	if n < len(a.Prompts) {
		return st.Breach("Complete", "", "it ends after %d of %d completions", n, len(a.Prompts))
	}
	return nil
}

func (s Sampling) message() *pluginv1.Sampling {
	return &pluginv1.Sampling{Temperature: s.Temperature, TopP: s.TopP, TopK: s.TopK, MinP: s.MinP, RepetitionPenalty: s.RepetitionPenalty,
		MaxTokens: s.MaxTokens, Stop: s.Stop, JsonSchema: s.JSONSchema}
}

// promptMessages gives each prompt its place as an ID: what is drawn for it depends on that and the seed.
func promptMessages(prompts []Prompt) (all []*pluginv1.Prompt) {
	for i, p := range prompts {
		m := &pluginv1.Prompt{Id: strconv.Itoa(i), System: p.System, Text: p.Text}
		for _, t := range p.Turns {
			m.Messages = append(m.Messages, &pluginv1.Message{Role: t.Role, Content: t.Content})
		}
		all = append(all, m)
	}
	return all
}

func pieceOf(p *pluginv1.Piece) Piece {
	out := Piece{Text: p.Text}
	for _, t := range p.Tokens {
		out.Tokens = append(out.Tokens, Token{t.Id, t.Text, float64(t.Logprob)})
	}
	return out
}

// Refused gives what a generator says of a question that it cannot answer, however often it is asked; "": the error is
// another.
func Refused(err error) string {
	var said *host.StageError
	if errors.As(err, &said) && said.Code == "InvalidArgument" {
		return said.Message
	}
	return ""
}
