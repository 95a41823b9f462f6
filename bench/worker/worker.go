// Package worker runs the sides of a benchmark that are processes of their own: they build what is measured, say so, and then
// answer lines with lines of JSON. All are built before any is measured, and they take turns.
package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Worker is a process that answers lines with lines.
type Worker struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs bytes.Buffer
}

// Start starts a process, with env beside the environment that there is, and reads its first answer into hello.
func Start(ctx context.Context, env []string, program string, args []string, hello any) (*Worker, error) {
	w := &Worker{cmd: exec.CommandContext(ctx, program, args...)}
	w.cmd.Env = append(os.Environ(), env...)
	w.cmd.Stderr = &w.errs
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	if err := w.read(hello); err != nil {
		w.Stop()
		return nil, err
	}
	return w, nil
}

// Ask sends a line and reads the answer.
func (w *Worker) Ask(line string, answer any) error {
	if _, err := io.WriteString(w.in, line+"\n"); err != nil {
		return w.failed(err)
	}
	return w.read(answer)
}

func (w *Worker) read(answer any) error {
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return w.failed(err)
	}
	return json.Unmarshal(line, answer)
}

// failed ends the worker and adds what it said.
func (w *Worker) failed(err error) error {
	w.Stop()
	lines := strings.Split(strings.TrimSpace(w.errs.String()), "\n")
	return errors.Join(fmt.Errorf("%s: %w", strings.Join(w.cmd.Args, " "), err), errors.New(lines[len(lines)-1]))
}

// Stop ends the worker, which ends with its input, and waits for it.
func (w *Worker) Stop() {
	w.in.Close()
	_ = w.cmd.Wait() // what it answered has been read
}
