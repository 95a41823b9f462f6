// Command plugins measures the way between host and plugins: how long until a plugin is ready, how many records go through,
// how many processes a run starts. It prints tables.
//
// What is ready is a plugin of the program itself, `jupiter plugin-serve quality`, started as the program starts it: its
// checksum compared, by way of `jupiter plugin-confine`, with certificates of its own. What records go through is this
// program, which serves a filter that keeps all and a collector that sends what it holds, made with the same SDK. Both are
// measured from outside, through the host's interface.
//
// Every figure is taken once before any is taken again: what else the machine does falls on all of them alike.
//
// `make bench-plugins` runs it. The last line is for scripts. The exit status says whether everything could be measured;
// whether the goals are met stands in the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"jupiter/bench/figures"
	"jupiter/plugins/host"
	"jupiter/plugins/sdk"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveArg {
		sdk.Serve(benchPlugin())
		return
	}
	var o options
	flag.StringVar(&o.program, "jupiter", "", "the program to measure; required")
	flag.IntVar(&o.runs, "runs", 9, "times that each figure is taken; the median counts")
	flag.StringVar(&o.python, "python", "", "script that makes the environment of the Python SDK; without it Python is not measured")
	flag.StringVar(&o.profiles, "profiles", "", "directory for CPU profiles of both sides; the plugin is then not confined")
	flag.Parse()
	debug.SetGCPercent(200) // as the program has it
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "bench-plugins:", err)
		os.Exit(1)
	}
}

type options struct {
	program, python, profiles string
	runs                      int
}

// handles is how many stages share a process.
const handles = 50

// The ways in which a plugin in Go is reached. One in Python gets its certificates from the host.
var securities = []host.TLS{host.TLSAuto, host.TLSOff}

func readyName(tls host.TLS, confined bool) string {
	if confined {
		return "TLS " + string(tls) + ", confined"
	}
	return "TLS " + string(tls) + ", not confined"
}

func flowName(f flow, tls host.TLS) string { return f.name + ", TLS " + string(tls) }

// goalReady is how plugins start unless something is in the way.
var goalReady = readyName(host.TLSAuto, true)

const pythonName = "the Python SDK, TLS given, confined"

func run(ctx context.Context, o options) error {
	if o.program == "" || o.runs < 1 || flag.NArg() > 0 {
		return errors.New("usage: plugins -jupiter PROGRAM [-runs N] [-python SCRIPT] [-profiles DIR]")
	}
	b := &bench{options: o}
	var err error
	if b.program, err = filepath.Abs(o.program); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.report.machine = figures.Machine() + "; " + figures.Program(b.program)
	dir, err := os.MkdirTemp("", "jupiter-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.report.noPython = "the environment of its SDK was not asked for"
	if o.python != "" {
		progress("the environment of the Python SDK")
		b.report.noPython = ""
		if b.snake, b.report.python, err = python(ctx, o.python, dir, b.program); err != nil {
			b.report.noPython = fmt.Sprintf("its environment cannot be made: %v", err)
		}
	}
	for i := range o.runs {
		progress("round %d of %d", i+1, o.runs)
		if err := b.round(ctx); err != nil {
			return err
		}
	}
	if b.report.processes, err = b.keeper(host.TLSAuto).share(ctx, handles); err != nil {
		return err
	}
	return b.report.write(os.Stdout)
}

// bench is one run of the benchmark.
type bench struct {
	options
	self   string // this program
	snake  subject
	report report
}

// keeper is this program as a plugin.
func (b *bench) keeper(tls host.TLS) subject {
	s := subject{name: pluginName, program: host.Program{Path: b.self, Args: []string{serveArg}, TLS: tls}, confined: b.program}
	if b.profiles != "" {
		s.confined = "" // it writes where it may not
	}
	return s
}

// round takes every figure once.
func (b *bench) round(ctx context.Context) error {
	began := time.Now()
	sum, err := host.Checksum(host.Program{Path: b.program})
	if err := b.take(readyUnit, "of it the checksum alone")(sample{value: time.Since(began).Seconds() * 1000}, err); err != nil {
		return err
	}
	for _, confined := range []string{b.program, ""} {
		for _, tls := range securities {
			s := b.quality(tls, confined, sum)
			if err := b.take(readyUnit, readyName(tls, confined != ""))(s.ready(ctx, struct{}{})); err != nil {
				return err
			}
		}
	}
	for _, f := range []flow{toPlugin, fromPlugin} {
		if err := b.take(recordsUnit, flowName(f, host.TLSAuto))(b.keeper(host.TLSAuto).rate(ctx, f, small, b.profiles)); err != nil {
			return err
		}
		for _, tls := range []host.TLS{host.TLSOff, host.TLSAuto} {
			s, err := b.keeper(tls).rate(ctx, f, large, b.profiles)
			s.value *= float64(large.Bytes) / 1e6
			if err := b.take(largeUnit, flowName(f, tls))(s, err); err != nil {
				return err
			}
		}
	}
	if b.report.noPython != "" {
		return nil
	}
	if err := b.take(readyUnit, pythonName)(b.snake.ready(ctx, filtering{})); err != nil {
		return err
	}
	fewer := small
	fewer.Records /= 10
	return b.take(recordsUnit, pythonName)(b.snake.rate(ctx, toPlugin, fewer, ""))
}

// quality is the plugin of the program that is started, with its checksum locked.
func (b *bench) quality(tls host.TLS, confined, sum string) subject {
	p := host.Program{Path: b.program, Args: []string{"plugin-serve", "quality"}, TLS: tls, Checksum: sum}
	return subject{name: "quality", program: p, confined: confined}
}

func (b *bench) take(u unit, name string) func(sample, error) error {
	return func(s sample, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.report.add(u, name, s)
		return nil
	}
}

// progress tells who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench-plugins: "+format+"\n", args...)
}
