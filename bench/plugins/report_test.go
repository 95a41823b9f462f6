package main

import (
	"encoding/json"
	"strings"
	"testing"

	"jupiter/plugins/host"
)

// TestReport: the figures are medians, of two directions the slower counts, the line for scripts is the last, and a goal that
// is missed is said to be.
func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{machine: "a processor", noPython: "it is not here", processes: 2}
	add := func(u unit, name string, values ...float64) {
		for _, v := range values {
			r.add(u, name, sample{v})
		}
	}
	add(readyUnit, goalReady, 100, 90, 300)
	add(recordsUnit, flowName(toPlugin, host.TLSAuto), 300_000)
	add(recordsUnit, flowName(fromPlugin, host.TLSAuto), 99_000, 98_000)
	add(largeUnit, flowName(toPlugin, host.TLSOff), 700)
	add(largeUnit, flowName(fromPlugin, host.TLSOff), 500)
	add(largeUnit, flowName(toPlugin, host.TLSAuto), 1)
	check := func(want string, lines ...string) {
		t.Helper()
		var b strings.Builder
		if err := r.write(&b); err != nil {
			t.Fatal(err)
		}
		all := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		line, ok := strings.CutPrefix(all[len(all)-1], "RESULT ")
		if !ok || line != want || !json.Valid([]byte(line)) {
			t.Errorf("the last line is\n%s, want\n%s", all[len(all)-1], want)
		}
		for _, l := range lines {
			if !strings.Contains(b.String(), l+"\n") {
				t.Errorf("no line\n%s\nin\n%s", l, b.String())
			}
		}
	}
	check(`{"ready_ms":100,"records_per_s":98500,"mb_per_s":500,"processes":2,"python_ready_ms":null,"python_records_per_s":null}`,
		"| TLS auto, confined | 3 | 100.0 (90.0–300.0) |",
		"| a plugin is ready, with AutoMTLS and checksum | 100.0 ms | under 120 ms | met |",
		"| records of 1 KB, in the slower direction | 98500 a second | at least 100000 a second | NOT MET |",
		"| batches of 1 MiB without TLS, in the slower direction | 500 MB a second | at least 500 MB a second | met |",
		"| 50 stages of one profile | 2 started | 1 process | NOT MET |",
		"- Python was not measured: it is not here.")
	r.noPython, r.python = "", "3"
	add(readyUnit, pythonName, 400)
	add(recordsUnit, pythonName, 20_000)
	check(`{"ready_ms":100,"records_per_s":98500,"mb_per_s":500,"processes":2,"python_ready_ms":400,"python_records_per_s":20000}`, "a processor; Python 3")
}
