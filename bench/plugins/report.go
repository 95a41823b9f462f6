package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"jupiter/bench/figures"
	"jupiter/plugins/host"
)

// sample is one figure as it was taken.
type sample struct{ value float64 }

// unit is what a table's figures are in.
type unit struct {
	title  string
	format string
}

var (
	readyUnit   = unit{"until the first answer, ms", "%.1f"}
	recordsUnit = unit{"records of 1 KB a second", "%.0f"}
	largeUnit   = unit{"batches of 1 MiB, MB a second", "%.0f"}
)

var units = []unit{readyUnit, recordsUnit, largeUnit}

// row is what was measured of one thing.
type row struct {
	unit    unit
	name    string
	samples []float64
}

// report gathers figures by the name of what was measured, in the order of their first.
type report struct {
	machine   string
	python    string // version; "" where it was not measured
	noPython  string // why it was not
	processes int64  // that calls on handles started
	rows      []*row
}

func (r *report) add(u unit, name string, s sample) {
	i := slices.IndexFunc(r.rows, func(w *row) bool { return w.unit == u && w.name == name })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, &row{unit: u, name: name})
	}
	r.rows[i].samples = append(r.rows[i].samples, s.value)
}

// median of what was measured; 0 where it was not.
func (r *report) median(u unit, name string) float64 {
	for _, w := range r.rows {
		if w.unit == u && w.name == name {
			return figures.Median(w.samples)
		}
	}
	return 0
}

// result is the last line: what scripts read. A figure that could not be taken is null.
type result struct {
	Ready         float64  `json:"ready_ms"`
	Records       float64  `json:"records_per_s"` // of the slower direction
	Megabytes     float64  `json:"mb_per_s"`      // of the slower direction
	Processes     int64    `json:"processes"`
	PythonReady   *float64 `json:"python_ready_ms"`
	PythonRecords *float64 `json:"python_records_per_s"`
}

func (r *report) result() result {
	slower := func(u unit, tls host.TLS) float64 {
		return figures.Round(min(r.median(u, flowName(toPlugin, tls)), r.median(u, flowName(fromPlugin, tls))), 0)
	}
	out := result{
		Ready: figures.Round(r.median(readyUnit, goalReady), 1), Records: slower(recordsUnit, host.TLSAuto), Megabytes: slower(largeUnit, host.TLSOff),
		Processes: r.processes,
	}
	if r.noPython == "" {
		ready, records := figures.Round(r.median(readyUnit, pythonName), 1), figures.Round(r.median(recordsUnit, pythonName), 0)
		out.PythonReady, out.PythonRecords = &ready, &records
	}
	return out
}

func (x result) goals() []figures.Goal {
	return []figures.Goal{
		{What: "a plugin is ready, with AutoMTLS and checksum", Is: fmt.Sprintf("%.1f ms", x.Ready), Bound: "under 120 ms", Met: x.Ready < 120},
		{What: "records of 1 KB, in the slower direction", Is: fmt.Sprintf("%.0f a second", x.Records), Bound: "at least 100000 a second", Met: x.Records >= 100_000},
		{What: "batches of 1 MiB without TLS, in the slower direction", Is: fmt.Sprintf("%.0f MB a second", x.Megabytes), Bound: "at least 500 MB a second", Met: x.Megabytes >= 500},
		{What: fmt.Sprintf("%d stages of one profile", handles), Is: fmt.Sprintf("%d started", x.Processes), Bound: "1 process", Met: x.Processes == 1},
	}
}

// write prints the tables, the notes and the line for scripts.
func (r *report) write(w io.Writer) error {
	fmt.Fprint(w, r.machine)
	if r.noPython == "" {
		fmt.Fprintf(w, "; Python %s", r.python)
	}
	fmt.Fprintln(w)
	for _, u := range units {
		fmt.Fprintf(w, "\n| %s | runs | median (least–most) |\n| --- | --- | --- |\n", u.title)
		for _, x := range r.rows {
			if x.unit != u {
				continue
			}
			lo, hi := math.Inf(1), 0.0
			for _, v := range x.samples {
				lo, hi = min(lo, v), max(hi, v)
			}
			fmt.Fprintf(w, "| %s | %d | "+u.format+" ("+u.format+"–"+u.format+") |\n", x.name, len(x.samples), figures.Median(x.samples), lo, hi)
		}
	}
	res := r.result()
	figures.WriteGoals(w, res.goals())
	fmt.Fprint(w, notes)
	if r.noPython != "" {
		fmt.Fprintf(w, "- Python was not measured: %s.\n", r.noPython)
	}
	return figures.WriteResult(w, res)
}

const notes = `
- Ready: a host that has read nothing reads the executable for its checksum, which is locked, starts the plugin, and gets a
  verdict on one record.
- Records go through a plugin that looks at none of them, so the figures are those of the way. They are cut into batches as
  the program does, 456 of 1 KB; a batch of 1 MiB has 16 records.
- Confined means started by the wrapper. Throughput is measured with it.
- MB are millions of bytes of text: identities, and what messages are wrapped in, come on top.
`
