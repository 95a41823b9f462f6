package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jupiter/plugins/conformance"
	"jupiter/plugins/host"
)

// exitNonconforming says that the plugin breaks a rule.
const exitNonconforming = 2

type conformanceOptions struct {
	builtin, config, stage, run  string
	model, checkpoint, elsewhere string
	records, questions           string
	timeout                      time.Duration
	json                         bool
}

func newPluginConformanceCommand(w *world) *cobra.Command {
	var o conformanceOptions
	cmd := &cobra.Command{
		Use:   "conformance PATH",
		Short: "Hold a plugin to the rules of the protocol",
		Long: `Start the executable at PATH as a plugin, in whatever language it is written, and check each rule of the
protocol that its stages promise: that what is deterministic gives the same answer twice, that a call
which is stopped saves what it has, that a hostile configuration crashes nothing, and so on. It needs
no plan. A rule that could not be checked is reported as that, and why; it never counts as kept.

Exit status: 0 no rule is broken, 1 error, 2 a rule is broken.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return conform(cmd.Context(), w, &o, arg(args)) },
	}
	f := cmd.Flags()
	f.StringVar(&o.builtin, "builtin", "", "check the plugin `NAME` that comes with the program, in the place of PATH")
	f.StringVar(&o.config, "config", "", "read the stages' configurations from `FILE`, blocks such as filter \"x\" { … } or JSON")
	f.StringVar(&o.stage, "stage", "", "check only the stage `KIND.TYPE`")
	f.StringVar(&o.run, "run", "", "check only rules whose names match `REGEX`")
	f.StringVar(&o.model, "model", "", "give generators the model at `PATH`")
	f.StringVar(&o.checkpoint, "checkpoint", "", "give exporters the checkpoint at `PATH`")
	f.StringVar(&o.elsewhere, "import", "", "give generators and trainers that import the model from elsewhere at `PATH`")
	f.StringVar(&o.records, "records", "", "give trainers, filters and verifiers the records of `FILE`, JSON lines")
	f.StringVar(&o.questions, "questions", "", "give evaluators the questions of `FILE`, a split")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "most that a call may take")
	addJSON(cmd, &o.json, "conformance")
	return cmd
}

func conform(ctx context.Context, w *world, o *conformanceOptions, path string) error {
	interrupted := watchInterrupts(ctx, w) // what the suite has written is removed
	defer interrupted.close()
	c, err := o.suite(w, path)
	if err != nil {
		return err
	}
	if !o.json {
		c.Done = func(r conformance.Result) { viewRule(w, r) }
	}
	r, err := conformance.Run(interrupted.ctx, c)
	if err != nil {
		return err
	}
	if o.json {
		err = w.json(r)
	} else {
		viewConformance(w, r)
	}
	if err == nil && r.Broken > 0 {
		return code(exitNonconforming)
	}
	return err
}

// suite gives what is to be checked, and how.
func (o *conformanceOptions) suite(w *world, path string) (c conformance.Options, err error) {
	exe, err := w.executable()
	if err != nil {
		return c, fmt.Errorf("find the program itself: %w", err)
	}
	if c.Program, err = o.program(exe, path); err != nil {
		return c, err
	}
	c.Wrapper, c.Version, c.Env, c.Timeout = []string{exe, confineCommand}, version, w.environ, o.timeout
	if c.Dir, err = os.Getwd(); err != nil {
		return c, err
	}
	c.Stage = strings.Replace(o.stage, ".", " ", 1)
	if o.run != "" {
		if c.Rules, err = regexp.Compile(o.run); err != nil {
			return c, usageError{fmt.Errorf("--run: %w", err)}
		}
	}
	for _, f := range []struct {
		from string
		into *string
	}{{o.model, &c.Model}, {o.checkpoint, &c.Checkpoint}, {o.elsewhere, &c.Import}, {o.records, &c.Records}, {o.questions, &c.Questions}} {
		if f.from == "" {
			continue
		}
		if *f.into, err = filepath.Abs(f.from); err != nil {
			return c, err
		}
		if _, err := os.Stat(*f.into); err != nil {
			return c, err
		}
	}
	if o.config != "" {
		c.Config, err = readStageConfigs(o.config)
	}
	return c, err
}

func (o *conformanceOptions) program(exe, path string) (host.Program, error) {
	switch {
	case path != "" && o.builtin != "":
		return host.Program{}, usageError{errors.New("give PATH or --builtin, not both")}
	case path == "" && o.builtin == "":
		return host.Program{}, usageError{errors.New("give the PATH of an executable")}
	case path == "":
		p, ok := builtinPrograms(exe)[o.builtin]
		if !ok {
			return p, usageError{fmt.Errorf("no plugin %q comes with the program; there is %s", o.builtin, strings.Join(slices.Sorted(maps.Keys(builtinPrograms(exe))), ", "))}
		}
		return p, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return host.Program{}, err
	}
	info, err := os.Stat(abs)
	if err == nil && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0) {
		err = fmt.Errorf("%s is no executable", path)
	}
	return host.Program{Path: abs, TLS: host.TLSDetect}, err
}

// stageConfigs are configurations by stage, "filter x".
type stageConfigs = map[string]json.RawMessage
