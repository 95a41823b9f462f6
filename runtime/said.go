package runtime

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// What plugins say in the middle of a call: progress, diagnostics, and where an output lies.

// progress shows how far a call has come, and gives the metrics that are numbers. One that is none, the loss of a training
// that has diverged above all, is unavailable: there is no way to write it down. It is said once.
func (j *job) progress(p *pluginv1.Progress) map[string]float64 {
	metrics := make(map[string]float64, len(p.Metrics))
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		switch v := p.Metrics[name]; {
		case !math.IsNaN(v) && !math.IsInf(v, 0):
			metrics[name] = v
		case !j.lost[name]:
			if j.lost == nil {
				j.lost = map[string]bool{}
			}
			j.lost[name] = true
			j.warn(fmt.Sprintf("%s is %v after %d %s; it counts as unavailable", name, v, p.Done, schema.Printable(p.Unit, maxUnit)))
		}
	}
	j.r.emit(Event{Type: Progressed, Address: string(j.a.Address), Title: j.a.Title, Done: p.Done, Total: p.Total, Unit: schema.Printable(p.Unit, maxUnit), Metrics: metrics})
	return metrics
}

const maxUnit = 40 // characters

// maxWarnings bounds what one action may say.
const maxWarnings = 50

func (j *job) warn(text string) {
	switch j.warned++; {
	case j.warned < maxWarnings:
		j.r.emit(Event{Type: Warned, Address: string(j.a.Address), Message: text})
	case j.warned == maxWarnings:
		j.r.emit(Event{Type: Warned, Address: string(j.a.Address), Message: text + "\nIt has more to say, which is not shown."})
	}
}

// diagnostic takes what a stage says in the middle of a call. An error ends the call.
func (j *job) diagnostic(st *host.Stage, d *pluginv1.Diagnostic) error {
	said := schema.DiagnosticFromProto(d)
	text := said.Summary
	if said.Detail != "" {
		text += ": " + said.Detail
	}
	text = j.r.Host.Hide(text)
	if d.GetSeverity() == pluginv1.Diagnostic_SEVERITY_ERROR {
		return st.Refuses(text)
	}
	j.warn(text)
	return nil
}

// output is where a stage's output lies: a file or a directory in its directory, and not by way of a link that leads out of
// it. The store, which takes it in, looks again at all that is in it.
func (j *job) output(st *host.Stage, method, path string) (string, error) {
	dir, err := j.callDir(st.Schema.Plugin)
	if err != nil {
		return "", err
	}
	full := filepath.Join(dir, path)
	if !filepath.IsLocal(path) {
		return "", st.Breach(method, "", "its output %.80q lies outside the directory of the call", path)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(full)
	if err != nil {
		return "", st.Breach(method, "", "its output %.80q is not there: %v", path, err)
	}
	if rel, err := filepath.Rel(dir, real); err != nil || !filepath.IsLocal(rel) {
		return "", st.Breach(method, "", "its output %.80q lies outside the directory of the call, by way of a link", path)
	}
	fi, err := os.Lstat(full)
	if err != nil {
		return "", st.Breach(method, "", "its output %.80q is not there: %v", path, err)
	}
	if !fi.IsDir() && !fi.Mode().IsRegular() {
		return "", st.Breach(method, "", "its output %.80q is neither a file nor a directory", path)
	}
	return full, nil
}
