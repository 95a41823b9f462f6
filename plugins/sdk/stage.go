package sdk

import (
	"context"
	"fmt"
	"regexp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// Stage is one implementation that a plugin offers, made by the constructor of its kind. The constructors panic when a
// name or a configuration type cannot be served: both are fixed when the plugin is compiled.
type Stage interface {
	stage() *stage
}

// stage is a Stage with its configuration type erased: every function takes the configuration as JSON.
type stage struct {
	info        *pluginv1.Stage
	check       func(config []byte, runsModels bool) []*Diagnostic
	estimate    func(*EstimateRequest) (*EstimateResponse, error)                   // nil: not offered
	fingerprint func(ctx context.Context, config []byte) (digest string, err error) // nil: not offered
	look        func(ctx context.Context, config []byte) ([]*Finding, error)        // nil: not offered

	// Generators and trainers only; nil: not offered.
	importModel func(ctx context.Context, c *Call, config []byte, path string, emit func(*Output) error) error

	// The one that belongs to info.Kind is set.
	collect   func(ctx context.Context, c *Call, config []byte, emit func(*RecordBatch) error) error
	filter    func(ctx context.Context, c *Call, config []byte) (Judge, error)
	verify    func(ctx context.Context, c *Call, config []byte) (func([]*VerifyItem) ([]*Judgement, error), error)
	generator *generatorFuncs
	train     func(ctx context.Context, c *Call, config []byte, req *TrainRequest, emit func(*Checkpoint) error) error
	evaluator *evaluatorFuncs
	export    func(ctx context.Context, c *Call, config []byte, checkpoint *Artifact, emit func(*Output) error) error
}

func (s *stage) stage() *stage { return s }

type generatorFuncs struct {
	generate func(ctx context.Context, c *Call, config []byte, req *GenerateRequest, emit func(*RecordBatch) error) error
	complete func(ctx context.Context, c *Call, config []byte, model *Artifact, s *Sampling, prompts []*Prompt, emit func(*Completion) error) error

	// nil: not offered.
	stream func(ctx context.Context, c *Call, config []byte, model *Artifact, s *Sampling, prompts []*Prompt, piece func(*Piece) error, emit func(*Completion) error) error
	score  func(ctx context.Context, c *Call, config []byte, model *Artifact, items []*LikelihoodItem, emit func(*LikelihoodEvent) error) error
}

type evaluatorFuncs struct {
	prepare func(ctx context.Context, c *Call, config []byte, req *PrepareRequest, emit func([]*Question) error) error
	score   func(ctx context.Context, c *Call, config []byte, answers []*Answer) ([]*QuestionScore, error)
}

// A configuration type may have these methods.
type (
	validator interface{ Validate() []*Diagnostic }

	// Of a generator: what is wrong where it will be handed models to run.
	modelValidator interface{ ValidateModels() []*Diagnostic }

	estimator interface {
		Estimate(*EstimateRequest) (*EstimateResponse, error)
	}
	fingerprinter interface {
		Fingerprint(ctx context.Context) (digest string, err error)
	}
	checker interface {
		Check(ctx context.Context) []*Finding
	}
)

// newStage makes what all kinds have in common, and the decoder of configuration type C.
func newStage[C any](kind pluginv1.Kind, name string, o Options) (*stage, func([]byte) (C, error)) {
	if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(name) {
		panic(fmt.Sprintf("sdk: stage name %q is no word of a-z, 0-9 and _", name))
	}
	l := layoutOf[C](name)
	decode := func(config []byte) (C, error) {
		var c C
		err := l.decode(config, &c)
		return c, err
	}
	s := &stage{
		info: &pluginv1.Stage{
			Kind: kind, Name: name, Schema: l.schema(o.Description), Revision: o.Revision,
			Deterministic: o.Deterministic, Resumable: o.Resumable, NeedsNetwork: o.NeedsNetwork, Concurrent: o.Concurrent,
			Consumes: o.Consumes, Produces: o.Produces, Features: o.Features,
		},
		check: func(config []byte, runsModels bool) (diags []*Diagnostic) {
			c, err := decode(config)
			if err != nil {
				return []*Diagnostic{configDiagnostic(err)}
			}
			if v, ok := methods[validator](&c); ok {
				diags = v.Validate()
			}
			if v, ok := methods[modelValidator](&c); ok && runsModels {
				diags = append(diags, v.ValidateModels()...)
			}
			return diags
		},
	}
	if _, ok := methods[estimator](new(C)); ok {
		s.estimate = func(req *EstimateRequest) (*EstimateResponse, error) {
			c, err := decode(req.GetConfig().GetJson())
			if err != nil {
				return nil, err
			}
			e, _ := methods[estimator](&c)
			return e.Estimate(req)
		}
	}
	if _, ok := methods[fingerprinter](new(C)); ok {
		s.fingerprint = func(ctx context.Context, config []byte) (string, error) {
			c, err := decode(config)
			if err != nil {
				return "", err
			}
			f, _ := methods[fingerprinter](&c)
			return f.Fingerprint(ctx)
		}
	}
	if _, ok := methods[checker](new(C)); ok {
		s.look = func(ctx context.Context, config []byte) ([]*Finding, error) {
			c, err := decode(config)
			if err != nil {
				return nil, err
			}
			k, _ := methods[checker](&c)
			return k.Check(ctx), nil
		}
	}
	return s, decode
}

// methods gives *c as an M. The method set of a pointer has the methods of the value too.
func methods[M, C any](c *C) (M, bool) {
	m, ok := any(c).(M)
	return m, ok
}
