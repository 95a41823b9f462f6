package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plugins/schema"
	"jupiter/runtime"
)

type sampleOptions struct {
	targetOptions
	cycleOptions
	n           int
	temperature float64
	version     string
	json        bool
}

func newSampleCommand(w *world) *cobra.Command {
	var o sampleOptions
	cmd := &cobra.Command{
		Use:   "sample PROMPT",
		Short: "Ask a generator, and let the domain's verifier judge the answers",
		Long: `Ask the generator in use, or an earlier one, and say whether the domain's verifier agrees with each answer.
Nothing is recorded.

Exit status: 0 done, whatever the verifier says, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sample(cmd.Context(), w, &o, args[0])
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	f := cmd.Flags()
	f.IntVarP(&o.n, "number", "n", 1, "how many answers")
	f.Float64Var(&o.temperature, "temperature", 0, "randomness of the answers; 0: always the likeliest")
	f.StringVar(&o.version, "version", "", "the generator's version `N`; the one in use unless given")
	addJSON(cmd, &o.json, "sample")
	return cmd
}

// samples is what sample --json writes.
type samples struct {
	Schema  string            `json:"schema"`
	Version uint64            `json:"version"`
	Prompt  string            `json:"prompt"`
	Samples []runtime.Sampled `json:"samples"`
}

func sample(ctx context.Context, w *world, o *sampleOptions, prompt string) (err error) {
	v, err := parseVersion("--version", o.version)
	if err != nil {
		return err
	}
	switch {
	case o.n < 1:
		return usageError{fmt.Errorf("-n %d: at least one answer", o.n)}
	case !(o.temperature >= 0) || math.IsInf(o.temperature, 0):
		return usageError{fmt.Errorf("--temperature %v: it is at least 0", o.temperature)}
	}
	p, err := open(ctx, w, &o.targetOptions, o.path(""), access{sink: warnings{w}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := p.cycle(o.cycleOptions)
	if err != nil {
		return err
	}
	out, version, err := p.runner.Sample(ctx, c.Addr, runtime.SampleOptions{Prompt: prompt, N: o.n, Temperature: o.temperature, Version: v})
	if err != nil {
		return err
	}
	if o.json {
		return w.json(samples{"jupiter.sample/v1", version, prompt, out})
	}
	viewSamples(w.out, version, out)
	return nil
}

// harmless is a model's text without what controls a terminal.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if schema.Controls(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

func viewSamples(out io.Writer, version uint64, all []runtime.Sampled) {
	right, judged := 0, 0
	for _, s := range all {
		fmt.Fprintln(out, harmless(strings.TrimRight(s.Text, "\n")))
		if s.Judged {
			judged++
		}
		if s.OK {
			right++
		}
		fmt.Fprintf(out, "  — generator v%d; %s\n\n", version, judgement(s))
	}
	if len(all) > 1 && judged > 0 {
		fmt.Fprintf(out, "The verifier agrees with %d of %d.\n", right, judged)
	}
}

// judgement says what the verifier makes of an answer.
func judgement(s runtime.Sampled) string {
	text := "the domain has no verifier"
	switch {
	case s.Judged && s.OK:
		text = "the verifier agrees"
	case s.Judged:
		text = "the verifier disagrees" + after(": ", s.Reason)
	}
	if s.Finish == "length" {
		text += "; cut off at the longest answer allowed"
	}
	return text
}
