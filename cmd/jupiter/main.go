// Command jupiter plans and applies the self-improvement of domain language models.
//
// One file holds one command: its options, its cobra definition, and a plain function that does the work and writes to
// the command's output. A view_*.go file renders a value and decides nothing; what is written as text and what --json
// writes come from the same value. open.go puts together what commands share: configuration, state, plugin host, runner.
//
// The same program serves the built-in plugins: the host executes it again as "jupiter plugin-serve NAME", and starts every
// plugin by way of "jupiter plugin-confine", which restricts itself first.
package main

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"time"

	"jupiter/runtime"
)

// The program's exit codes.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2 // plan --detailed-exitcode found something to do
	exitHalted      = 3 // the collapse guard stopped a cycle
	exitEnvelope    = 4 // what was approved, or a budget, is used up
	exitInterrupted = 130
)

// world is what one execution sees of its surroundings. Below this package nothing reads a clock, the environment or
// the standard streams by itself.
type world struct {
	args       []string // without the program's name
	in         io.Reader
	out, err   io.Writer
	environ    []string
	now        func() time.Time
	executable func() (string, error) // what the host executes to serve a built-in plugin
	hook       func(step string)      // called at each of state.Steps; nil: not at all
	force      bool                   // see runtime.Runner.Force; only a test sets it

	project runtime.Filed // of the configuration that was read: where the report of a plugin's fault goes
}

func main() {
	w := here()
	collectLess(w)
	os.Exit(run(context.Background(), w))
}

// collectLess has garbage collected half as often as Go would, unless the user has said how often. A command is over soon
// and keeps most of what it makes: a plan of 10,000 stages takes a sixth less CPU for a third more memory. A process that
// serves a plugin trains models, and is left alone.
func collectLess(w *world) {
	if _, set := w.getenv("GOGC"); !set && (len(w.args) == 0 || w.args[0] != serveCommand) {
		debug.SetGCPercent(200)
	}
}

// here is the world of the process.
func here() *world {
	return &world{args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ(), now: time.Now, executable: os.Executable}
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, w *world) int {
	root := newRootCommand(w)
	root.SetArgs(w.args)
	root.SetIn(w.in)
	root.SetOut(w.out)
	root.SetErr(w.err)
	cmd, err := root.ExecuteContextC(ctx)
	return report(w, cmd, err)
}
