package runtime

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"jupiter/plan/config"
	"jupiter/plugins/schema"
	"jupiter/runtime/notify"
	"jupiter/state"
)

// maxTold bounds an error's text in a notice and in the journal, in characters.
const maxTold = 2000

// Hooks are a configuration's ways to tell somebody.
func Hooks(cfg *config.Config) (hooks []notify.Hook) {
	for _, n := range cfg.Notify {
		hooks = append(hooks, notify.Hook{Name: n.Name, On: n.On, Command: n.Command, Webhook: n.Webhook, Headers: n.Headers, Timeout: n.Timeout})
	}
	return hooks
}

// Teller tells a runner's hooks.
func (r *Runner) Teller() *notify.Teller {
	client := r.Client
	if client == nil {
		client = &http.Client{}
	}
	return &notify.Teller{Dir: r.Config.Dir, Env: r.Env, Client: client, Pause: notify.Wait}
}

// Notice begins a notice of a run.
func (r *Runner) Notice(event, key string) notify.Notice {
	id := strings.Trim(r.run+"/"+event+"/"+key, "/")
	return notify.Notice{ID: id, Event: event, At: r.Clock().UTC(), Project: filepath.Base(r.Config.Dir), Host: r.Machine, Run: r.run}
}

// listen begins to tell the hooks of a run. Where ctx ends, a person has ended the run at once, and nothing more is told.
func (r *Runner) listen(ctx context.Context) {
	for _, n := range r.Config.Notify {
		r.Host.Conceal(n.Secrets...)
	}
	r.notices = notify.NewQueue(ctx, r.Teller(), Hooks(r.Config), func(h notify.Hook, n notify.Notice, err error) {
		at, detail := "notify."+h.Name, n.Event
		event := "told"
		if err != nil {
			event, detail = "not told", n.Event+": "+schema.Printable(r.Host.Hide(err.Error()), maxTold)
			r.emit(Event{Type: Warned, Address: at, Message: "could not tell of " + detail})
		}
		r.journalLine(context.WithoutCancel(ctx), event, at, detail)
	})
}

// tellDecision tells of a promotion or a halt that is recorded.
func (r *Runner) tellDecision(cycle string, d *state.Decision, promoted *state.Generator) {
	if r.notices == nil || promoted == nil && !d.Halted { // no run: a person promotes by hand
		return
	}
	key := fmt.Sprintf("%s/%d", cycle, d.Epoch)
	n := r.Notice(config.NoticeHalt, key)
	n.Text = fmt.Sprintf("%s: the collapse guard has stopped %s at step %d", n.Project, cycle, d.Step)
	if len(d.Reasons) > 0 {
		n.Text += ": " + d.Reasons[0]
	}
	if promoted != nil {
		n = r.Notice(config.NoticePromotion, key)
		n.Version = promoted.Version
		n.Text = fmt.Sprintf("%s: generator_v%d of %s is in use, promoted at step %d", n.Project, promoted.Version, cycle, d.Step)
		if a, b := d.Challenger.Score, d.Incumbent.Score; a != nil && b != nil {
			n.Text += fmt.Sprintf(": score %.3f against %.3f", *a, *b)
		}
	}
	n.Cycle = cycle
	n.Decision = &notify.Decision{Epoch: d.Epoch, Step: d.Step, Verdict: d.Verdict, Candidate: notify.Scores(d.Challenger), Incumbent: notify.Scores(d.Incumbent),
		IncumbentVersion: d.IncumbentVersion, Split: d.Split, N: d.N, GainAbsolute: d.GainAbsolute, LCB: d.LCB, Reasons: d.Reasons}
	r.notices.Add(n)
}

// tellEnd tells how a run ended, and waits until all is told.
func (r *Runner) tellEnd(run state.Run, status int) {
	n := r.Notice(config.NoticeEnd, "")
	n.Text = fmt.Sprintf("%s: the run ended: %s", n.Project, run.Outcome)
	if run.Outcome == string(OutcomeFailed) {
		n = r.Notice(config.NoticeFailure, "")
		n.Text = fmt.Sprintf("%s: the run failed: %s", n.Project, schema.Printable(r.Host.Hide(run.Error), maxTold))
	}
	n.Outcome, n.Status, n.Error = run.Outcome, &status, schema.Printable(r.Host.Hide(run.Error), maxTold)
	n.Seconds = run.Ended.Sub(run.Began).Round(time.Millisecond).Seconds()
	r.notices.Add(n)
	r.notices.Close()
}
