package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"jupiter/plan"
	"jupiter/plan/planfile"
	"jupiter/plugins/schema"
	"jupiter/state/durable"
)

// A detached run is the program once more, in a session of its own, with a saved plan for its approval. The process that
// asked shares one pipe with it, as descriptor 3: the run writes a line there once it has begun, and the end of the pipe
// without that line says that it never will.

// What the holder of the operation lock is called. jupiter stop and status tell applies by them.
const (
	applyName    = "jupiter apply"
	detachedName = "jupiter apply --detach"
)

// asRun is the flag, in no help, that makes an apply the process of a detached run.
const asRun = "as-run"

// begunFile is the descriptor on which a detached run says that it has begun.
const begunFile = 3

// maxShown bounds what is shown of the log of a run that did not begin.
const maxShown = 64 << 10

// handover is how long the new process waits for the lock that this one gives back: who looks at it holds it for a moment.
const handover = 10 * time.Second

func (o *applyOptions) addHidden(f *pflag.FlagSet) {
	f.StringVar(&o.as, asRun, "", "do a detached run")
	f.Lookup(asRun).Hidden = true
}

// detached is what apply --detach --json writes.
type detached struct {
	Schema string `json:"schema"`
	Run    string `json:"run"`
	PID    int    `json:"pid"`
	Log    string `json:"log"`
}

// detach has another process do what was approved, and returns once that one has begun.
func (p *project) detach(ctx context.Context, o *applyOptions, made *plan.Plan, base planfile.Base) (err error) {
	run, err := newRunID(p.w.now())
	if err != nil {
		return err
	}
	if err := durable.Mkdir(logDir(p.cfg.StateDir)); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	limitEnvelope(made, max(1, made.Envelope.Cycles)) // as every saved plan's is
	approved := runFile(p.cfg.StateDir, run, planSuffix)
	defer func() { err = errors.Join(err, os.RemoveAll(approved)) }() // read by then, or of no use
	if err := p.save(approved, made, base); err != nil {
		return err
	}
	log := runFile(p.cfg.StateDir, run, logSuffix)
	cmd, err := p.again(o, run, approved)
	if err != nil {
		return err
	}
	if err := p.Close(); err != nil { // the lock is the other's from here on
		return err
	}
	begun, err := startDetached(ctx, cmd, log)
	if err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	if !begun {
		return errors.Join(p.w.notBegun(cmd, log), removeRun(p.cfg.StateDir, run))
	}
	if o.json {
		return p.w.json(detached{"jupiter.detached/v1", run, cmd.Process.Pid, log})
	}
	viewDetached(p.w.out, run, cmd.Process.Pid, log, p.at())
	return nil
}

// again is the command that does the run. Its directory and its environment are those of this process: variables' files
// are relative to the one, and their values may come from the other.
func (p *project) again(o *applyOptions, run, approved string) (*exec.Cmd, error) {
	exe, err := p.w.executable()
	if err != nil {
		return nil, fmt.Errorf("find the program itself: %w", err)
	}
	if approved, err = filepath.Abs(approved); err != nil {
		return nil, err
	}
	args := []string{"apply", "--" + asRun, run, "--parallelism", strconv.Itoa(o.parallel), "--lock-timeout", handover.String()}
	for _, v := range o.vars {
		args = append(args, "--var", v)
	}
	for _, f := range o.varFiles {
		args = append(args, "--var-file", f)
	}
	cmd := exec.Command(exe, append(args, approved)...)
	cmd.Env = p.w.environ
	return cmd, nil
}

// startDetached starts the command and waits until it says that its run has begun, or has ended. Where ctx ends before
// that, the command is told to end.
func startDetached(ctx context.Context, cmd *exec.Cmd, log string) (begun bool, err error) {
	if err := ownSession(cmd); err != nil {
		return false, err
	}
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return false, err
	}
	defer out.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return false, err
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = out, out, []*os.File{write} // ExtraFiles[0] is descriptor 3
	err = cmd.Start()
	write.Close()
	if err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(os.Interrupt) })
	defer stop()
	line, err := bufio.NewReader(io.LimitReader(read, 256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return strings.HasPrefix(line, "begun "), nil
}

// notBegun shows why a run did not begin, and gives its exit status.
func (w *world) notBegun(cmd *exec.Cmd, log string) error {
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("detach: %w", err)
	}
	said, err := os.ReadFile(log)
	if err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	said = said[max(0, len(said)-maxShown):]
	fmt.Fprintln(w.err, schema.Printable(string(said), maxShown))
	status := cmd.ProcessState.ExitCode()
	if status == exitDone { // it found that nothing was left to do
		return nil
	}
	fmt.Fprintf(w.err, "\nThe run did not begin: %s.\n", cmd.ProcessState)
	if status < 0 { // killed
		status = exitError
	}
	return code(status)
}

// tellBegun gives what says on the shared pipe that a detached run has begun. The plugins do not inherit the pipe.
func tellBegun(run string) (func(), error) {
	f, err := inherited(begunFile)
	if err != nil {
		return nil, fmt.Errorf("--%s is for the program itself: jupiter apply --detach starts a run that goes on by itself", asRun)
	}
	return func() {
		fmt.Fprintf(f, "begun %s\n", run) // who asked may be gone
		f.Close()
	}, nil
}

// viewDetached says what was started, and what to type.
func viewDetached(out io.Writer, run string, pid int, log, at string) {
	fmt.Fprintf(out, "\nRun %s goes on by itself, as process %d. It outlives this terminal.\nIts log is %s\n\n", run, pid, log)
	for _, c := range [][2]string{{"attach", "watch it, and come back with its exit status"}, {"logs --follow", "what it says"}, {"status", "what it does, and how far it is"}, {"stop", "have it save and end"}} {
		fmt.Fprintf(out, "  jupiter %s  %s\n", pad(c[0]+at, 13+columns(at)), c[1])
	}
}
