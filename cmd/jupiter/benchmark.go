package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/runtime"
	"jupiter/state"
)

func newBenchmarkCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "benchmark",
		Short: "Make a domain's benchmark from its documents, and review it",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchmarkBuildCommand(w), newBenchmarkReviewCommand(w))
	return cmd
}

// benchmarkOptions say which benchmark a command is about.
type benchmarkOptions struct {
	targetOptions
	lockOptions
	domain string
	json   bool
}

func (o *benchmarkOptions) addFlags(cmd *cobra.Command) {
	o.targetOptions.addFlags(cmd)
	cmd.Flags().DurationVar(&o.timeout, "lock-timeout", 0, "wait so `LONG` for another command that builds or reviews the benchmark")
	cmd.Flags().StringVar(&o.domain, "domain", "", "the domain `NAME`; needed where several have a block build")
}

// benchmark is one that a command works on. It holds the lock of its directory.
type benchmark struct {
	*project
	domain *config.Domain
	lock   *state.OperationLock
}

// openBenchmark loads a configuration whose benchmark may not be there yet.
func openBenchmark(ctx context.Context, w *world, o *benchmarkOptions, arg, command string, sink runtime.Sink) (*benchmark, error) {
	o.unbuilt = true
	p, err := open(ctx, w, &o.targetOptions, o.path(arg), access{sink: sink})
	if err != nil {
		return nil, err
	}
	b := &benchmark{project: p}
	if b.domain, err = p.builtDomain(o.domain); err == nil {
		b.lock, err = o.take(ctx, w, b.domain.Evaluation.Build.Directory, command)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return b, nil
}

func (b *benchmark) dir() string { return b.domain.Evaluation.Build.Directory }

func (b *benchmark) Close() error { return errors.Join(b.lock.Unlock(), b.project.Close()) }

// builtDomain finds the domain whose benchmark is made from documents.
func (p *project) builtDomain(name string) (*config.Domain, error) {
	var found []*config.Domain
	var names []string
	for _, d := range p.cfg.Domains {
		if d.Evaluation.Build != nil {
			names = append(names, d.Name())
			if name == "" || name == d.Name() || name == string(d.Addr) {
				found = append(found, d)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(names) == 0:
		return nil, fmt.Errorf("%s has no domain with evaluation { build { … } }, which says what a benchmark is made of", p.path)
	case name == "" || len(found) > 1:
		return nil, usageError{fmt.Errorf("%s has several benchmarks that are made from documents; name one with --domain: %s", p.path, list(names))}
	}
	return nil, fmt.Errorf("%s has no domain %q with a block build; there is %s", p.path, name, strings.Join(names, ", "))
}
