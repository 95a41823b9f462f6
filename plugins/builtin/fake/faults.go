package fake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jupiter/plugins/sdk"
)

// Faults are the attributes that every fake stage has besides its own. Items are counted from 1: records, samples,
// prompts, items to score, questions, answers, outputs; for a trainer they are steps of the whole run.
type Faults struct {
	FailAt  *uint64 `jupiter:"fail_at,effect=none" desc:"The item or step at which the stage returns an error."`
	HangAt  *uint64 `jupiter:"hang_at,effect=none" desc:"The item or step at which the stage stops answering; it ignores the request to stop, too."`
	ExitAt  *uint64 `jupiter:"exit_at,effect=none" desc:"The item or step at which the process exits with status 3."`
	Once    string  `jupiter:"once,effect=none" desc:"The name of a file that the first fault makes among the plugin's temporary files, which go with the run. With it there are no more faults."`
	DelayMS uint64  `jupiter:"delay_ms,effect=none" desc:"Milliseconds that each item or step takes."`
}

// ErrFault is the error of fail_at.
var ErrFault = errors.New("fault on demand")

// Validate finds faults that can never happen.
func (f Faults) Validate() []*sdk.Diagnostic {
	var out []*sdk.Diagnostic
	for _, a := range []struct {
		name string
		at   *uint64
	}{{"fail_at", f.FailAt}, {"hang_at", f.HangAt}, {"exit_at", f.ExitAt}} {
		if a.at != nil && *a.at == 0 {
			out = append(out, sdk.Error("No such item", "Items and steps are counted from 1.", a.name))
		}
	}
	return out
}

// before is called before item n is done.
func (f Faults) before(ctx context.Context, n uint64) error {
	if f.DelayMS > 0 {
		select {
		case <-time.After(time.Duration(f.DelayMS) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	is := func(at *uint64) bool { return at != nil && *at == n }
	if !is(f.FailAt) && !is(f.HangAt) && !is(f.ExitAt) {
		return ctx.Err()
	}
	if f.Once != "" {
		mark := f.Once
		if !filepath.IsAbs(mark) {
			mark = filepath.Join(os.TempDir(), mark)
		}
		switch file, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL, 0o644); {
		case errors.Is(err, os.ErrExist):
			return ctx.Err()
		case err != nil:
			return err
		default:
			file.Close()
		}
	}
	switch {
	case is(f.ExitAt):
		fmt.Fprintf(os.Stderr, "fake: exit at item %d\n", n)
		os.Exit(3)
	case is(f.HangAt):
		<-ctx.Done()
		return ctx.Err()
	}
	return fmt.Errorf("item %d: %w", n, ErrFault)
}

// Poison is an attribute of the stages that judge texts.
type Poison struct {
	ExitOn string `jupiter:"exit_on,effect=none" desc:"The process exits with status 3 at an item whose text holds this."`
}

func (p Poison) swallow(text string) {
	if p.ExitOn != "" && strings.Contains(text, p.ExitOn) {
		fmt.Fprintf(os.Stderr, "fake: exit at %q\n", text)
		os.Exit(3)
	}
}
