package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
	"jupiter/plugins/sdk"
)

// conn is what the generated clients of one stage speak through. It finds the process for each call when the call is
// made, and puts the host's errors in the place of gRPC's.
type conn struct {
	pool      *pool
	stage     string // kind and type, for errors: "trainer llama"
	version   string
	exclusive bool // one call at a time in a process

	schema *schema.Stage // nil: calls that are of no stage
	limits Limits
	stall  time.Duration // 0: Options.StallAfter
	names  string        // see profile
}

func (c *conn) acquire(ctx context.Context) (*call, error) {
	want, err := c.pool.host.profileOf(c.schema, c.limits, c.names)
	if err != nil {
		return nil, err
	}
	if c.exclusive {
		return c.pool.acquire(ctx, c.stage, &want)
	}
	return c.pool.acquire(ctx, "", &want)
}

// anywhere enters a call of Info, Validate and the like: any process will do, unless the stage has to look around in the
// network for the answer.
func (c *conn) anywhere(ctx context.Context) (*call, error) {
	if c.schema != nil && c.schema.NeedsNetwork {
		want, err := c.pool.host.profileOf(c.schema, Limits{}, c.names)
		if err != nil {
			return nil, err
		}
		return c.pool.acquire(ctx, "", &want)
	}
	return c.pool.acquire(ctx, "", nil)
}

// done ends a call, and lets who waits for its process have it.
func (c *conn) done(l *call) {
	l.release()
	if c.exclusive {
		c.pool.notify()
	}
}

// Invoke makes a call with one request and one response.
func (c *conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	l, err := c.anywhere(ctx)
	if err != nil {
		return err
	}
	defer l.release()
	t := &tracker{}
	t.send(args)
	w := newWatchdog(l.process, c.patience(method))
	w.set(true)
	defer w.set(false)
	if err = l.process.conn.Invoke(ctx, method, args, reply, opts...); err != nil {
		return c.explain(ctx, l.process, method, t, err)
	}
	if wrong := c.judged(method, t.receive(reply)); wrong != "" { // figures that nobody needs to go on: the process may
		return c.broken(l.process, c.pool.host.Hide(wrong), method, t)
	}
	return nil
}

// judged is what becomes of what is wrong with a message; "": it goes through.
func (c *conn) judged(method, wrong string) string {
	tell := c.pool.host.opts.Breached
	if tell == nil || wrong == "" || wrong == tooMany {
		return wrong
	}
	tell(c.stage, method[strings.LastIndexByte(method, '/')+1:], wrong)
	return ""
}

// stallAfter is how long the stage may owe a message.
func (c *conn) stallAfter() time.Duration { return cmp.Or(c.stall, c.pool.host.opts.StallAfter) }

// patience is how long a call with one answer may take. What a plugin says of itself and of a configuration needs no look at
// the world; a fingerprint may.
func (c *conn) patience(method string) time.Duration {
	o, stall := c.pool.host.opts, c.stallAfter()
	limit := o.AnswerWithin
	switch method {
	case pluginv1.Plugin_Fingerprint_FullMethodName, pluginv1.Plugin_Check_FullMethodName:
		return stall
	case pluginv1.Plugin_Info_FullMethodName:
		limit = o.StartTimeout
	}
	if stall == 0 {
		return limit
	}
	return min(limit, stall)
}

// ended ends a process that breaks the protocol, and says how it does.
func (c *conn) ended(p *process, wrong, method string, t *tracker) error {
	err := c.broken(p, c.pool.host.Hide(wrong), method, t)
	p.kill(err)
	return err
}

// NewStream makes a call with a stream in either direction, or both.
func (c *conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	l, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	t := &tracker{sent: !desc.ClientStreams, stopping: &l.stopping}
	inner, err := l.process.conn.NewStream(ctx, desc, method, opts...)
	if err != nil {
		c.done(l)
		return nil, c.explain(ctx, l.process, method, t, err)
	}
	s := &stream{ClientStream: inner, conn: c, call: l, ctx: ctx, method: method, single: !desc.ServerStreams, track: t}
	s.watch = newWatchdog(l.process, c.stallAfter())
	// A caller that gives up may never read again. Where it has by now, unhook is not set yet.
	s.unhook = context.AfterFunc(ctx, s.release)
	return s, nil
}

// stream is one call. Like gRPC's it takes one goroutine that sends and one that receives.
type stream struct {
	grpc.ClientStream
	conn   *conn
	call   *call
	ctx    context.Context
	method string
	single bool // one response, and the stream is over
	track  *tracker
	watch  *watchdog
	unhook func() bool

	mu                 sync.Mutex
	sending, receiving bool
}

// SendMsg sends a request, in parts where it is over gRPC's limit.
func (s *stream) SendMsg(m any) error {
	parts := []proto.Message{}
	if pm, ok := m.(proto.Message); ok {
		var err error
		if parts, err = sdk.Parts(pm); err != nil {
			return fmt.Errorf("%s: %w", s.conn.stage, err)
		}
	}
	s.waiting(&s.sending, true)
	defer s.waiting(&s.sending, false)
	for _, p := range parts {
		s.track.send(p)
		if err := s.ClientStream.SendMsg(p); err != nil {
			if errors.Is(err, io.EOF) {
				return err // RecvMsg has the reason
			}
			return s.over(err)
		}
		s.waiting(&s.sending, true)
	}
	return nil
}

// CloseSend says that nothing more will be sent.
func (s *stream) CloseSend() error {
	s.track.closed()
	err := s.ClientStream.CloseSend()
	s.mu.Lock()
	s.rearm()
	s.mu.Unlock()
	return err
}

// RecvMsg gives the next message, io.EOF at the end, or one of the host's errors.
func (s *stream) RecvMsg(m any) error {
	s.waiting(&s.receiving, true)
	err := s.ClientStream.RecvMsg(m)
	s.waiting(&s.receiving, false)
	if err != nil {
		return s.over(err)
	}
	if wrong := s.conn.judged(s.method, s.track.receive(m)); wrong != "" {
		err := s.conn.ended(s.call.process, wrong, s.method, s.track)
		s.finish()
		return err
	}
	if s.single {
		s.finish()
	}
	return nil
}

func (s *stream) waiting(what *bool, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what = on
	s.rearm()
}

// rearm starts the time for a stall anew, or stops it where no message is due. s.mu is held.
func (s *stream) rearm() { s.watch.set(s.sending || s.receiving && s.track.due()) }

func (s *stream) over(err error) error {
	s.finish()
	if err == io.EOF {
		return err
	}
	return s.conn.explain(s.ctx, s.call.process, s.method, s.track, err)
}

func (s *stream) finish() {
	s.unhook()
	s.release()
}

// release lets others have the process. It may be called more than once.
func (s *stream) release() {
	s.watch.set(false)
	s.conn.done(s.call)
}

// watchdog kills a process that owes a message for too long.
type watchdog struct {
	after time.Duration // 0: never
	fire  func()

	mu    sync.Mutex
	timer *time.Timer
}

func newWatchdog(p *process, after time.Duration) *watchdog {
	return &watchdog{after: after, fire: func() { p.kill(&stall{after}) }}
}

// set starts the time anew, or stops it.
func (w *watchdog) set(on bool) {
	if w.after == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if on {
		w.timer = time.AfterFunc(w.after, w.fire)
	}
}

// stall is why the host killed a process that went silent.
type stall struct{ after time.Duration }

func (s *stall) Error() string { return fmt.Sprintf("no message for %s", s.after) }
