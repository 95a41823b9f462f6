package main

import (
	"os"
	"testing"

	"jupiter/plugins/host"
	"jupiter/plugins/sdk"
)

// The test is host and plugin in one, as the benchmark is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveArg {
		sdk.Serve(benchPlugin())
		return
	}
	os.Exit(m.Run())
}

func self(t *testing.T) subject {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return subject{name: pluginName, program: host.Program{Path: exe, Args: []string{serveArg}}}
}

// Calls on many handles of one profile, in turn and at once, share one process.
func TestHandlesShareAProcess(t *testing.T) {
	t.Parallel()
	if n, err := self(t).share(t.Context(), handles); err != nil || n != 1 {
		t.Errorf("%d processes, %v", n, err)
	}
}

// What is sent arrives, and each batch is what the protocol allows.
func TestFlows(t *testing.T) {
	t.Parallel()
	for _, l := range []load{{Records: 2000, Bytes: small.Bytes, Batch: small.Batch}, {Records: 40, Bytes: large.Bytes, Batch: large.Batch}} {
		runs, err := sdk.SplitRecords(records(l.Bytes)[:l.Batch])
		if err != nil || len(runs) != 1 {
			t.Errorf("%d records of %d bytes are %d batches, %v", l.Batch, l.Bytes, len(runs), err)
		}
		for _, f := range []flow{toPlugin, fromPlugin} {
			if s, err := self(t).rate(t.Context(), f, l, ""); err != nil || s.value <= 0 {
				t.Errorf("%s: %v, %v", f.name, s, err)
			}
		}
	}
}
