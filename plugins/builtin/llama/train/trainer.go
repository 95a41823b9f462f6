package train

import (
	"errors"
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
)

// Options are what training needs beside the model and the data.
type Options struct {
	Threads      int     // workers, at least 1; no influence on results
	Dropout      float64 // of both branches of a block, in [0, 1)
	WeightDecay  float64 // decoupled, of matrices
	Beta1, Beta2 float64 // of AdamW, in [0, 1)
	Clip         float64 // largest norm of the gradient of all parameters together; 0: no limit
	Seed         uint64  // of dropout
	MaxRows      int     // rows of one pass; 0: DefaultMaxRows
	OneRate      bool    // all parameters learn at one rate, as those of a model from elsewhere have; else see model.EmbedScale
}

// DefaultMaxRows bounds the memory of activations: a step with more rows is computed in several passes.
const DefaultMaxRows = 4096

func (o Options) validate() error {
	switch {
	case o.Threads < 1:
		return fmt.Errorf("%d threads", o.Threads)
	case !(o.Dropout >= 0 && o.Dropout < 1):
		return fmt.Errorf("dropout %g outside [0, 1)", o.Dropout)
	case !(o.WeightDecay >= 0) || math.IsInf(o.WeightDecay, 0):
		return fmt.Errorf("weight decay %g", o.WeightDecay)
	case !(o.Beta1 >= 0 && o.Beta1 < 1 && o.Beta2 >= 0 && o.Beta2 < 1):
		return fmt.Errorf("betas %g and %g outside [0, 1)", o.Beta1, o.Beta2)
	case !(o.Clip >= 0):
		return fmt.Errorf("clip %g", o.Clip)
	case o.MaxRows < 0:
		return fmt.Errorf("%d rows", o.MaxRows)
	}
	return nil
}

// Moments are AdamW's state: running means of the gradients and of their squares, as Weights.Flat, and the number of
// updates that made them.
type Moments struct {
	M, V    []float32
	Updates uint64
}

// Trainer trains one model. Its weights are updated in place.
type Trainer struct {
	options Options
	weights *model.Weights
	grads   []float32
	pool    *kernel.Pool
	rope    *model.Rope
	batch   *batch
	graph   *graph
	solver  *adamW
	norms   []float64 // sums of squares of the gradients' chunks
}

// New makes a trainer of w, which it updates in place. moments is nil for a fresh start; it is copied. Close the trainer
// when done.
func New(w *model.Weights, moments *Moments, o Options) (*Trainer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.MaxRows == 0 {
		o.MaxRows = DefaultMaxRows
	}
	n := len(w.Flat)
	s := &adamW{beta1: o.Beta1, beta2: o.Beta2, decay: o.WeightDecay, m: make([]float32, n), v: make([]float32, n)}
	if !o.OneRate {
		s.rates = rates(w)
	}
	if moments != nil {
		if len(moments.M) != n || len(moments.V) != n {
			return nil, fmt.Errorf("moments of %d and %d numbers for %d parameters", len(moments.M), len(moments.V), n)
		}
		copy(s.m, moments.M)
		copy(s.v, moments.V)
		s.updates = moments.Updates
	}
	t := &Trainer{options: o, weights: w, grads: make([]float32, n), pool: kernel.NewPool(o.Threads), batch: &batch{}, solver: s}
	s.pool = t.pool
	t.rope = model.NewRope(w.Config, w.Context)
	return t, nil
}

// Close ends the trainer's workers.
func (t *Trainer) Close() {
	t.pool.Close()
	if t.graph != nil {
		// The tape machine holds memory only.
		t.graph = nil
	}
}

// Weights are the parameters as they stand.
func (t *Trainer) Weights() *model.Weights { return t.weights }

// Moments are the optimizer's state as it stands: a view, valid until the next step.
func (t *Trainer) Moments() Moments {
	return Moments{M: t.solver.m, V: t.solver.v, Updates: t.solver.updates}
}

// StepResult says how a step went.
type StepResult struct {
	Loss     float64 // Σ w·nll / Σ w before the update, in nats a token
	GradNorm float64 // Euclidean norm of the gradient of all parameters, before clipping
	Rows     int     // predictions
}

// ErrNotFinite is returned by Step when the loss or the gradient is infinite or not a number. No update was made.
var ErrNotFinite = errors.New("loss or gradient is not finite")

// Step makes one update from the sequences at learning rate lr.
func (t *Trainer) Step(seqs []Sequence, lr float64) (StepResult, error) {
	var r StepResult
	var err error
	if r.Loss, r.Rows, err = t.gradients(seqs); err != nil {
		return r, err
	}
	r.GradNorm = t.gradNorm()
	if !finite(r.Loss) || !finite(r.GradNorm) {
		return r, ErrNotFinite
	}
	t.solver.lr, t.solver.clip = lr, 1
	if c := t.options.Clip; c > 0 && r.GradNorm > c {
		t.solver.clip = c / r.GradNorm
	}
	var solver G.Solver = t.solver
	return r, solver.Step(t.graph.params)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// gradients computes the loss of a step and leaves its gradient in t.grads.
func (t *Trainer) gradients(seqs []Sequence) (loss float64, rows int, err error) {
	var total float64
	for i, s := range seqs {
		if err := s.check(i, t.weights.Config); err != nil {
			return 0, 0, err
		}
		for _, w := range s.Weights[1:] {
			total += float64(w)
		}
		rows += s.rows()
	}
	if total == 0 {
		return 0, 0, errors.New("no token of the step has a weight in the loss")
	}
	clear(t.grads)
	key := mix(t.options.Seed) ^ mix(t.solver.updates)
	for first := 0; first < len(seqs); {
		last, n := first, 0
		for last < len(seqs) && (n == 0 || n+seqs[last].rows() <= t.options.MaxRows) {
			n += seqs[last].rows()
			last++
		}
		if err := t.room(n); err != nil {
			return 0, 0, err
		}
		t.batch.fill(seqs[first:last], first, total, key)
		part, err := t.graph.pass()
		if err != nil {
			return 0, 0, err
		}
		loss += part
		first = last
	}
	return loss, rows, nil
}

// room makes sure that the graph takes n rows.
func (t *Trainer) room(n int) error {
	if t.graph != nil && t.graph.capacity >= n {
		return nil
	}
	capacity := (n + n/8 + 63) / 64 * 64
	t.graph = nil // free its buffers before the next one's are made
	g, err := build(t.weights, t.grads, t.batch, t.pool, t.rope, t.options.Dropout, capacity)
	t.graph = g
	return err
}

// normGrain is the number of gradients whose squares are summed in one go. The sums are added in order, so that the norm
// does not depend on the number of threads.
const normGrain = 1 << 12

func (t *Trainer) gradNorm() float64 {
	chunks := (len(t.grads) + normGrain - 1) / normGrain
	if len(t.norms) < chunks {
		t.norms = make([]float64, chunks)
	}
	t.pool.For(chunks, 4, func(_, lo, hi int) {
		for c := lo; c < hi; c++ {
			part := t.grads[c*normGrain : min(len(t.grads), (c+1)*normGrain)]
			t.norms[c] = float64(kernel.Dot(part, part))
		}
	})
	var sum float64
	for _, x := range t.norms[:chunks] {
		sum += x
	}
	return math.Sqrt(sum)
}
