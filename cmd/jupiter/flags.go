package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// addJSON adds --json to a command whose output has the schema jupiter.NAME/v1.
func addJSON(cmd *cobra.Command, into *bool, name string) {
	cmd.Flags().BoolVar(into, "json", false, "write JSON of the schema jupiter."+name+"/v1")
}

// targetOptions say which configuration a command works on.
type targetOptions struct {
	chdir    string
	vars     []string
	varFiles []string
	overlay  map[string][]byte // texts of files that are not saved; see config.Options
	unbuilt  bool              // benchmarks from documents may be missing; see config.Options
}

func (o *targetOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.chdir, "chdir", "C", "", "work on the plan in `DIR`")
	f.StringArrayVar(&o.vars, "var", nil, "give a variable a value: `NAME=VALUE`; may be repeated")
	f.StringArrayVar(&o.varFiles, "var-file", nil, "read variables' values from `FILE`; may be repeated")
}

// variables gives --var as a map.
func (o *targetOptions) variables() (map[string]string, error) {
	vars := map[string]string{}
	for _, v := range o.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("--var %q is not NAME=VALUE", v)}
		}
		vars[name] = value
	}
	return vars, nil
}

// cycleOptions say which self_improvement block a command is about.
type cycleOptions struct{ name string }

func (o *cycleOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.name, "cycle", "", "the self_improvement block `NAME`; needed where there are several")
}

// lockOptions say how long to wait for another command.
type lockOptions struct{ timeout time.Duration }

func (o *lockOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&o.timeout, "lock-timeout", 0, "wait so `LONG` for another command that changes the state")
}

// reasonOptions are a person's words for the record.
type reasonOptions struct{ reason string }

func (o *reasonOptions) addFlags(cmd *cobra.Command, name, usage string) {
	cmd.Flags().StringVar(&o.reason, name, "", usage)
}

// need fails where the reason is missing.
func (o *reasonOptions) need(name string) error {
	if strings.TrimSpace(o.reason) == "" {
		return usageError{errors.New("--" + name + " is needed: it is kept with the record")}
	}
	return nil
}
