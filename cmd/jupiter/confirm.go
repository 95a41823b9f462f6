package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

// errNobody says that an approval is needed and cannot be asked for.
var errNobody = errors.New("an apply needs an approval, and there is no terminal to ask at: give --auto-approve, or apply a plan that jupiter plan --out saved")

// errDeclined says that the answer was not yes.
var errDeclined = errors.New("not approved; nothing was done")

// confirm asks a person on a terminal for approval.
func confirm(ctx context.Context, w *world, quiet bool) error {
	if quiet {
		return errNobody
	}
	return answered(ctx, w, "Do you want Jupiter to perform these actions?", errNobody)
}

// ask asks a person on a terminal a question that only yes answers; without a terminal it fails with what nobody says.
func ask(ctx context.Context, w *world, question, nobody string) error {
	return answered(ctx, w, question, errors.New(nobody))
}

func answered(ctx context.Context, w *world, question string, nobody error) error {
	f, ok := w.in.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return nobody
	}
	fmt.Fprintf(w.out, "\n%s\n  Only 'yes' is accepted.\n\n  Enter a value: ", question)
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() { // ends with the process where nobody answers: a read from a terminal cannot be broken off
		text, err := bufio.NewReader(f).ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(w.out)
		return context.Canceled
	case l := <-read:
		fmt.Fprintln(w.out)
		if l.err != nil || strings.TrimSpace(l.text) != "yes" {
			return errDeclined
		}
		return nil
	}
}
