package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// each reads a stream to its end.
func each[E any](recv func() (E, error), f func(E) error) error {
	for {
		e, err := recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f(e)
		}
		if err != nil {
			return err
		}
	}
}

// sendAll sends a request in parts, and ends it. Where the other side has ended the call already the reason comes with what
// is received.
func sendAll[M any](stream interface {
	Send(M) error
	CloseSend() error
}, parts ...M) error {
	for _, m := range parts {
		if err := stream.Send(m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

// wireOf gives a message as bytes that are equal where messages are.
func wireOf(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return []byte("not encodable: " + err.Error())
	}
	return b
}

// transcript gathers what came out of a call, as bytes that are equal where what came out is. How it was dealt out to
// messages, progress and warnings are no part of it.
type transcript struct {
	b bytes.Buffer
	n int
}

func (t *transcript) add(m proto.Message) {
	fmt.Fprintf(&t.b, "%x\n", wireOf(m))
	t.n++
}

func (t *transcript) note(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

// differ says where two outcomes part.
func differ(a, b []byte) string {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(as), len(bs)) {
		if !bytes.Equal(as[i], bs[i]) {
			return fmt.Sprintf("item %d of %d is not the same", i+1, len(as)-1)
		}
	}
	return fmt.Sprintf("%d items, then %d", len(as)-1, len(bs)-1)
}

// short shows a message in an error.
func short(m proto.Message) string {
	s := prototext.MarshalOptions{}.Format(m)
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return fmt.Sprintf("%q", s)
}
