// Command plan measures `jupiter plan` where there is nothing to do, against the number of stages, and prints a table.
//
// A project here is one cycle whose samples go through a chain of N filters, each a block of its own. Its state has every
// action of the cycle up to the decision, so a plan reads the configuration, lets the plugins judge each block, works out
// the identity of each action from the outputs of the one before, compares it with what is recorded, looks whether the
// bytes are there, and ends with one line: the decision. The program is measured as a process, from outside, once its
// cache of plugin descriptions is warm.
//
// The state is not the work of an apply, which would call ten thousand filters: record.go writes the records that one
// leaves, under the planner's own identities and through the state's own interface. Before anything is timed, a plan must
// say that all of it is there.
//
// Where terraform is installed, its plan of as many chained terraform_data resources is timed in turn with Jupiter's:
// a, b, a, b. Its state, too, is written down rather than applied (terraform.go says why).
//
// `make bench-plan` runs it. The last line is for scripts. The exit status says whether everything could be measured;
// whether the goals are met stands in the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"jupiter/bench/figures"
)

func main() {
	var o options
	flag.StringVar(&o.program, "jupiter", "", "the program to measure; required")
	flag.IntVar(&o.runs, "runs", 5, "times that each figure is taken; the median counts")
	flag.IntVar(&o.peerRuns, "peer-runs", 5, "times that terraform plans, in turn with the program; 0: not at all")
	flag.StringVar(&o.dir, "dir", "", "directory in which the projects stay; a temporary one, removed afterwards, when empty")
	flag.IntVar(&o.prepare, "prepare", 0, "only write the project of this many stages into -dir; the program executes itself with it")
	flag.Parse()
	do := run
	if o.prepare > 0 {
		do = prepareOnly
	}
	if err := do(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "bench-plan:", err)
		os.Exit(1)
	}
}

type options struct {
	program  string
	runs     int
	peerRuns int
	dir      string
	prepare  int
}

// chains are the numbers of stages that are measured.
var chains = []int{1000, 2000, 10000}

// peerChain is the number of stages that the comparison is about.
const peerChain = 2000

func run(ctx context.Context, o options) error {
	if o.program == "" || o.runs < 1 || o.peerRuns < 0 || flag.NArg() > 0 {
		return errors.New("usage: plan -jupiter PROGRAM [-runs N] [-peer-runs N] [-dir DIR]")
	}
	var err error
	if o.program, err = filepath.Abs(o.program); err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "jupiter-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	env := append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(o.dir, "cache"), "NO_COLOR=1")
	var projects []*project
	for _, n := range chains {
		p := &project{dir: filepath.Join(o.dir, fmt.Sprintf("chain-%d", n)), n: n}
		progress("a project of %d chained stages", n)
		if err := prepareApart(ctx, o.program, p, env); err != nil {
			return err
		}
		projects = append(projects, p)
	}
	r := &report{machine: figures.Machine() + "; " + figures.Program(o.program)}
	var peer *terraform
	if path, err := exec.LookPath("terraform"); err == nil && o.peerRuns > 0 {
		progress("terraform with %d chained resources", peerChain)
		if peer, err = newTerraform(ctx, path, filepath.Join(o.dir, "terraform"), peerChain); err != nil {
			return fmt.Errorf("prepare terraform: %w", err)
		}
		r.terraform = peer.version
	}
	if err := takeAll(ctx, r, o, projects, peer, env); err != nil {
		return err
	}
	return r.write(os.Stdout)
}

// takeAll takes every figure once, then every figure again: what else the machine does falls on all of them alike.
func takeAll(ctx context.Context, r *report, o options, projects []*project, peer *terraform, env []string) error {
	version := command{path: o.program, args: []string{"version"}, env: env}
	rounds := o.runs
	if peer != nil {
		rounds = max(rounds, o.peerRuns)
	}
	for i := range rounds {
		progress("round %d of %d", i+1, rounds)
		if i < o.runs {
			if err := r.take(ctx, versionName, version); err != nil {
				return err
			}
			for _, p := range projects {
				for _, s := range spellings {
					if err := r.take(ctx, planName(p.n, s), p.plan(s, o.program, env)); err != nil {
						return err
					}
				}
			}
		}
		if peer != nil && i < o.peerRuns {
			if err := r.take(ctx, peerName, peer.plan()); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepareApart prepares a project in a process of its own. A process begins with the memory of the one that starts it, in
// the kernel's count of the most that it held, so who measures has to stay small.
func prepareApart(ctx context.Context, program string, p *project, env []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-jupiter", program, "-dir", p.dir, "-prepare", strconv.Itoa(p.n))
	cmd.Env, cmd.Stderr = env, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("prepare %s: %w", p.dir, err)
	}
	return nil
}

func prepareOnly(ctx context.Context, o options) error {
	p := &project{dir: o.dir, n: o.prepare}
	return p.prepare(ctx, o.program, os.Environ())
}

// progress tells who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench-plan: "+format+"\n", args...)
}
