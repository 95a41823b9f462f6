package main

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/lang"
)

// figure is what the state says of a cycle, under a name that expressions use. What there is not yet is null. current is
// the link to the generator in use, relative to the plan's directory as all paths of a configuration are.
func figure(cfg *config.Config, c *config.Cycle, f plan.Facts, side string) cty.Value {
	g := f.Generator()
	switch {
	case side == "step":
		return cty.NumberUIntVal(f.Step())
	case g == nil, side == "score" && g.Score == nil:
		return cty.NullVal(lang.StateSides[side])
	case side == "version":
		return cty.NumberUIntVal(g.Version)
	case side == "score":
		return cty.NumberFloatVal(*g.Score)
	}
	dir, err := filepath.Rel(cfg.Dir, links(cfg)[c.Addr])
	if err != nil {
		dir = links(cfg)[c.Addr] // another volume on Windows
	}
	return cty.StringVal(path.Join(filepath.ToSlash(dir), fmt.Sprintf("generator_v%d", g.Version)))
}

// figureAt gives the figure that a path names: self_improvement.ue5.current.
func figureAt(ctx context.Context, cfg *config.Config, at string, facts func(context.Context, *config.Cycle) (plan.Facts, error)) (cty.Value, error) {
	for _, c := range cfg.Cycles {
		side, ok := strings.CutPrefix(at, string(c.Addr)+".")
		if !ok || lang.StateSides[side] == cty.NilType {
			continue
		}
		f, err := facts(ctx, c)
		if err != nil {
			return cty.NilVal, err
		}
		return figure(cfg, c, f, side), nil
	}
	return cty.NilVal, fmt.Errorf("%s is no figure of a cycle of this configuration", at)
}
