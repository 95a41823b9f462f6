package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/runtime"
)

type benchmarkBuildOptions struct {
	benchmarkOptions
	maxTokens uint64
}

func newBenchmarkBuildCommand(w *world) *cobra.Command {
	var o benchmarkBuildOptions
	cmd := &cobra.Command{
		Use:   "build [DIR|FILE]",
		Short: "Make questions, answers and distractors from a domain's documents",
		Long: `Make the benchmark that the block build of a domain's evaluation describes: the teacher writes questions
about the documents, terms are left out of sentences, rules and a second pass drop what is not good, and
what stays becomes the splits validation, dev and gate.

It goes on from what is there. What the teacher has said is never asked for again, and what was said in
a review is kept: after jupiter benchmark review, build makes the splits anew. An interrupted build, and
one whose budget is used up, leaves the splits as they were.

Exit status: 0 done, 1 error, 4 a budget is used up, 130 interrupted.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return buildBenchmark(cmd.Context(), w, &o, arg(args))
		},
	}
	o.benchmarkOptions.addFlags(cmd)
	cmd.Flags().Uint64Var(&o.maxTokens, "max-tokens", 0, "ask for no more once `N` tokens are spent; 0: as the teacher's budget says")
	addJSON(cmd, &o.json, "benchmark-build")
	return cmd
}

// builtBenchmark is what benchmark build --json writes.
type builtBenchmark struct {
	Schema string `json:"schema"`
	*runtime.Built
}

func buildBenchmark(ctx context.Context, w *world, o *benchmarkBuildOptions, arg string) (err error) {
	watch := watchInterrupts(ctx, w) // each reply is kept as it comes; the candidates are written before the end
	defer watch.close()
	ctx = watch.ctx
	b, err := openBenchmark(ctx, w, &o.benchmarkOptions, arg, "jupiter benchmark build", warnings{w})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	var told runtime.BuildProgress
	out, err := b.runner.BuildBenchmark(ctx, b.domain, runtime.BuildOptions{MaxTokens: o.maxTokens, Progress: func(p runtime.BuildProgress) {
		if p != told && !o.json {
			told = p
			fmt.Fprintf(w.err, "%d of %d items, %s\n", p.Items, p.Wanted, plural(p.Tokens, "token"))
		}
	}})
	if out != nil {
		viewSkipped(w, out.Skipped)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if o.json {
		err = w.json(builtBenchmark{"jupiter.benchmark-build/v1", out})
	} else {
		viewBuilt(w.out, out, b.at())
	}
	if err == nil && out.Ended != "" {
		return code(exitEnvelope)
	}
	return err
}
