package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
	"jupiter/state"
)

func newDoctorCommand(w *world) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor [DIR|FILE]",
		Short: "Look whether this machine, and what the plan counts on, can be used",
		Long: `Look at this machine, at the plugins and at the state, and let each stage of the plan look at what it would
meet: a generator at its server, which costs some tokens. Nothing is changed. Without a configuration it is
the machine alone.

What is "missing" is not there, and is not needed either; a "problem" keeps something from working.

Exit status: 0 no problem, 1 a problem, or another error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return doctor(cmd.Context(), w, &o, arg(args)) },
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "doctor")
	return cmd
}

type doctorOptions struct {
	targetOptions
	json bool
}

// examination is what doctor --json writes.
type examination struct {
	Schema   string      `json:"schema"`
	Problems int         `json:"problems"`
	Findings []diagnosed `json:"findings"`
}

// diagnosed is one thing that was looked at.
type diagnosed struct {
	About   string `json:"about"`   // "machine", "plan", or the address of a stage
	Subject string `json:"subject"` // a short word
	Level   string `json:"level"`   // ok, missing, problem
	Detail  string `json:"detail"`
}

func doctor(ctx context.Context, w *world, o *doctorOptions, arg string) error {
	x := &examination{Schema: "jupiter.doctor/v1", Findings: []diagnosed{}}
	cfg, files, err := o.forPlugins(arg)
	var wrong *configurationError
	switch {
	case errors.As(err, &wrong): // said below, with all else that is wrong
		cfg = &config.Config{Dir: o.path(arg)}
	case err != nil:
		return err
	}
	if err := x.machine(w, cfg); err != nil {
		return err
	}
	if files != nil || wrong != nil {
		if err := x.plan(ctx, w, o, arg, cfg, files); err != nil {
			return err
		}
	}
	for _, d := range x.Findings {
		if d.Level == "problem" {
			x.Problems++
		}
	}
	if o.json {
		err = w.json(x)
	} else {
		viewExamination(w, x)
	}
	if err == nil && x.Problems > 0 {
		return code(exitError)
	}
	return err
}

func (x *examination) add(about, subject, level, format string, args ...any) {
	x.Findings = append(x.Findings, diagnosed{about, subject, level, fmt.Sprintf(format, args...)})
}

// Free disk below which an apply is likely to end for want of it, and below which it may be.
const (
	littleDisk = 1 << 30
	someDisk   = 5 << 30
)

// machine looks at what any plan needs.
func (x *examination) machine(w *world, cfg *config.Config) error {
	x.add("machine", "program", "ok", "jupiter %s, %s/%s, %s", version, runtime.GOOS, runtime.GOARCH, plural(runtime.NumCPU(), "processor"))
	h, err := newHost(w, cfg.Dir)
	if err != nil {
		return err
	}
	lacks := h.Unconfined()
	if err := h.Close(); err != nil {
		return err
	}
	for _, l := range lacks {
		x.add("machine", "isolation", "missing", "%s", l)
	}
	if len(lacks) == 0 {
		x.add("machine", "isolation", "ok", "plugins are held to what they may do")
	}
	if dir := cacheDir(w); dir == "" {
		x.add("machine", "cache", "missing", "there is no directory for it that can be written: plugins are asked for their descriptions each time")
	} else {
		x.add("machine", "cache", "ok", "%s", dir)
	}
	x.goTool(cfg)
	return nil
}

// goTool looks for Go, which builds plugins that are Go packages, and is needed for nothing else.
func (x *examination) goTool(cfg *config.Config) {
	level := "missing"
	for _, p := range cfg.Plugins {
		if !strings.HasPrefix(p.Source, ".") && !strings.HasPrefix(p.Source, "/") {
			level = "problem"
		}
	}
	out, err := exec.Command("go", "version").Output()
	if err != nil {
		x.add("machine", "go", level, "Go is not on the PATH: jupiter init cannot build plugins that are Go packages")
		return
	}
	x.add("machine", "go", "ok", "%s", strings.TrimPrefix(strings.TrimSpace(string(out)), "go version "))
}

// plan looks at the configuration, its plugins and its state, and lets the stages look at what they would meet.
func (x *examination) plan(ctx context.Context, w *world, o *doctorOptions, arg string, cfg *config.Config, files config.Files) error {
	if files != nil {
		plugins, err := requiredPlugins(ctx, w, cfg, files)
		var wrong *configurationError
		switch {
		case errors.As(err, &wrong):
			x.add("plan", "lock file", "problem", "%s", wrong)
		case err != nil:
			return err
		}
		for _, p := range plugins {
			if p.Problem != "" {
				x.add("plan", "plugin "+p.Name, "problem", "%s", p.Problem)
			} else {
				x.add("plan", "plugin "+p.Name, "ok", "%s, as it is locked", p.Version)
			}
		}
	}
	l, err := load(ctx, w, &o.targetOptions, o.path(arg))
	if err != nil {
		x.add("plan", "configuration", "problem", "%v", err)
		return nil
	}
	v := newValidation(l.files, l.diags)
	if !v.Valid {
		x.add("plan", "configuration", "problem", "it cannot be used: %s; jupiter validate says where", plural(v.Errors, "error"))
		return l.host.Close()
	}
	x.add("plan", "configuration", "ok", "%s, %s", plural(len(l.cfg.Stages), "stage"), plural(v.Warnings, "warning"))
	x.state(l.cfg)
	return errors.Join(x.stages(ctx, l), l.host.Close())
}

// state looks at the directory of the state, and at the disk that it is on.
func (x *examination) state(cfg *config.Config) {
	switch _, err := os.Stat(filepath.Join(cfg.StateDir, "state.db")); {
	case errors.Is(err, os.ErrNotExist):
		x.add("plan", "state", "ok", "there is none yet")
	case err != nil:
		x.add("plan", "state", "problem", "%v", err)
	default:
		if holder, held, err := state.LockHolder(cfg.StateDir); err != nil {
			x.add("plan", "state", "problem", "%v", err)
		} else if held {
			x.add("plan", "state", "ok", "in use by %s of %s", holder.Command, holder.Who)
		} else {
			x.add("plan", "state", "ok", "%s; jupiter state check looks into it", cfg.StateDir)
		}
	}
	dir := existing(cfg.StateDir)
	free, err := freeDisk(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		x.add("plan", "disk", "problem", "%v", err)
	case free < littleDisk:
		x.add("plan", "disk", "problem", "%.1f GB are free at %s: models and samples will not fit", float64(free)/1e9, dir)
	case free < someDisk:
		x.add("plan", "disk", "ok", "%.1f GB are free at %s, which may be too little: jupiter plan says what the next cycle takes", float64(free)/1e9, dir)
	default:
		x.add("plan", "disk", "ok", "%.1f GB are free at %s", float64(free)/1e9, dir)
	}
}

// stages lets each source and stage look at what it would meet, where it has something to look at.
func (x *examination) stages(ctx context.Context, l *loaded) error {
	for _, d := range l.cfg.Domains {
		for _, s := range d.Sources {
			if err := x.stage(ctx, l.host, string(s.Addr), "collector", s.Type, s.Body); err != nil {
				return err
			}
		}
	}
	for _, s := range l.cfg.Stages {
		if err := x.stage(ctx, l.host, string(s.Addr), s.Kind, s.Type, s.Body); err != nil {
			return err
		}
	}
	return nil
}

func (x *examination) stage(ctx context.Context, h *host.Host, address, kind, typ string, b config.Body) error {
	st, err := h.Stage(ctx, kind, typ)
	if err != nil {
		return err
	}
	conf, err := schema.CanonicalJSON(b.Value)
	if err != nil {
		return err
	}
	found, err := st.Given(b.Schema.Variables(b.Value)).Check(ctx, conf)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		x.add(address, "stage", "problem", "%v", err)
		return nil
	}
	levels := map[pluginv1.Finding_Level]string{pluginv1.Finding_LEVEL_OK: "ok", pluginv1.Finding_LEVEL_ABSENT: "missing", pluginv1.Finding_LEVEL_PROBLEM: "problem"}
	for _, f := range found {
		x.add(address, f.Subject, levels[f.Level], "%s", h.Hide(f.Detail))
	}
	return nil
}
