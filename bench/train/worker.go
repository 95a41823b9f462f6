package main

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

// worker is a process that answers lines with lines.
type worker struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs bytes.Buffer
}

// startWorker starts a process and reads its first answer into hello.
func startWorker(ctx context.Context, env []string, program string, args []string, hello any) (*worker, error) {
	w := &worker{cmd: exec.CommandContext(ctx, program, args...)}
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
		w.stop()
		return nil, err
	}
	return w, nil
}

// ask sends a line and reads the answer.
func (w *worker) ask(line string, answer any) error {
	if _, err := io.WriteString(w.in, line+"\n"); err != nil {
		return w.failed(err)
	}
	return w.read(answer)
}

func (w *worker) read(answer any) error {
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return w.failed(err)
	}
	return json.Unmarshal(line, answer)
}

// failed ends the worker and adds what it said.
func (w *worker) failed(err error) error {
	w.stop()
	lines := strings.Split(strings.TrimSpace(w.errs.String()), "\n")
	return errors.Join(fmt.Errorf("%s: %w", strings.Join(w.cmd.Args, " "), err), errors.New(lines[len(lines)-1]))
}

// stop ends the worker, which ends with its input, and waits for it.
func (w *worker) stop() {
	w.in.Close()
	_ = w.cmd.Wait() // what it answered has been read
}
