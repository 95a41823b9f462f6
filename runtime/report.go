package runtime

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jupiter/plan/addr"
	"jupiter/plugins/host"
)

// Report is what is kept of a plugin's end that nobody asked for, or of its breach of the protocol: a file below crashes in
// the state's directory, to be looked at and passed on. It has no values of sensitive attributes.
type Report struct {
	Schema   string    `json:"schema"` // jupiter.crash/v1
	At       time.Time `json:"at"`
	Run      string    `json:"run"`     // "": none
	Address  string    `json:"address"` // of the action; "": none
	Plugin   string    `json:"plugin"`
	Version  string    `json:"version"`
	Checksum string    `json:"checksum"` // of the executable: sha256:…
	Kind     string    `json:"kind"`     // crash, stall, out-of-memory, processes, protocol
	ExitCode *int      `json:"exit_code"`
	Signal   string    `json:"signal,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Stage    string    `json:"stage,omitempty"`
	Call     string    `json:"call,omitempty"`
	Item     string    `json:"item,omitempty"` // in work
	Stderr   []string  `json:"stderr"`         // the last 50 lines at most
}

// reported is an error whose report is kept.
type reported struct {
	error
	where string // the line that says where
}

func (r *reported) Error() string { return r.error.Error() + r.where }
func (r *reported) Unwrap() error { return r.error }

// keptReports bounds the reports of a project. The oldest go.
const keptReports = 50

// reportOf is the report of an error; nil where it is of another kind.
func reportOf(err error) *Report {
	var c *host.Crash
	var p *host.ProtocolError
	switch {
	case errors.As(err, &c):
		rep := &Report{Kind: "crash", Plugin: c.Plugin, Version: c.Version, Checksum: c.Checksum, ExitCode: &c.ExitCode, Signal: c.Signal,
			Detail: c.Detail, Stage: c.Stage, Call: c.Call, Item: c.Item, Stderr: c.Stderr}
		switch {
		case c.Stalled:
			rep.Kind = "stall"
		case c.OOM:
			rep.Kind = "out-of-memory"
		case c.Crowded:
			rep.Kind = "processes"
		}
		return rep
	case errors.As(err, &p):
		return &Report{Kind: "protocol", Plugin: p.Plugin, Version: p.Version, Checksum: p.Checksum, Detail: p.Detail, Stage: p.Stage, Item: p.Item, Stderr: p.Stderr}
	}
	return nil
}

// keepReport writes the report of an error of an action.
func (r *Runner) keepReport(at addr.Address, err error) string {
	return KeepReport(err, Filed{StateDir: r.Config.StateDir, Dir: r.Config.Dir, At: r.Clock(), Run: r.run, Address: string(at)})
}

// Filed is where a report goes, and what it was about: nothing, where it was before there was an action.
type Filed struct {
	StateDir, Dir string // of the project
	At            time.Time
	Run, Address  string
}

// KeepReport writes the report of an error to a file, and gives a line that says where; "" where there is none to write, or one
// that was written already. That it cannot be written is no second error.
func KeepReport(err error, to Filed) string {
	var before *reported
	rep := reportOf(err)
	if rep == nil || errors.As(err, &before) {
		return ""
	}
	rep.Schema, rep.At, rep.Run, rep.Address = "jupiter.crash/v1", to.At.UTC(), to.Run, to.Address
	if rep.Checksum != "" {
		rep.Checksum = "sha256:" + rep.Checksum
	}
	b, merr := json.MarshalIndent(rep, "", "  ")
	dir := filepath.Join(to.StateDir, "crashes")
	path := filepath.Join(dir, rep.At.Format("20060102T150405.000000Z")+"-"+rep.Plugin+".json")
	if merr = errors.Join(merr, os.MkdirAll(dir, 0o755)); merr == nil {
		merr = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if merr != nil {
		return "\nno report of it could be written: " + merr.Error()
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	slices.Sort(files)
	for len(files) > keptReports {
		_ = os.Remove(files[0])
		files = files[1:]
	}
	if rel, err := filepath.Rel(to.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		path = rel
	}
	return "\nthe report: " + path
}
