package host

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
)

// ErrStopped is in the error of a call whose process the host ended: its grace period was over, or the host was closed.
var ErrStopped = errors.New("stopped")

var errClosed = fmt.Errorf("%w: the plugin host is closed", ErrStopped)

// StageError is an error that a stage returned. Its process is well.
type StageError struct {
	Plugin  string
	Stage   string // kind and type: "trainer llama"
	Code    string // of gRPC: "Unknown" for a plain error, "Internal" for a panic, "InvalidArgument" for a configuration
	Message string
}

// MayPass says whether the stage expects that another try may do.
func (e *StageError) MayPass() bool { return e.Code == codes.Aborted.String() }

// Error names the plugin too, where the stage is not called like it.
func (e *StageError) Error() string {
	if _, typ, _ := strings.Cut(e.Stage, " "); typ == e.Plugin {
		return fmt.Sprintf("%s: %s", e.Stage, e.Message)
	}
	return fmt.Sprintf("plugin %s, %s: %s", e.Plugin, e.Stage, e.Message)
}

// Crash says how a plugin's process died in the middle of a call, or before it could take one.
type Crash struct {
	Plugin   string
	Version  string // "" where the process died before it told
	Checksum string // SHA-256 of the executable, in hexadecimal
	PID      int
	ExitCode int    // -1 where a signal ended it
	Signal   string // "killed"; "" where it exited
	OOM      bool   // it ran out of memory, or the kernel killed it for that
	Stalled  bool   // the host killed it: no message for Options.StallAfter
	Crowded  bool   // it started more processes than it may have
	Detail   string // more on why, "" where nothing more is known
	Stderr   []string
	Call     string // ID of the call; "" where there was none
	Stage    string // kind and type, and the method: "trainer llama, Train"
	Item     string // what was in work: "prompt q17", "after step 300"; "" where unknown
}

func (e *Crash) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plugin %s", e.Plugin)
	if e.Version != "" {
		fmt.Fprintf(&b, " %s", e.Version)
	}
	switch {
	case e.Stalled:
		b.WriteString(" stalled")
	case e.OOM:
		fmt.Fprintf(&b, " ran out of memory (%s)", e.how())
	case e.Crowded:
		fmt.Fprintf(&b, " started too many processes (%s)", e.how())
	default:
		fmt.Fprintf(&b, " crashed (%s)", e.how())
	}
	if e.Stage != "" {
		fmt.Fprintf(&b, " in %s", e.Stage)
	}
	if e.Item != "" {
		fmt.Fprintf(&b, ", %s", e.Item)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	more(&b, e.Checksum, e.Stderr)
	return b.String()
}

// Again says whether it would come to the same another time: it needs more than it may have.
func (e *Crash) Again() bool { return e.OOM || e.Crowded }

func (e *Crash) how() string {
	if e.Signal != "" {
		return "signal: " + e.Signal
	}
	return fmt.Sprintf("exit status %d", e.ExitCode)
}

// ProtocolError says that a program does not speak the plugin protocol, or breaks it.
type ProtocolError struct {
	Plugin   string
	Version  string
	Checksum string
	Detail   string
	Stderr   []string
	Stage    string // as in Crash; "" where it was in no call
	Item     string // as in Crash
}

func (e *ProtocolError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plugin %s", e.Plugin)
	if e.Version != "" {
		fmt.Fprintf(&b, " %s", e.Version)
	}
	b.WriteString(" breaks the protocol")
	if e.Stage != "" {
		fmt.Fprintf(&b, " in %s", e.Stage)
	}
	if e.Item != "" {
		fmt.Fprintf(&b, ", %s", e.Item)
	}
	fmt.Fprintf(&b, ": %s", e.Detail)
	more(&b, e.Checksum, e.Stderr)
	return b.String()
}

// more is what a report says below its first line.
func more(b *strings.Builder, checksum string, stderr []string) {
	if checksum != "" {
		fmt.Fprintf(b, "\nits executable: sha256:%s", checksum)
	}
	if len(stderr) > 0 {
		b.WriteString("\nits last lines on standard error:")
		for _, l := range stderr {
			b.WriteString("\n  " + l)
		}
	}
}
