package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/lang"
)

type outputOptions struct {
	targetOptions
	json, raw bool
}

func newOutputCommand(w *world) *cobra.Command {
	var o outputOptions
	cmd := &cobra.Command{
		Use:   "output [NAME]",
		Short: "Print the outputs of the configuration, with the figures of the state",
		Long: `Print the values that the root module's output blocks publish, or one of them. A figure of the state, such as
self_improvement.NAME.current, is read from the state; what there is not yet is null. A sensitive output is
printed only when it is named, with --json or --raw.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return showOutputs(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "output")
	cmd.Flags().BoolVar(&o.raw, "raw", false, "write the one that is named as plain text, without quotes or a line end")
	cmd.MarkFlagsMutuallyExclusive("json", "raw")
	return cmd
}

// outputList is what output --json writes.
type outputList struct {
	Schema  string                `json:"schema"`
	Outputs map[string]outputItem `json:"outputs"`
}

type outputItem struct {
	Value       json.RawMessage `json:"value"` // null also where it is hidden
	Type        json.RawMessage `json:"type"`  // as cty spells types; null where the value is hidden
	Description string          `json:"description"`
	Sensitive   bool            `json:"sensitive"`
	Hidden      bool            `json:"hidden"` // sensitive, and not asked for by name
}

// outputValue is one output with its value.
type outputValue struct {
	*config.Output
	value cty.Value
}

func showOutputs(ctx context.Context, w *world, o *outputOptions, name string) error {
	if o.raw && name == "" {
		return usageError{errors.New("--raw prints one output: name it")}
	}
	return reading(ctx, w, &o.targetOptions, "", func(p *project) error {
		all, err := p.outputs(ctx, name)
		if err != nil {
			return err
		}
		switch {
		case o.json:
			l, err := newOutputList(all, name != "")
			if err != nil {
				return err
			}
			return w.json(l)
		case o.raw:
			return viewRaw(w, all[0])
		case len(all) == 0:
			fmt.Fprintf(w.err, "%s has no output block.\n", p.path)
			return nil
		}
		return viewOutputs(w, all, name != "")
	})
}

// outputs are all outputs in the order of their blocks, or the one of a name, with the state's figures filled in.
func (p *project) outputs(ctx context.Context, name string) (all []outputValue, err error) {
	var names []string
	for _, o := range p.cfg.Outputs {
		if names = append(names, o.Name); name != "" && o.Name != name {
			continue
		}
		v := o.Value
		if o.Ref != "" {
			v, err = figureAt(ctx, p.cfg, o.Ref, func(ctx context.Context, c *config.Cycle) (plan.Facts, error) { return p.runner.Facts(ctx, c.Addr) })
			if err != nil {
				return nil, fmt.Errorf("output %s: %w", o.Name, err)
			}
		}
		all = append(all, outputValue{o, v})
	}
	if name != "" && len(all) == 0 {
		there := "it has none"
		if len(names) > 0 {
			there = "it has " + list(names)
		}
		return nil, fmt.Errorf("%s has no output %q; %s.%s", p.path, name, there, lang.DidYouMean(name, names))
	}
	return all, nil
}

func newOutputList(all []outputValue, named bool) (outputList, error) {
	l := outputList{Schema: "jupiter.output/v1", Outputs: map[string]outputItem{}}
	for _, o := range all {
		item := outputItem{Value: json.RawMessage("null"), Type: json.RawMessage("null"), Description: o.Description, Sensitive: o.Sensitive, Hidden: o.Sensitive && !named}
		if !item.Hidden {
			var err error
			if item.Value, err = ctyjson.Marshal(o.value, o.value.Type()); err == nil {
				item.Type, err = ctyjson.MarshalType(o.value.Type())
			}
			if err != nil {
				return l, fmt.Errorf("output %s: %w", o.Name, err)
			}
		}
		l.Outputs[o.Name] = item
	}
	return l, nil
}

// viewRaw writes a value as scripts want it.
func viewRaw(w *world, o outputValue) error {
	text, err := convert.Convert(o.value, cty.String)
	switch {
	case err != nil:
		return fmt.Errorf("output %s is %s and has no plain text; --json has all of it", o.Name, o.value.Type().FriendlyName())
	case text.IsNull():
		return fmt.Errorf("output %s has no value yet", o.Name)
	}
	_, err = fmt.Fprint(w.out, text.AsString())
	return err
}

func viewOutputs(w *world, all []outputValue, named bool) error {
	for _, o := range all {
		text := "(sensitive)"
		if !o.Sensitive {
			var err error
			if text, err = spelled(o.value, nil); err != nil {
				return err
			}
		}
		if !named {
			text = o.Name + " = " + text
		}
		fmt.Fprintln(w.out, text)
	}
	return nil
}
