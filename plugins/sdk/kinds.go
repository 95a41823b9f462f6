package sdk

import (
	"context"
	"fmt"
	"slices"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// Collector makes a stage that reads real records from a source. collect emits them in an order that depends on the
// source alone; a batch's cursor is what Call.Cursor holds when the call is resumed after that batch.
func Collector[C any](name string, o Options, collect func(ctx context.Context, c *Call, cfg C, emit func(*RecordBatch) error) error) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_COLLECTOR, name, o)
	s.collect = func(ctx context.Context, c *Call, config []byte, emit func(*RecordBatch) error) error {
		cfg, err := decode(config)
		if err != nil {
			return err
		}
		return collect(ctx, c, cfg, emit)
	}
	return s
}

// Judge decides which records to keep. One Judge serves one call, from one goroutine. Where it is an io.Closer too, it
// is closed when the call ends.
type Judge interface {
	// Refer shows records that count as already seen. All of them come before the first Judge.
	Refer(records []*Record) error
	// Judge gives one verdict a record, in order. Verdict.Id may be left empty.
	Judge(records []*Record) ([]*Verdict, error)
}

// Filter makes a stage that keeps or drops records. open makes the Judge of one call.
func Filter[C any](name string, o Options, open func(ctx context.Context, c *Call, cfg C) (Judge, error)) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_FILTER, name, o)
	s.filter = func(ctx context.Context, c *Call, config []byte) (Judge, error) {
		cfg, err := decode(config)
		if err != nil {
			return nil, err
		}
		return open(ctx, c, cfg)
	}
	return s
}

// Verifier makes a domain's judge. open gives the function that judges items of one call: one judgement an item, in
// order; Judgement.Id may be left empty.
func Verifier[C any](name string, o Options, open func(ctx context.Context, c *Call, cfg C) (func([]*VerifyItem) ([]*Judgement, error), error)) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_VERIFIER, name, o)
	s.verify = func(ctx context.Context, c *Call, config []byte) (func([]*VerifyItem) ([]*Judgement, error), error) {
		cfg, err := decode(config)
		if err != nil {
			return nil, err
		}
		return open(ctx, c, cfg)
	}
	return s
}

// GeneratorImpl runs a language model.
type GeneratorImpl[C any] interface {
	// Generate draws the samples that req asks for. Sample i of a set depends on Call.Seed, the set and i alone, so that
	// a resumed call draws what the interrupted one would have.
	Generate(ctx context.Context, c *Call, cfg C, req *GenerateRequest, emit func(*RecordBatch) error) error
	// Complete answers prompts, one completion each, in order. model is nil for the base generator that the
	// configuration names. Completion.PromptId may be left empty.
	Complete(ctx context.Context, c *Call, cfg C, model *Artifact, s *Sampling, prompts []*Prompt, emit func(*Completion) error) error
}

// Streamer is what a GeneratorImpl may be too: one that shows completions while it writes them. The stage has the feature
// "stream" then, without naming it in its Options. Draft has the pieces of a text.
type Streamer[C any] interface {
	// Stream is Complete, and gives piece what is certain of a completion before it is there. The pieces of a prompt, one
	// after another, are the beginning of its completion's text; Piece.PromptId says whose it is. The pieces of several
	// prompts come as they are written. piece and emit are called from one goroutine at a time.
	Stream(ctx context.Context, c *Call, cfg C, model *Artifact, s *Sampling, prompts []*Prompt, piece func(*Piece) error, emit func(*Completion) error) error
}

// StreamFeature is the feature of a generator that is a Streamer; ChatFeature that of one that takes Prompt.messages.
const (
	StreamFeature = "stream"
	ChatFeature   = "chat"
)

// Scorer is what a GeneratorImpl may be too: one that knows how likely a text is. The stage has the feature "score" then,
// without naming it in its Options.
type Scorer[C any] interface {
	// Score gives the log-likelihoods of continuations, one event an item, in order; LikelihoodEvent.PromptId may be
	// left empty.
	Score(ctx context.Context, c *Call, cfg C, model *Artifact, items []*LikelihoodItem, emit func(*LikelihoodEvent) error) error
}

// ScoreFeature is the feature of a generator that is a Scorer.
const ScoreFeature = "score"

// Generator makes a stage that runs a language model. Where g is a Scorer too, it scores; where it is a Streamer, it shows
// what it writes; where it is an Importer, it takes models from elsewhere.
func Generator[C any](name string, o Options, g GeneratorImpl[C]) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_GENERATOR, name, o)
	s.generator = &generatorFuncs{
		generate: func(ctx context.Context, c *Call, config []byte, req *GenerateRequest, emit func(*RecordBatch) error) error {
			cfg, err := decode(config)
			if err != nil {
				return err
			}
			return g.Generate(ctx, c, cfg, req, emit)
		},
		complete: func(ctx context.Context, c *Call, config []byte, model *Artifact, sampling *Sampling, prompts []*Prompt, emit func(*Completion) error) error {
			cfg, err := decode(config)
			if err != nil {
				return err
			}
			return g.Complete(ctx, c, cfg, model, sampling, prompts, emit)
		},
	}
	scores(s, decode, g)
	streams(s, decode, g)
	takesModels(s, decode, g)
	return s
}

// streams gives a generator its pieces, where the implementation has them.
func streams[C any](s *stage, decode func([]byte) (C, error), impl any) {
	st, ok := impl.(Streamer[C])
	named := slices.Contains(s.info.Features, StreamFeature)
	if !ok && named {
		panic(fmt.Sprintf("sdk: generator %q names the feature %q, and %T is no sdk.Streamer[%T]", s.info.Name, StreamFeature, impl, *new(C)))
	} else if !ok {
		return
	}
	if !named {
		s.info.Features = append(slices.Clip(s.info.Features), StreamFeature)
	}
	s.generator.stream = func(ctx context.Context, c *Call, config []byte, model *Artifact, sampling *Sampling, prompts []*Prompt, piece func(*Piece) error, emit func(*Completion) error) error {
		cfg, err := decode(config)
		if err != nil {
			return err
		}
		return st.Stream(ctx, c, cfg, model, sampling, prompts, piece, emit)
	}
}

// scores gives a generator its scoring, where the implementation has it. One that is named and not there is a mistake in
// the method's signature.
func scores[C any](s *stage, decode func([]byte) (C, error), impl any) {
	sc, ok := impl.(Scorer[C])
	named := slices.Contains(s.info.Features, ScoreFeature)
	if !ok && named {
		panic(fmt.Sprintf("sdk: generator %q names the feature %q, and %T is no sdk.Scorer[%T]", s.info.Name, ScoreFeature, impl, *new(C)))
	} else if !ok {
		return
	}
	if !named {
		s.info.Features = append(slices.Clip(s.info.Features), ScoreFeature)
	}
	s.generator.score = func(ctx context.Context, c *Call, config []byte, model *Artifact, items []*LikelihoodItem, emit func(*LikelihoodEvent) error) error {
		cfg, err := decode(config)
		if err != nil {
			return err
		}
		return sc.Score(ctx, c, cfg, model, items, emit)
	}
}

// TrainerImpl trains a model.
type TrainerImpl[C any] interface {
	// Train goes from req.FromStep to req.ToStep and emits checkpoints in rising order of steps. When Call.Stopped is
	// closed it emits one of where it stands, and returns nil.
	Train(ctx context.Context, c *Call, cfg C, req *TrainRequest, emit func(*Checkpoint) error) error
	// Estimate forecasts req.Items steps; EstimateResponse.Records is how many records they read.
	Estimate(cfg C, req *EstimateRequest) (*EstimateResponse, error)
}

// Trainer makes a stage that trains a model. Where t is an Importer too, it starts from models from elsewhere.
func Trainer[C any](name string, o Options, t TrainerImpl[C]) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_TRAINER, name, o)
	s.train = func(ctx context.Context, c *Call, config []byte, req *TrainRequest, emit func(*Checkpoint) error) error {
		cfg, err := decode(config)
		if err != nil {
			return err
		}
		return t.Train(ctx, c, cfg, req, emit)
	}
	s.estimate = func(req *EstimateRequest) (*EstimateResponse, error) {
		cfg, err := decode(req.GetConfig().GetJson())
		if err != nil {
			return nil, err
		}
		return t.Estimate(cfg, req)
	}
	takesModels(s, decode, t)
	return s
}

// EvaluatorImpl makes benchmarks and judges answers.
type EvaluatorImpl[C any] interface {
	// Prepare picks or builds the benchmark's questions.
	Prepare(ctx context.Context, c *Call, cfg C, req *PrepareRequest, emit func([]*Question) error) error
	// Score judges answers. It is pure: its result depends on cfg and answers alone. QuestionScore.PromptId names the
	// question.
	Score(ctx context.Context, c *Call, cfg C, answers []*Answer) ([]*QuestionScore, error)
}

// Evaluator makes a stage that prepares a benchmark and scores answers to it.
func Evaluator[C any](name string, o Options, e EvaluatorImpl[C]) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_EVALUATOR, name, o)
	s.evaluator = &evaluatorFuncs{
		prepare: func(ctx context.Context, c *Call, config []byte, req *PrepareRequest, emit func([]*Question) error) error {
			cfg, err := decode(config)
			if err != nil {
				return err
			}
			return e.Prepare(ctx, c, cfg, req, emit)
		},
		score: func(ctx context.Context, c *Call, config []byte, answers []*Answer) ([]*QuestionScore, error) {
			cfg, err := decode(config)
			if err != nil {
				return nil, err
			}
			return e.Score(ctx, c, cfg, answers)
		},
	}
	return s
}

// Exporter makes a stage that turns a checkpoint into files that a Generator runs. Output.Path is relative to
// Call.WorkDir. Where the checkpoint is an adapter, Call.Base is the model that it adapts.
func Exporter[C any](name string, o Options, export func(ctx context.Context, c *Call, cfg C, checkpoint *Artifact, emit func(*Output) error) error) Stage {
	s, decode := newStage[C](pluginv1.Kind_KIND_EXPORTER, name, o)
	s.export = func(ctx context.Context, c *Call, config []byte, checkpoint *Artifact, emit func(*Output) error) error {
		cfg, err := decode(config)
		if err != nil {
			return err
		}
		return export(ctx, c, cfg, checkpoint, emit)
	}
	return s
}
