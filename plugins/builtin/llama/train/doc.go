// Package train fits a model to sequences of tokens.
//
// # Mental model
//
// Gorgonia holds the graph of one pass over a batch, derives the gradient's graph from it, runs both on its tape machine
// and defines the solver's interface. The operations are our own and fused, one per step of a decoder block (norm,
// projection, attention, SwiGLU, residual, loss), each with its gradient written by hand: a dozen nodes a layer, whose
// arithmetic is package kernel's.
//
// A batch is ragged: its sequences lie packed one after the other in n rows, one row a predicted token. The graph is
// built for a capacity of rows and is rebuilt when a batch needs more; operations compute the n active rows and leave
// the rest alone, so there is no padding and the capacity does not influence a result.
//
// Operations own their output buffers. Three kinds of buffers are shared on purpose, and gorgonia sees them as ordinary
// values: the gradient of the residual stream is one buffer that every layer adds to in place; a gradient that the next
// operation of the backward chain consumes at once is shared between layers; and the parameters' gradients are views of
// one slice, to which passes add until a step is complete.
//
// # What a result depends on
//
// A step is a pure function of the parameters, the moments, the step's number, the seed, the options and the sequences
// in their order. It does not depend on the number of threads, nor on where a run was interrupted. Dropout is a hash of
// seed, step, place in the network, sequence and element. Between kinds of processors results differ in the last bits,
// see package kernel.
//
// # Caveats
//
// One Trainer is used by one goroutine. A step of more than Options.MaxRows rows is computed in several passes whose
// gradients add up; the loss is weighed over the whole step, so the cut shows only in rounding.
package train
