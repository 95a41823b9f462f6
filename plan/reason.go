package plan

import (
	"encoding/json"
	"maps"
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
	was, now = apart(was), apart(now)
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
		if stage, ok := strings.CutSuffix(n, "revision"); ok && was[stage+"type"] != now[stage+"type"] {
			continue // of another stage, which its type says
		}
		r := Reason{Code: code(n, was[n], now[n]), Names: []string{n}}
		if r.Code == NextWindow && a.Stage != a.Cycle.Trainer {
			r.Code = ConfigChanged // a trainer that stands alone has all its windows in one turn
		}
		r.Was, r.Now = Brief(was[n], now[n], room)
		if a.Kind == Adopt && n == "fingerprint" {
			r.Code = ModelChanged
		}
		if at := a.written(n); at.Filename != "" && r.Code != NextCycle && r.Code != NextWindow {
			r.File, r.Line = at.Filename, at.Start.Line
		}
		reasons = append(reasons, r)
	}
	return reasons
}

// domainAttrs are the attributes of a domain that domainText holds, in its order, after the name.
var domainAttrs = [...]string{"language", "keywords", "negative_keywords"}

// apart is parts with those that stand for several attributes taken apart, so that a reason names the one that differs.
func apart(parts map[string]string) map[string]string {
	var values []json.RawMessage
	if err := json.Unmarshal([]byte(parts["domain"]), &values); err != nil || len(values) != 1+len(domainAttrs) {
		return parts
	}
	all := maps.Clone(parts)
	delete(all, "domain")
	all["domain.name"] = string(values[0])
	for i, name := range domainAttrs {
		all["domain."+name] = string(values[1+i])
	}
	return all
}

// written is where a part is written: its attribute, else the block that has it by default or had it.
func (a *Action) written(part string) hcl.Range {
	for _, p := range a.Parts {
		if p.Name == part && p.Range.Filename != "" {
			return p.Range
		} else if p.Name == part {
			return p.Block
		}
	}
	if name, ok := strings.CutPrefix(part, "domain."); ok && a.Domain != nil {
		if at, ok := a.Domain.Attrs[name]; ok {
			return at.Range
		}
		return a.Domain.Range
	}
	if name, ok := strings.CutPrefix(part, "input."); ok {
		for _, in := range a.Inputs {
			if in.Name == name {
				return in.Range
			}
		}
	}
	if i := strings.Index(part, "config."); i >= 0 {
		part = part[:i]
	}
	if at, ok := a.blocks[part]; ok || a.Stage == nil {
		return at
	}
	return a.Stage.Range // which had it
}

// code is the code of a part that differs. The cycle's own course brings another cycle and the window that begins where
// the last one ended; else an attribute says how often something is made, and how long a window is.
func code(part, was, now string) Code {
	switch {
	case strings.HasPrefix(part, "input."):
		return InputChanged
	case strings.HasSuffix(part, "revision"):
		return RevisionChanged
	case part == "fingerprint", part == "file":
		return SourceChanged
	case part == "cycle" && was != "" && now != "":
		return NextCycle
	case part == "window" && !sameStart(was, now):
		return NextWindow
	}
	return ConfigChanged
}

func sameStart(was, now string) bool {
	w, _, whole := strings.Cut(was, "-")
	n, _, _ := strings.Cut(now, "-")
	return whole && w == n
}

// room is how many characters of a value a line of a plan has room for.
const room = 60

// short cuts a digest or a long value to what a line has room for.
func short(v string) string { return cut(undigested(v), room) }

// undigested is the beginning of a digest, which tells it from others, and any other value as it is.
func undigested(v string) string {
	if d, ok := strings.CutPrefix(v, "sha256:"); ok && len(d) == 64 {
		return d[:12]
	}
	return v
}

func cut(v string, room int) string {
	if r := []rune(v); len(r) > room {
		return string(r[:room-3]) + "…"
	}
	return v
}

// Brief cuts two values that differ to so many characters, where the first difference is to be seen.
func Brief(was, now string, room int) (string, string) {
	w, n := []rune(undigested(was)), []rune(undigested(now))
	from := 0
	if max(len(w), len(n)) > room {
		for from < min(len(w), len(n)) && w[from] == n[from] {
			from++
		}
		from = max(0, from-room/3)
	}
	if from > 0 {
		return cut("…"+string(w[from:]), room), cut("…"+string(n[from:]), room)
	}
	return cut(string(w), room), cut(string(n), room)
}
