package plan

import (
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Code is a reason's stable name.
type Code string

// The codes.
const (
	NotRecorded     Code = "not-recorded"     // nothing recorded at this address
	InputChanged    Code = "input-changed"    // an input's content differs
	InputUnknown    Code = "input-unknown"    // an input comes from another change
	ConfigChanged   Code = "config-changed"   // an attribute differs
	RevisionChanged Code = "revision-changed" // the plugin's stage was revised
	SourceChanged   Code = "source-changed"   // the place that a source names has other content
	ModelChanged    Code = "model-changed"    // the model that a served generator names is another one
	NextCycle       Code = "next-cycle"       // regenerate = "cycle", or the next window's draws
	NextWindow      Code = "next-window"      // the trainer goes on
	Interrupted     Code = "interrupted"      // a partial result is there
	ArtifactMissing Code = "artifact-missing" // recorded, but its bytes are gone
	ArtifactDamaged Code = "artifact-damaged" // recorded, but its bytes are not what they were
	Undecided       Code = "undecided"        // settled during apply
	Asked           Code = "asked"            // by an option of the command
	Renamed         Code = "renamed"          // a moved block gives its address
	NotConfigured   Code = "not-configured"   // no block is at this address any more
)

// Reason says why a change is planned: which parts of the action's identity differ from what is recorded.
type Reason struct {
	Code  Code     `json:"code"`
	Names []string `json:"names"`
	Was   string   `json:"was,omitempty"`
	Now   string   `json:"now,omitempty"`
	File  string   `json:"file,omitempty"`
	Line  int      `json:"line,omitempty"`
}

// diff compares the recorded parts of an action with those that it has now. Parts whose value is not known yet are in
// unknown and are left out.
func diff(a *Action, was, now map[string]string, unknown map[string]bool) []Reason {
	ranges := make(map[string]hcl.Range, len(a.Parts))
	for _, p := range a.Parts {
		ranges[p.Name] = p.Range
	}
	names := make([]string, 0, len(was)+len(now))
	for n := range was {
		names = append(names, n)
	}
	for n := range now {
		if _, ok := was[n]; !ok {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	var reasons []Reason
	for _, n := range names {
		if was[n] == now[n] || unknown[n] || n == "after" {
			continue
		}
		r := Reason{Code: code(n), Names: []string{n}, Was: short(was[n]), Now: short(now[n])}
		if a.Kind == Adopt && n == "fingerprint" {
			r.Code = ModelChanged
		}
		if rg := ranges[n]; rg.Filename != "" {
			r.File, r.Line = rg.Filename, rg.Start.Line
		}
		reasons = append(reasons, r)
	}
	return reasons
}

func code(part string) Code {
	switch {
	case strings.HasPrefix(part, "input."):
		return InputChanged
	case strings.HasSuffix(part, "revision"):
		return RevisionChanged
	case part == "fingerprint", part == "file":
		return SourceChanged
	case part == "cycle":
		return NextCycle
	case part == "window":
		return NextWindow
	}
	return ConfigChanged
}

// short cuts a digest or a long value to what a line of a plan has room for.
func short(v string) string {
	if d, ok := strings.CutPrefix(v, "sha256:"); ok && len(d) == 64 {
		return d[:12]
	}
	if r := []rune(v); len(r) > 60 {
		return string(r[:57]) + "…"
	}
	return v
}
