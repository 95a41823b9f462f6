package train

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var (
	matrixType = G.TensorType{Dims: 2, Of: tensor.Float32}
	vectorType = G.TensorType{Dims: 1, Of: tensor.Float32}
	scalarType = tensor.Float32
)

// op is a fused operation as gorgonia sees it. It owns its output, so that a pass allocates next to nothing: the tape
// machine throws its own allocations away after every run.
type op struct {
	name  string
	id    int // unique in the graph: gorgonia merges operations with equal hashes
	in    []hm.Type
	out   hm.Type
	shape tensor.Shape
	args  [][]float32 // of the run at hand
	// run computes into the output's data; scalar operations give their value instead.
	run    func(in [][]float32) error
	scalar func(in [][]float32) (float32, error)
	value  G.Value // the output
}

func (o *op) Arity() int                                     { return len(o.in) }
func (o *op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }
func (o *op) ReturnsPtr() bool                               { return false }
func (o *op) CallsExtern() bool                              { return false }
func (o *op) OverwritesInput() int                           { return -1 }
func (o *op) String() string                                 { return fmt.Sprintf("%s#%d", o.name, o.id) }
func (o *op) WriteHash(h hash.Hash)                          { fmt.Fprint(h, o.String()) }

func (o *op) Type() hm.Type {
	return hm.NewFnType(append(append([]hm.Type{}, o.in...), o.out)...)
}

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// Do runs the operation on the values of its inputs.
func (o *op) Do(values ...G.Value) (G.Value, error) {
	for i, v := range values {
		x, err := numbers(v)
		if err != nil {
			return nil, fmt.Errorf("%v, input %d: %w", o, i, err)
		}
		o.args[i] = x
	}
	if o.scalar == nil {
		return o.value, o.run(o.args)
	}
	x, err := o.scalar(o.args)
	return G.NewF32(x), err
}

// numbers is the data of a float32 value.
func numbers(v G.Value) ([]float32, error) {
	switch x := v.(type) {
	case *tensor.Dense:
		data, ok := x.Data().([]float32)
		if !ok {
			return nil, fmt.Errorf("a tensor of %v, not float32", x.Dtype())
		}
		return data, nil
	case *G.F32:
		return []float32{float32(*x)}, nil
	}
	return nil, fmt.Errorf("a value of type %T", v)
}

// diffOp is an operation that gorgonia can differentiate.
type diffOp struct {
	*op
	// wrt says for which inputs the gradient is wanted.
	wrt []bool
	// diff makes the nodes of the inputs' gradients: nil where wrt is false.
	diff func(in G.Nodes, out, grad *G.Node) (G.Nodes, error)
}

func (d *diffOp) DiffWRT(int) []bool { return d.wrt }

func (d *diffOp) SymDiff(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
	return d.diff(in, out, grad)
}
