package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"jupiter/plugins/schema"
)

// deathGrace is how long the host waits to see a process die whose connection broke.
const deathGrace = 2 * time.Second

// explain puts the host's error in the place of gRPC's.
func (c *conn) explain(ctx context.Context, p *process, method string, t *tracker, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", c.stage, context.Cause(ctx))
	}
	st, ok := status.FromError(err)
	if !ok {
		return fmt.Errorf("%s: %w", c.stage, err) // no status: the message could not be encoded
	}
	// A broken connection shows as one of these. The SDK keeps them out of a stage's own errors.
	if st.Code() == codes.Unavailable || st.Code() == codes.Canceled {
		select {
		case <-p.exited():
		case <-time.After(deathGrace):
		}
	}
	if !p.alive() && st.Code() != codes.Unknown {
		return c.died(p, method, t)
	}
	if st.Code() == codes.Unavailable && p.conn.GetState() != connectivity.Ready {
		err := c.broken(p, "it closed its connection and lives on", method, t)
		p.kill(err)
		return err
	}
	if detail := violation(st); detail != "" {
		return c.broken(p, c.pool.host.Hide(detail), method, t)
	}
	return &StageError{Plugin: p.name, Stage: c.stage, Code: st.Code().String(), Message: schema.Printable(c.pool.host.Hide(st.Message()), maxMessage)}
}

// violation recognises what gRPC itself says of a server that is not what it should be.
func violation(st *status.Status) string {
	m := st.Message()
	switch st.Code() {
	case codes.Unimplemented:
		if strings.HasPrefix(m, "unknown service") || strings.HasPrefix(m, "unknown method") {
			return "it lists a stage that it does not serve: " + m
		}
	case codes.ResourceExhausted:
		if strings.HasPrefix(m, "grpc: received message larger than max") {
			return fmt.Sprintf("a message holds at most %d bytes: %s", maxReceive, strings.TrimPrefix(m, "grpc: "))
		}
	case codes.Internal:
		if strings.HasPrefix(m, "grpc:") {
			return strings.TrimPrefix(m, "grpc: ")
		}
	}
	return ""
}

// maxMessage bounds what a stage's error may say, in characters.
const maxMessage = 8 << 10

func (c *conn) broken(p *process, detail, method string, t *tracker) error {
	e := p.protocolError(detail).(*ProtocolError)
	e.Version, e.Stage = c.version, c.inMethod(method)
	_, e.Item = t.item()
	e.Item = c.pool.host.Hide(e.Item)
	return e
}

// inMethod names a stage and one of its methods: "trainer llama, Train".
func (c *conn) inMethod(method string) string {
	return fmt.Sprintf("%s, %s", c.stage, method[strings.LastIndexByte(method, '/')+1:])
}

// died says how the process of a call ended.
func (c *conn) died(p *process, method string, t *tracker) error {
	p.end() // waits for its last words
	cause := p.killedFor()
	var s *stall
	switch {
	case errors.As(cause, &s), tooGreedy(cause):
	case errors.Is(cause, ErrStopped):
		return fmt.Errorf("%s: %w", c.stage, cause)
	case cause != nil:
		return cause
	}
	detail := ""
	if cause != nil {
		detail = cause.Error()
	}
	crash := p.crash(detail)
	crash.Version, crash.Stalled = c.version, s != nil
	crash.Stage = c.inMethod(method)
	crash.Call, crash.Item = t.item()
	crash.Item = c.pool.host.Hide(crash.Item)
	return crash
}
