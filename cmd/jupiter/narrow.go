package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/addr"
)

// narrowOptions are the flags that make a plan do a part of the turn, or something else.
type narrowOptions struct {
	targets, excludes, replace []string
	refresh, refreshOnly       bool
	destroy                    bool
}

func (o *narrowOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.targets, "target", nil, "do only what is at `ADDRESS` and what it needs (may be repeated)")
	f.StringArrayVar(&o.excludes, "exclude", nil, "leave out what is at `ADDRESS` and what needs it (may be repeated)")
	f.StringArrayVar(&o.replace, "replace", nil, "run `ADDRESS` again although nothing differs; a student starts from nothing (may be repeated)")
	f.BoolVar(&o.refresh, "refresh", true, "look at the sources; =false takes them as they were last collected")
	f.BoolVar(&o.refreshOnly, "refresh-only", false, "only take in what has changed outside")
	f.BoolVar(&o.destroy, "destroy", false, "forget everything that is recorded")
}

// given says whether any of the flags is set.
func (o *narrowOptions) given() bool {
	return len(o.targets)+len(o.excludes)+len(o.replace) > 0 || !o.refresh || o.refreshOnly || o.destroy
}

// options checks the flags and gives them in the planner's terms.
func (o *narrowOptions) options() (p plan.Options, err error) {
	for _, l := range []struct {
		flag string
		in   []string
		out  *[]addr.Address
	}{{"--target", o.targets, &p.Targets}, {"--exclude", o.excludes, &p.Excludes}, {"--replace", o.replace, &p.Replace}} {
		for _, text := range l.in {
			a, err := addr.Parse(text)
			if err != nil {
				return p, usageError{fmt.Errorf("%s: %w", l.flag, err)}
			}
			*l.out = append(*l.out, a)
		}
	}
	switch {
	case o.destroy && (len(o.targets)+len(o.excludes)+len(o.replace) > 0 || o.refreshOnly):
		return p, usageError{errors.New("--destroy forgets everything, so it goes with none of --target, --exclude, --replace and --refresh-only; jupiter state rm forgets a part")}
	case o.refreshOnly && !o.refresh:
		return p, usageError{errors.New("--refresh-only and --refresh=false ask for opposite things")}
	case o.refreshOnly && len(o.replace) > 0:
		return p, usageError{errors.New("--refresh-only takes in what has changed outside, and runs nothing that --replace names")}
	}
	p.KeepSources, p.RefreshOnly, p.Destroy = !o.refresh, o.refreshOnly, o.destroy
	return p, nil
}
