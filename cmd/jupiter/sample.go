package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"jupiter/plugins/schema"
	"jupiter/runtime"
)

type sampleOptions struct {
	targetOptions
	cycleOptions
	n        int
	sampling samplingOptions
	system   string
	seed     uint64
	version  string
	json     bool
}

// samplingOptions say how answers are drawn.
type samplingOptions struct {
	temperature, topP, minP, repetitionPenalty float64
	topK, maxTokens                            uint32
	stop                                       []string
}

func newSampleCommand(w *world) *cobra.Command {
	var o sampleOptions
	cmd := &cobra.Command{
		Use:   "sample [PROMPT]",
		Short: "Ask a generator, and let the domain's verifier judge the answers",
		Long: `Ask the generator in use, or an earlier one, and say whether the domain's verifier agrees with each answer.
Without PROMPT, or where it is -, the prompt is what comes on standard input, without the line end at its
end. A single answer is shown on a terminal while it is written, where the generator can. Nothing is
recorded.

Exit status: 0 done, whatever the verifier says, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("seed") {
				o.seed = newSeed()
			}
			prompt, err := promptFrom(w, args)
			if err != nil {
				return err
			}
			return sample(cmd.Context(), w, &o, prompt)
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	f := cmd.Flags()
	f.IntVarP(&o.n, "number", "n", 1, "how many answers")
	f.Float64Var(&o.sampling.temperature, "temperature", 0, "randomness of the answers; 0: always the likeliest")
	f.Float64Var(&o.sampling.topP, "top-p", 1, "draw from the likeliest tokens that have this probability together; 1: from all")
	f.Uint32Var(&o.sampling.topK, "top-k", 0, "draw from the `N` likeliest tokens; 0: from all")
	f.Float64Var(&o.sampling.minP, "min-p", 0, "draw from tokens with this part of the likeliest one's probability; 0: from all")
	f.Float64Var(&o.sampling.repetitionPenalty, "repetition-penalty", 1, "above 1: what is there already becomes less likely")
	f.Uint32Var(&o.sampling.maxTokens, "max-tokens", 0, "at most `N` tokens an answer; 0: as the generator's block says")
	f.StringArrayVar(&o.sampling.stop, "stop", nil, "an answer ends before `TEXT`; may be repeated")
	f.StringVar(&o.system, "system", "", "a system message, `TEXT`, for a model that knows chats")
	f.Uint64Var(&o.seed, "seed", 0, "the same `N` gives the same answers; another one each time unless given")
	f.StringVar(&o.version, "version", "", "the generator's version `N`; the one in use unless given")
	addJSON(cmd, &o.json, "sample")
	return cmd
}

// check says which option is out of range.
func (o *samplingOptions) check() error {
	var err error
	switch {
	case !(o.temperature >= 0) || math.IsInf(o.temperature, 0):
		err = fmt.Errorf("--temperature %v: it is at least 0", o.temperature)
	case !(o.topP > 0 && o.topP <= 1):
		err = fmt.Errorf("--top-p %v: it is above 0 and at most 1", o.topP)
	case !(o.minP >= 0 && o.minP <= 1):
		err = fmt.Errorf("--min-p %v: it lies between 0 and 1", o.minP)
	case !(o.repetitionPenalty > 0) || math.IsInf(o.repetitionPenalty, 0):
		err = fmt.Errorf("--repetition-penalty %v: it is above 0", o.repetitionPenalty)
	case slices.Contains(o.stop, ""):
		err = errors.New("--stop: every text contains the empty one, so every answer would end at once")
	}
	return usage(err)
}

// sampling is what is asked of a generator: what changes nothing is left out.
func (o *samplingOptions) sampling() runtime.Sampling {
	s := runtime.Sampling{Temperature: o.temperature, TopK: o.topK, MinP: o.minP, MaxTokens: o.maxTokens, Stop: o.stop}
	if o.topP < 1 {
		s.TopP = o.topP
	}
	if o.repetitionPenalty != 1 {
		s.RepetitionPenalty = o.repetitionPenalty
	}
	return s
}

// samples is what sample --json writes.
type samples struct {
	Schema  string            `json:"schema"`
	Version uint64            `json:"version"`
	Prompt  string            `json:"prompt"`
	System  string            `json:"system,omitempty"`
	Seed    uint64            `json:"seed"`
	Samples []runtime.Sampled `json:"samples"`
}

func sample(ctx context.Context, w *world, o *sampleOptions, prompt string) (err error) {
	v, err := parseVersion("--version", o.version)
	if err != nil {
		return err
	}
	if o.n < 1 {
		return usageError{fmt.Errorf("-n %d: at least one answer", o.n)}
	}
	if err := o.sampling.check(); err != nil {
		return err
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
	ask := runtime.SampleOptions{Prompt: runtime.Prompt{System: o.system, Text: prompt}, N: o.n, Sampling: o.sampling.sampling(), Seed: o.seed, Version: v}
	shown := ""
	if o.n == 1 && !o.json && w.terminal(w.out) {
		ask.Piece = func(_ int, text string) {
			shown += text
			fmt.Fprint(w.out, harmless(text))
		}
	}
	out, version, err := p.runner.Sample(ctx, c.Addr, ask)
	if err != nil {
		if shown != "" {
			fmt.Fprintln(w.out)
		}
		return err
	}
	if o.json {
		return w.json(samples{"jupiter.sample/v1", version, prompt, o.system, o.seed, out})
	}
	viewSamples(w.out, version, out, shown)
	return nil
}

// maxPrompt bounds what is read from standard input.
const maxPrompt = 2 << 20

// promptFrom gives the prompt, which may come on standard input.
func promptFrom(w *world, args []string) (string, error) {
	if len(args) > 0 && args[0] != "-" {
		return args[0], nil
	}
	if f, ok := w.in.(*os.File); ok && len(args) == 0 && isatty.IsTerminal(f.Fd()) {
		return "", usageError{errors.New("an argument is missing: jupiter sample PROMPT")}
	}
	b, err := io.ReadAll(io.LimitReader(w.in, maxPrompt+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the prompt: %w", err)
	case len(b) > maxPrompt:
		return "", fmt.Errorf("the prompt on standard input is longer than %d bytes", maxPrompt)
	case !utf8.Valid(b):
		return "", errors.New("the prompt on standard input is not valid UTF-8")
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if text == "" {
		return "", usageError{errors.New("there is no prompt: it is the argument, or what comes on standard input")}
	}
	return text, nil
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

// viewSamples writes answers. Of the first one shown is there already.
func viewSamples(out io.Writer, version uint64, all []runtime.Sampled, shown string) {
	right, judged := 0, 0
	for _, s := range all {
		text := strings.TrimRight(strings.TrimPrefix(s.Text, shown), "\n")
		if shown = ""; s.Judged {
			judged++
		}
		if s.OK {
			right++
		}
		fmt.Fprintln(out, harmless(text))
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
