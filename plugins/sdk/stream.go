package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// Limits of the protocol, in bytes of the encoded message.
const (
	maxBatch   = 1 << 20       // of the records of one batch
	maxRecord  = 3 << 20       // of a record that goes alone
	maxMessage = 4<<20 - 1<<10 // gRPC's default limit, less room for the frame around a part
)

// outlet serialises what a call sends: a gRPC stream takes messages from one goroutine at a time, and a stage may emit
// from several. After close it takes nothing more, so a goroutine that outlives its call cannot touch the stream.
type outlet[E proto.Message] struct {
	mu     sync.Mutex
	stream interface {
		Send(E) error
		Context() context.Context
	}
	err error
}

var errCallOver = errors.New("the call is over")

func (o *outlet[E]) put(e E, what string) error {
	if err := fits(e, what); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	if err := o.stream.Send(e); err != nil {
		if ctx := o.stream.Context(); ctx.Err() != nil {
			err = ctx.Err()
		}
		o.err = err
	}
	return o.err
}

func (o *outlet[E]) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = errCallOver
	}
}

// report connects a call's progress and diagnostics to the stream. Either may be nil: the stream has no place for it.
func (o *outlet[E]) report(c *Call, progress func(*pluginv1.Progress) E, diagnostic func(*Diagnostic) E) {
	if progress != nil {
		c.progress = func(p *pluginv1.Progress) {
			_ = o.put(progress(p), "progress") // the next emit, or the host, meets the same error
		}
	}
	if diagnostic != nil {
		c.diagnostic = func(d *Diagnostic) {
			if o.put(diagnostic(d), "a diagnostic") != nil {
				fmt.Fprintf(os.Stderr, "warning: %s: %s\n", d.Summary, d.Detail)
			}
		}
	}
}

// fits refuses a message over gRPC's limit, by the name of what it holds.
func fits(m proto.Message, what string) error {
	if n := proto.Size(m); n > maxMessage {
		return status.Errorf(codes.ResourceExhausted, "%s: %d bytes, and a message holds at most %d", what, n, maxMessage)
	}
	return nil
}

// broken is the error of a stage that does not keep the protocol's promises.
func broken(format string, args ...any) error {
	return status.Errorf(codes.Internal, "the stage breaks the protocol: "+format, args...)
}

// receive hands over what the host sends until it has sent all (io.EOF), the call is stopped (io.EOF) or ctx ends. Its
// goroutine ends with the handler, which ends the stream.
func receive[T any](ctx context.Context, c *Call, recv func() (T, error)) func() (T, error) {
	type item struct {
		v   T
		err error
	}
	items := make(chan item)
	go func() {
		for {
			v, err := recv()
			select {
			case items <- item{v, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return func() (T, error) {
		var none T
		if c.IsStopped() {
			return none, io.EOF
		}
		select {
		case it := <-items:
			return it.v, it.err
		case <-c.Stopped:
			return none, io.EOF
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// gather reads a request that comes in parts, to its end.
func gather[T any](recv func() (T, error), part func(T) error) error {
	for {
		m, err := recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := part(m); err != nil {
			return err
		}
	}
}
