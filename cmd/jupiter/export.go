package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/runtime"
	"jupiter/state"
)

type exportOptions struct {
	targetOptions
	cycleOptions
	version string
	format  string
	dtype   string
	json    bool
}

func newExportCommand(w *world) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export PATH",
		Short: "Write a generator for other programs, with a card of where it comes from",
		Long: `Write the generator in use, or an earlier one, for other programs: as a directory of Hugging Face's, with a
card (README.md) that says what it comes from, which data, which scores; or as one GGUF file. PATH must not be there.
The generator must be a model that generator "llama" runs. Nothing is recorded.

Exit status: 0 done, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return export(cmd.Context(), w, &o, args[0])
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.version, "version", "", "the generator's version `N`; the one in use unless given")
	f.StringVar(&o.format, "format", "huggingface", "huggingface or gguf")
	f.StringVar(&o.dtype, "dtype", "f32", "number format of the matrices: f32, f16, bf16, or q8_0 with gguf")
	addJSON(cmd, &o.json, "export")
	return cmd
}

// exported is what export --json writes.
type exported struct {
	Schema     string `json:"schema"`
	Version    uint64 `json:"version"`
	Digest     string `json:"digest"` // of the model in the store
	Path       string `json:"path"`
	Format     string `json:"format"`
	DType      string `json:"dtype"`
	Parameters int    `json:"parameters"`
}

func export(ctx context.Context, w *world, o *exportOptions, to string) (err error) {
	v, err := parseVersion("--version", o.version)
	if err != nil {
		return err
	}
	out := llama.PublishOptions{Format: o.format, DType: o.dtype}
	if err := out.Check(); err != nil {
		return usageError{err}
	}
	p, err := open(ctx, w, &o.targetOptions, o.path(""), access{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := p.cycle(o.cycleOptions)
	if err != nil {
		return err
	}
	past, err := p.runner.Past(ctx, c.Addr, v)
	if err != nil {
		return err
	}
	out.Card = hf.Card{Name: fmt.Sprintf("%s, generator_v%d", c.Domain.Name(), past.Generator.Version), Lineage: lineageOf(c, past)}
	if to, err = filepath.Abs(to); err != nil {
		return err
	}
	shape, err := llama.Publish(past.Path, to, out)
	if err != nil {
		return fmt.Errorf("export generator_v%d: %w", past.Generator.Version, err)
	}
	if o.json {
		return w.json(exported{"jupiter.export/v1", past.Generator.Version, past.Generator.Digest, to, o.format, o.dtype, shape.Params()})
	}
	fmt.Fprintf(w.out, "generator_v%d is written to %s, %s with %s numbers.\n", past.Generator.Version, to, o.format, o.dtype)
	return nil
}

// lineageOf is what the state has on record of how a generator came about.
func lineageOf(c *config.Cycle, p *runtime.Past) []hf.Fact {
	g := p.Generator
	facts := []hf.Fact{
		{What: "Cycle", Is: string(c.Addr)},
		{What: "Domain", Is: c.Domain.Name()},
		{What: "Model", Is: fmt.Sprintf("generator_v%d, %s", g.Version, g.Digest)},
	}
	add := func(what, format string, args ...any) {
		facts = append(facts, hf.Fact{What: what, Is: fmt.Sprintf(format, args...)})
	}
	if b := p.Base; b != nil {
		from := "of " + b.Stage
		if p.Origin != "" {
			from = "imported from " + filepath.Base(p.Origin)
		}
		add("Base generator", "generator_v%d, %s, %s", b.Version, from, b.Digest)
	}
	if g.Checkpoint != "" {
		add("Checkpoint", "%s", g.Checkpoint)
	}
	real := ""
	for _, win := range p.Windows {
		add("Data of "+win.Trainer, "steps %s: %s", win.Steps, win.Dataset)
		if win.Real != real {
			real = win.Real
			add("Real data", "%s", real)
		}
	}
	d := p.Decision
	if d == nil {
		if !g.Base {
			add("Came to be", "by hand")
		}
		return facts
	}
	add("Student", "%s, %d steps", c.Trainer.Addr, d.Step)
	add("Promoted", "by the decision of epoch %d, in the place of generator_v%d", d.Epoch, d.IncumbentVersion)
	for _, s := range []struct {
		who string
		is  state.Scores
	}{{"Scores", d.Challenger}, {"Scores of the one before", d.Incumbent}} {
		add(s.who, "%s on %d items of %s (accuracy %s, coherence %s, domain %s)", score(s.is.Score), d.N, d.Split, score(s.is.Accuracy), score(s.is.Coherence), score(s.is.Domain))
	}
	if d.LCB != nil && d.Alpha != nil {
		add("Gain", "%.4f, with a lower bound of %.4f at level %.4f", d.GainAbsolute, *d.LCB, 1-*d.Alpha)
	}
	return facts
}
