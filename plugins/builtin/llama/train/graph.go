package train

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
)

// graph is the compiled pass over a batch of up to capacity rows.
type graph struct {
	capacity int
	machine  G.VM
	loss     *G.Node
	params   []G.ValueGrad // in the order of Weights.Params
}

// pass runs the graph once: it gives the loss and adds to the gradients.
func (g *graph) pass() (float64, error) {
	defer g.machine.Reset()
	if err := g.machine.RunAll(); err != nil {
		return 0, err
	}
	x, err := numbers(g.loss.Value())
	if err != nil {
		return 0, err
	}
	return float64(x[0]), nil
}

// param joins a parameter's node with its gradient's for the solver.
type param struct {
	model.Param
	node, grad *G.Node
}

func (p param) Value() G.Value         { return p.node.Value() }
func (p param) Grad() (G.Value, error) { return p.grad.Value(), nil }

// builder makes the nodes of one graph.
type builder struct {
	graph    *G.ExprGraph
	pool     *kernel.Pool
	batch    *batch
	config   model.Config
	rope     *model.Rope
	dropout  float64
	capacity int
	nextID   int
	params   []param
	grads    []float32 // of all parameters, as Weights.Flat
	shared   map[string][]float32
}

// build makes the graph of the model's loss and of its gradients. grads is as long as w.Flat.
func build(w *model.Weights, grads []float32, b *batch, pool *kernel.Pool, rope *model.Rope, dropout float64, capacity int) (*graph, error) {
	m := &builder{
		graph: G.NewGraph(), pool: pool, batch: b, config: w.Config, rope: rope, dropout: dropout, capacity: capacity,
		grads: grads, shared: map[string][]float32{},
	}
	if err := m.leaves(w); err != nil {
		return nil, err
	}
	loss, err := m.network()
	if err != nil {
		return nil, err
	}
	nodes := make(G.Nodes, len(m.params))
	for i, p := range m.params {
		nodes[i] = p.node
	}
	// gorgonia.Grad would do, but its constant 1 is shared by all graphs of the process and not safe for concurrent use.
	one := m.graph.AddNode(G.NewConstant(float32(1)))
	gradients, err := G.Backpropagate(G.Nodes{loss}, G.Nodes{one}, nodes)
	if err != nil {
		return nil, fmt.Errorf("differentiate the model: %w", err)
	}
	g := &graph{capacity: capacity, loss: loss}
	for i := range m.params {
		m.params[i].grad = gradients[i]
		g.params = append(g.params, m.params[i])
	}
	g.machine = G.NewTapeMachine(m.graph)
	return g, nil
}

// leaves makes the parameters' nodes: their values are the weights themselves, not copies.
func (m *builder) leaves(w *model.Weights) error {
	for _, p := range w.Params() {
		shape := tensor.Shape(p.Shape)
		value := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(p.Data))
		node := G.NewTensor(m.graph, tensor.Float32, len(shape), G.WithShape(shape...), G.WithName(p.Name), G.WithValue(value))
		backing, err := numbers(node.Value())
		if err != nil {
			return err
		}
		if &backing[0] != &p.Data[0] {
			return fmt.Errorf("gorgonia copied parameter %s", p.Name)
		}
		m.params = append(m.params, param{Param: p, node: node})
	}
	return nil
}

// network chains the operations of the model, from tokens to the loss.
func (m *builder) network() (*G.Node, error) {
	rest := m.params
	take := func() param {
		p := rest[0]
		rest = rest[1:]
		return p
	}
	embed := take()
	tie := &tie{}
	x, err := m.embed(embed, tie)
	for layer := range m.config.Layers {
		if err != nil {
			return nil, err
		}
		x, err = m.block(x, layer, take)
	}
	if err != nil {
		return nil, err
	}
	h, err := m.norm(x, take(), nil)
	if err != nil {
		return nil, err
	}
	if m.config.Tied {
		return m.crossEntropy(h, embed, tie)
	}
	return m.crossEntropy(h, take(), nil)
}

// block is one decoder block.
func (m *builder) block(x *G.Node, layer int, take func() param) (*G.Node, error) {
	attnNorm, qkv, o, ffnNorm, gateUp, down := take(), take(), take(), take(), take(), take()
	skip := newSkip()
	h, err := m.norm(x, attnNorm, skip)
	if err != nil {
		return nil, err
	}
	if h, err = m.rotaryLinear(h, qkv); err != nil {
		return nil, err
	}
	if h, err = m.attention(h); err != nil {
		return nil, err
	}
	if x, err = m.residual(x, h, o, skip, 2*layer); err != nil {
		return nil, err
	}
	skip = newSkip()
	if h, err = m.norm(x, ffnNorm, skip); err != nil {
		return nil, err
	}
	if h, err = m.linear(h, gateUp); err != nil {
		return nil, err
	}
	if h, err = m.swiglu(h); err != nil {
		return nil, err
	}
	return m.residual(x, h, down, skip, 2*layer+1)
}

// spec describes an operation to add to the graph.
type spec struct {
	name string
	in   G.Nodes
	// data is the output's memory, of the given shape; nil for an operation that gives a scalar.
	data   []float32
	shape  tensor.Shape
	run    func(in [][]float32) error
	scalar func(in [][]float32) (float32, error)
	// wrt and diff are there for an operation that is differentiated.
	wrt  []bool
	diff func(in G.Nodes, out, grad *G.Node) (G.Nodes, error)
}

// add makes an operation and applies it.
func (m *builder) add(s spec) (*G.Node, error) {
	m.nextID++
	o := &op{name: s.name, id: m.nextID, shape: s.shape, run: s.run, scalar: s.scalar, args: make([][]float32, len(s.in))}
	for _, n := range s.in {
		o.in = append(o.in, n.Type())
	}
	switch len(s.shape) {
	case 0:
		o.out, o.shape = scalarType, tensor.ScalarShape()
	case 1:
		o.out = vectorType
	default:
		o.out = matrixType
	}
	if s.scalar == nil {
		o.value = tensor.New(tensor.WithShape(s.shape...), tensor.WithBacking(s.data))
	}
	var applied G.Op = o
	if s.diff != nil {
		applied = &diffOp{op: o, wrt: s.wrt, diff: s.diff}
	}
	n, err := G.ApplyOp(applied, s.in...)
	if err != nil {
		return nil, fmt.Errorf("add %v to the graph: %w", o, err)
	}
	return n, nil
}

// rows is the shape of an activation.
func (m *builder) rows(cols int) tensor.Shape { return tensor.Shape{m.capacity, cols} }

// kept is memory for an activation that the backward pass needs again.
func (m *builder) kept(cols int) []float32 { return make([]float32, m.capacity*cols) }

// passing is memory for a gradient that the next operation of the backward chain consumes: all layers share it.
func (m *builder) passing(name string, cols int) []float32 {
	if m.shared[name] == nil {
		m.shared[name] = m.kept(cols)
	}
	return m.shared[name]
}

// stream is the gradient of the residual stream, one buffer for all layers.
func (m *builder) stream() []float32 { return m.passing("stream", m.config.Dim) }

// gradient is where passes add up a parameter's gradient.
func (m *builder) gradient(p param) []float32 { return m.grads[p.Offset:][:len(p.Data):len(p.Data)] }

// collected is the node of a parameter's gradient that operation after has already added up.
func (m *builder) collected(p param, after *G.Node) (*G.Node, error) {
	return m.add(spec{
		name: "gradient of " + p.Name, in: G.Nodes{after}, data: m.gradient(p), shape: p.Shape,
		run: func([][]float32) error { return nil },
	})
}
