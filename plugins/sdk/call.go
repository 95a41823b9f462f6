package sdk

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// Call is what every call of a stage gets. The zero value is usable: it reports to nobody and is never stopped.
type Call struct {
	ID      string
	WorkDir string // private to this call, empty at first; outputs are written below it
	Seed    uint64
	Cursor  []byte  // of the last batch that the host kept; empty on a fresh start
	Domain  *Domain // nil where the call is about none
	Inputs  map[string]*Artifact
	Base    *Artifact // of an export: what training began with, where that was imported; else nil. A TrainRequest has its own

	// Stopped is closed when the host asks the call to save what it has and return nil.
	Stopped <-chan struct{}

	progress   func(*pluginv1.Progress)
	diagnostic func(*Diagnostic)
	used       used
}

// used is what a call has used, and how much it may.
type used struct {
	limit *pluginv1.Limit
	stop  func() // closes Stopped

	mu                 sync.Mutex
	prompt, completion uint64             // tokens
	last               *pluginv1.Progress // as it was sent
	reported           bool               // last has all tokens
}

// Spend counts tokens that a model has read and written, whatever becomes of them. At the limit that the host has set,
// Stopped is closed. A stage that never calls it is counted by what its records and completions say of themselves. It
// may be called from any goroutine.
func (c *Call) Spend(prompt, completion uint64) {
	u := &c.used
	u.mu.Lock()
	u.prompt += prompt
	u.completion += completion
	u.reported = false
	over := u.stop != nil && exceeds(u.limit, u.prompt, u.completion)
	u.mu.Unlock()
	if over {
		u.stop()
	}
}

// exceeds says whether a limit is reached.
func exceeds(l *pluginv1.Limit, prompt, completion uint64) bool {
	if l == nil {
		return false
	}
	usd := float64(prompt)*l.UsdPerPromptToken + float64(completion)*l.UsdPerCompletionToken
	return l.Tokens > 0 && prompt+completion >= l.Tokens || l.Usd > 0 && usd >= l.Usd
}

// settle tells the host what was used since the last progress.
func (c *Call) settle() {
	u := &c.used
	u.mu.Lock()
	p, silent := u.last, u.reported || u.prompt+u.completion == 0
	u.mu.Unlock()
	if silent {
		return
	}
	if p == nil {
		p = &pluginv1.Progress{}
	}
	c.Progress(p.Done, p.Total, p.Unit, p.Metrics)
}

// Progress tells the host how far the call is: done of total (0: unknown) units, and any figures worth showing. The
// host takes a call that sends nothing for long for stalled, so report at least every few seconds; more than a few
// times a second is waste. An Evaluator's Score and a Generator's Score have no place for progress: there it does
// nothing. It may be called from any goroutine.
func (c *Call) Progress(done, total uint64, unit string, metrics map[string]float64) {
	if c.progress == nil {
		return
	}
	p := &pluginv1.Progress{Done: done, Total: total, Unit: unit, Metrics: metrics}
	u := &c.used
	u.mu.Lock()
	if u.prompt+u.completion > 0 {
		p.Usage = &pluginv1.Usage{PromptTokens: u.prompt, CompletionTokens: u.completion}
	}
	u.last, u.reported = p, true
	u.mu.Unlock()
	c.progress(p)
}

// Warn shows the user a warning. path leads to the attribute that it is about: a name, then names, keys or decimal
// indexes within the attribute's value. Where a stream has no place for warnings it goes to standard error.
func (c *Call) Warn(summary, detail string, path ...string) {
	d := Warning(summary, detail, path...)
	if c.diagnostic != nil {
		c.diagnostic(d)
		return
	}
	fmt.Fprintf(os.Stderr, "warning: %s: %s\n", summary, detail)
}

// IsStopped says whether the host asked the call to save and return.
func (c *Call) IsStopped() bool {
	select {
	case <-c.Stopped:
		return true
	default:
		return false
	}
}

// Error makes the diagnostic of a configuration that cannot work, for a configuration's Validate method. path is as in
// Call.Warn.
func Error(summary, detail string, path ...string) *Diagnostic {
	return diagnostic(pluginv1.Diagnostic_SEVERITY_ERROR, summary, detail, path)
}

// Warning makes the diagnostic of a configuration that is probably not what the user wants.
func Warning(summary, detail string, path ...string) *Diagnostic {
	return diagnostic(pluginv1.Diagnostic_SEVERITY_WARNING, summary, detail, path)
}

func diagnostic(s pluginv1.Diagnostic_Severity, summary, detail string, path []string) *Diagnostic {
	d := &Diagnostic{Severity: s, Summary: strings.ToValidUTF8(summary, "\uFFFD"), Detail: strings.ToValidUTF8(detail, "\uFFFD")}
	for i, p := range path {
		n, err := strconv.ParseUint(p, 10, 31)
		if i > 0 && err == nil {
			d.Attribute = append(d.Attribute, indexStep(int(n)))
			continue
		}
		d.Attribute = append(d.Attribute, nameStep(p))
	}
	return d
}

func nameStep(name string) *pluginv1.PathStep {
	return &pluginv1.PathStep{Step: &pluginv1.PathStep_Name{Name: name}}
}

func keyStep(key string) *pluginv1.PathStep {
	return &pluginv1.PathStep{Step: &pluginv1.PathStep_Key{Key: key}}
}

func indexStep(i int) *pluginv1.PathStep {
	return &pluginv1.PathStep{Step: &pluginv1.PathStep_Index{Index: int64(i)}}
}
