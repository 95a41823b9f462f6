package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/runtime"
)

type benchmarkReviewOptions struct {
	benchmarkOptions
	acceptAll bool
	set       []string
}

func newBenchmarkReviewCommand(w *world) *cobra.Command {
	var o benchmarkReviewOptions
	cmd := &cobra.Command{
		Use:   "review [DIR|FILE]",
		Short: "Accept, edit or reject the questions that benchmark build has made",
		Long: `Show the candidates that nobody has judged yet, one by one, each with the passage that it is about, and take
what you say of them: a accept, e edit, r reject, s skip, u undo, q quit. Each answer is saved at once.
e opens $VISUAL or $EDITOR, or asks line by line where neither is set. jupiter benchmark build then makes
the splits anew, with others in the place of those that were rejected.

Without a terminal there are --accept-all, --set ID=accept, ID=reject or ID=new, and --json, which lists
the candidates after that.

Exit status: 0 done, 1 error, 130 interrupted.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reviewBenchmark(cmd.Context(), w, &o, arg(args))
		},
	}
	o.benchmarkOptions.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.acceptAll, "accept-all", false, "accept all that nobody has judged yet")
	f.StringArrayVar(&o.set, "set", nil, "judge one candidate: `ID=JUDGEMENT`, accept, reject or new; may be repeated")
	addJSON(cmd, &o.json, "benchmark-review")
	return cmd
}

// reviewed is what benchmark review --json writes.
type reviewed struct {
	Schema     string              `json:"schema"`
	Domain     string              `json:"domain"`
	Candidates []runtime.Candidate `json:"candidates"`
}

// judgements are the words of --set, and the statuses that they give.
var judgements = map[string]string{"accept": runtime.StatusAccepted, "reject": runtime.StatusRejected, "new": runtime.StatusNew}

func reviewBenchmark(ctx context.Context, w *world, o *benchmarkReviewOptions, arg string) (err error) {
	interactive := !o.acceptAll && len(o.set) == 0 && !o.json
	if interactive && !w.terminal(w.in) {
		return usageError{errors.New("a review needs a terminal; without one there are --accept-all, --set and --json")}
	}
	b, err := openBenchmark(ctx, w, &o.benchmarkOptions, arg, "jupiter benchmark review", nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	all, err := runtime.ReadCandidates(b.dir())
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("domain.%s has no candidates yet: jupiter benchmark build%s makes them", b.domain.Name(), b.at())
	}
	save := func() error { return runtime.WriteCandidates(b.dir(), all) }
	if interactive {
		r := &review{w: w, all: all, save: save, keys: &keyboard{w}, next: "jupiter benchmark build" + b.at()}
		return r.run()
	}
	n, err := o.judge(all)
	if err != nil {
		return err
	}
	if n > 0 {
		if err := save(); err != nil {
			return err
		}
	}
	if o.json {
		return w.json(reviewed{"jupiter.benchmark-review/v1", b.domain.Name(), all})
	}
	fmt.Fprintf(w.out, "Judged %s. jupiter benchmark build%s makes the splits anew.\n", plural(n, "candidate"), b.at())
	return nil
}

// judge does what the options say, and counts.
func (o *benchmarkReviewOptions) judge(all []runtime.Candidate) (n int, err error) {
	for _, s := range o.set {
		id, word, _ := strings.Cut(s, "=")
		status, ok := judgements[word]
		i := slices.IndexFunc(all, func(c runtime.Candidate) bool { return c.ID == id })
		switch {
		case !ok:
			return 0, usageError{fmt.Errorf("--set %q is not ID=accept, ID=reject or ID=new", s)}
		case i < 0:
			return 0, fmt.Errorf("--set %s: there is no candidate %q; --json lists them", s, id)
		case !all[i].Reviewable():
			return 0, fmt.Errorf("--set %s: the rules have dropped it (%s)", s, all[i].Reason)
		}
		all[i].Judge(status)
		n++
	}
	for i := range all {
		if o.acceptAll && all[i].Reviewable() && !all[i].Judged() {
			all[i].Judge(runtime.StatusAccepted)
			n++
		}
	}
	return n, nil
}
