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
	f, ok := w.in.(*os.File)
	if !ok || quiet || !isatty.IsTerminal(f.Fd()) {
		return errNobody
	}
	fmt.Fprint(w.out, "\nDo you want Jupiter to perform these actions?\n  Only 'yes' is accepted.\n\n  Enter a value: ")
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
