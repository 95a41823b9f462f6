package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"time"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
	"jupiter/state"
	"jupiter/state/artifact"
)

// job is one action about to run: its identity, the digests of its inputs, and a directory of its own.
type job struct {
	r       *Runner
	a       *plan.Action
	id      plan.Identity
	inputs  map[string]string // name → digest
	work    string            // of the core's own files
	dirs    map[string]string // of calls, by plugin
	dirsMu  sync.Mutex
	partial *state.Partial      // what an earlier try left, or nil
	was     *state.ActionRecord // what it gave before, where that is no longer whole; or nil
	meter   *meter
	began   time.Time
	cost    *forecast.Work // what a cost model says of it; nil: none does
	warned  int
	lost    map[string]bool // metrics that were no numbers
	poison  poison
}

// put is a file or directory that becomes an output.
type put struct {
	path      string // below the work directory, or absolute
	digest    string // set instead of path: an artifact that is in the store already
	mediaType string
	from      *host.Stage // that wrote it; nil: the core
}

// result is what an executor gives back.
type result struct {
	outputs map[string]put
	detail  any                                        // small figures, kept with the action
	also    func(*state.Tx, *state.ActionRecord) error // written in the same transaction
}

// executors by kind. Each does one kind of action and knows nothing of memos, partial results of others or order.
func executor(k plan.Kind) func(*job, context.Context) (*result, error) {
	switch k {
	case plan.Collect:
		return (*job).collect
	case plan.Benchmark:
		return (*job).benchmark
	case plan.Real:
		return (*job).real
	case plan.Generate:
		return (*job).generate
	case plan.Verify:
		return (*job).verify
	case plan.Filter:
		return (*job).filter
	case plan.Pool:
		return (*job).pool
	case plan.Mix:
		return (*job).mix
	case plan.Train:
		return (*job).train
	case plan.Select:
		return (*job).selectBest
	case plan.Validate:
		return (*job).validate
	case plan.Export:
		return (*job).export
	case plan.Measure:
		return (*job).measure
	case plan.Evaluate:
		return (*job).evaluate
	case plan.Import:
		return (*job).importModel
	case plan.Adopt:
		return (*job).adopt
	}
	panic(fmt.Sprintf("no executor for %q", k))
}

// do gives what an action recorded: earlier, where it did, else by running it now.
func (r *Runner) do(ctx context.Context, a *plan.Action, inputs map[string]string) (*state.ActionRecord, error) {
	if err := r.refs(a, inputs); err != nil {
		return nil, err
	}
	id := a.Identify(inputs)
	// Two actions of one plan may be the same work: the draws of a control arm's student and of its base. The second
	// waits for the first, and finds its result.
	mu, _ := r.lineages.LoadOrStore(id.Lineage, new(sync.Mutex))
	mu.(*sync.Mutex).Lock()
	defer mu.(*sync.Mutex).Unlock()
	var memo state.ActionRecord
	var partial state.Partial
	var known, begun bool
	err := r.DB.View(ctx, func(tx *state.Tx) (err error) {
		if memo, known, err = tx.Action(id.ID); err != nil {
			return err
		}
		partial, begun, err = tx.Partial(id.Lineage)
		return err
	})
	if err != nil {
		return nil, err
	}
	whole := false
	if known {
		if whole, err = r.present(ctx, &memo); err != nil {
			return nil, err
		}
	}
	if whole && !a.Replace {
		r.emit(Event{Type: Reused, Address: string(a.Address), Title: a.Title})
		return &memo, nil
	}
	if r.stopping.Load() {
		return nil, ErrInterrupted
	}

	j := &job{r: r, a: a, id: id, inputs: inputs, work: r.coreDir(id.Lineage), meter: r.meterFor(ctx, a), began: r.Clock(), cost: r.cost(ctx, a)}
	if known {
		j.was = &memo
	}
	if begun && !a.Replace { // a part of it that is damaged is no progress: the action starts again
		if begun, err = r.whole(ctx, partial.Digests()...); err != nil {
			return nil, err
		} else if begun {
			j.partial, j.meter.before = &partial, partial.Usage
		}
	}
	if err := os.RemoveAll(j.work); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(j.work, 0o755); err != nil {
		return nil, err
	}
	r.emit(Event{Type: Started, Address: string(a.Address), Title: a.Title})
	r.journal(ctx, "started", a, "")
	var res *result
	j.metered(ctx, func(ctx context.Context) { res, err = r.bounded(ctx, j) })
	if err != nil {
		return nil, r.failed(ctx, a, err)
	}
	rec, err := j.commit(ctx, res)
	if err != nil {
		return nil, r.failed(ctx, a, err)
	}
	if !begun { // what a killed try took is not known to the end
		r.remember(rec, j.cost)
	}
	r.emit(Event{Type: Finished, Address: string(a.Address), Title: a.Title, Seconds: r.Clock().Sub(j.began).Seconds(), Usage: rec.Usage, Message: summary(res.detail)})
	r.journal(ctx, "finished", a, summary(res.detail))
	return rec, j.cleanup()
}

// refs gives an action what its stages' attributes refer to. Those of an action that is a line of the plan are among its
// inputs; what is found out only while a line runs takes what the turn has made.
func (r *Runner) refs(a *plan.Action, inputs map[string]string) error {
	for _, path := range a.Refs {
		name := plan.RefInput(path)
		if inputs[name] != "" {
			r.handed.Store(path, inputs[name])
			continue
		}
		digest, ok := r.handed.Load(path)
		if !ok {
			return fmt.Errorf("%s refers to %s, which nothing has made yet", a.Address, path)
		}
		inputs[name] = digest.(string)
	}
	return nil
}

// present says whether every output of a recorded action can be read, and is what it was.
func (r *Runner) present(ctx context.Context, a *state.ActionRecord) (bool, error) {
	digests := make([]string, 0, len(a.Outputs))
	for _, o := range a.Outputs {
		digests = append(digests, o.Digest)
	}
	return r.whole(ctx, digests...)
}

func (r *Runner) failed(ctx context.Context, a *plan.Action, err error) error {
	var crash *host.Crash
	// What was asked to stop answers less than it was asked for, and whoever counts finds too few. The next run says
	// whether there was more to it.
	stopped := r.stopping.Load() && !errors.As(err, &crash)
	if errors.Is(err, ErrInterrupted) || ctx.Err() != nil || errors.Is(err, host.ErrStopped) || stopped {
		r.emit(Event{Type: Interrupted, Address: string(a.Address), Title: a.Title})
		r.journal(context.WithoutCancel(ctx), "interrupted", a, "")
		return ErrInterrupted
	}
	if where := r.keepReport(a.Address, err); where != "" {
		err = &reported{err, where}
	}
	r.emit(Event{Type: Failed, Address: string(a.Address), Title: a.Title, Message: err.Error()})
	r.journal(ctx, "failed", a, err.Error())
	return fmt.Errorf("%s: %w", a.Address, err)
}

// commit moves the outputs into the store and records the action, in this order.
func (j *job) commit(ctx context.Context, res *result) (*state.ActionRecord, error) {
	r := j.r
	rec := &state.ActionRecord{ID: j.id.ID, Lineage: j.id.Lineage, Address: string(j.a.Address), Kind: string(j.a.Kind), Parts: j.id.Parts,
		Outputs: outputs{}, Run: r.run, Began: j.began, Retained: true}
	var err error
	if rec.Result, err = json.Marshal(res.detail); err != nil {
		return nil, err
	}
	if j.cost != nil {
		if rec.Work, err = json.Marshal(j.cost); err != nil {
			return nil, err
		}
	}
	var arts []state.Artifact
	for _, name := range slices.Sorted(maps.Keys(res.outputs)) {
		p := res.outputs[name]
		if p.digest == "" {
			art, err := j.ingest(ctx, p)
			if err != nil {
				return nil, err
			}
			arts = append(arts, art)
			p.digest = art.Digest
		}
		rec.Outputs[name] = state.Output{Digest: p.digest, MediaType: p.mediaType}
	}
	rec.Usage = j.meter.usage()
	rec.Seconds = rec.Usage.Seconds
	var replaced []string
	err = r.DB.Update(ctx, func(tx *state.Tx) (err error) {
		for _, a := range arts {
			if err := tx.PutArtifact(a); err != nil {
				return err
			}
		}
		if err := r.soFar(tx); err != nil {
			return err
		}
		if err := tx.PutAction(*rec); err != nil {
			return err
		}
		if replaced, err = dropReplaced(tx, j.was, rec); err != nil {
			return err
		}
		if err := tx.PutStage(j.a.Address, state.StageRecord{Action: rec.ID, At: r.Clock()}); err != nil {
			return err
		}
		if err := dropPartials(tx, rec); err != nil {
			return err
		}
		if res.also != nil {
			return res.also(tx, rec)
		}
		return nil
	})
	if err != nil {
		return rec, err
	}
	for _, d := range replaced {
		err = errors.Join(err, r.store().Remove(ctx, d))
	}
	return rec, err
}

// dropPartials forgets the progress that a result makes worthless: its own, and what was begun at its address with
// another recipe and given up.
func dropPartials(tx *state.Tx, rec *state.ActionRecord) error {
	gone := []string{rec.Lineage}
	for p, err := range tx.Partials() {
		if err != nil {
			return err
		}
		if p.Address == rec.Address && p.Lineage != rec.Lineage {
			gone = append(gone, p.Lineage)
		}
	}
	for _, l := range gone {
		if err := tx.DeletePartial(l); err != nil {
			return err
		}
	}
	return nil
}

// ingest moves a file or directory of the work directory into the store.
func (j *job) ingest(ctx context.Context, p put) (state.Artifact, error) {
	path := p.path
	if !filepath.IsAbs(path) {
		path = filepath.Join(j.work, path)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return state.Artifact{}, err
	}
	store := j.r.store().PutFile
	if fi.IsDir() {
		store = j.r.store().PutTree
	}
	if err := j.fits(path); err != nil {
		return state.Artifact{}, err
	}
	info, err := store(ctx, path, p.mediaType)
	if p.from != nil && (errors.Is(err, artifact.ErrRefused) || errors.Is(err, artifact.ErrChanged)) {
		return state.Artifact{}, p.from.Breach("", "", "its output cannot be taken: %v", err)
	}
	if err != nil {
		return state.Artifact{}, err
	}
	if err := j.tookIn(ctx, info.Digest, info.Size); err != nil {
		return state.Artifact{}, err
	}
	return state.Artifact{Digest: info.Digest, Tree: info.Tree, Size: info.Size, MediaType: p.mediaType, MadeBy: j.id.ID, Inputs: j.digests(), At: j.r.Clock()}, nil
}

// save records a partial result: first its artifacts, then the cursor that makes them count.
func (j *job) save(ctx context.Context, p *state.Partial, arts ...state.Artifact) error {
	p.Lineage, p.Address, p.At, p.Usage = j.id.Lineage, string(j.a.Address), j.r.Clock(), j.meter.usage()
	err := j.r.DB.Update(ctx, func(tx *state.Tx) error {
		if err := j.r.soFar(tx); err != nil {
			return err
		}
		for _, a := range arts {
			if err := tx.PutArtifact(a); err != nil {
				return err
			}
		}
		return tx.PutPartial(*p)
	})
	if err == nil {
		j.partial = p
		j.r.emit(Event{Type: Saved, Address: string(j.a.Address), Done: p.Done, Unit: p.Unit})
	}
	return err
}

func (j *job) digests() []string {
	d := make([]string, 0, len(j.inputs))
	for _, v := range j.inputs {
		d = append(d, v)
	}
	sort.Strings(d)
	return d
}

// path is where an input's bytes lie.
func (j *job) path(input string) (string, error) {
	d, ok := j.inputs[input]
	if !ok {
		return "", fmt.Errorf("no input %q", input)
	}
	if !j.r.has(d) {
		return "", fmt.Errorf("input %q: artifact %s is gone; the next plan makes it again", input, d)
	}
	return j.r.at(d), nil
}

// call is what every stage request begins with.
func (j *job) call(typ string, b config.Body) (*pluginv1.Call, error) {
	conf, err := schema.CanonicalJSON(b.Value)
	if err != nil {
		return nil, err
	}
	dir, err := j.callDir(b.Schema.Plugin)
	if err != nil {
		return nil, err
	}
	c := &pluginv1.Call{Stage: typ, Config: &pluginv1.Config{Json: conf}, WorkDir: dir, Seed: j.id.Seed, Id: j.id.ID[:16]}
	for name, path := range b.Refs {
		digest := j.inputs[plan.RefInput(string(path))]
		if digest == "" {
			return nil, fmt.Errorf("%s refers to %s, which is known only while a plan is applied", name, path)
		}
		if c.Inputs == nil {
			c.Inputs = map[string]*pluginv1.Artifact{}
		}
		c.Inputs[name] = j.artifact(digest, "")
	}
	if d := j.a.Domain; d != nil {
		c.Domain = &pluginv1.Domain{Name: d.Name(), Language: d.Language, Keywords: d.Keywords, NegativeKeywords: d.NegativeKeywords}
	}
	return c, nil
}

// callDir is the directory of this action's calls of a plugin, which no other plugin may write to. It is empty at first.
func (j *job) callDir(plugin string) (string, error) {
	j.dirsMu.Lock()
	defer j.dirsMu.Unlock()
	if dir := j.dirs[plugin]; dir != "" {
		return dir, nil
	}
	dir, err := j.r.Host.CallDir(plugin, filepath.Base(j.work))
	if err != nil {
		return "", err
	}
	if j.dirs == nil {
		j.dirs = map[string]string{}
	}
	j.dirs[plugin] = dir
	return dir, nil
}

// cleanup removes what the action's calls have left.
func (j *job) cleanup() error {
	j.dirsMu.Lock()
	defer j.dirsMu.Unlock()
	err := os.RemoveAll(j.work)
	for _, d := range j.dirs {
		err = errors.Join(err, os.RemoveAll(d))
	}
	return err
}

// artifact is an input in the plugins' terms.
func (j *job) artifact(digest, mediaType string) *pluginv1.Artifact {
	return &pluginv1.Artifact{Digest: digest, MediaType: mediaType, Path: j.r.at(digest)}
}

func (r *Runner) journal(ctx context.Context, event string, a *plan.Action, detail string) {
	r.journalLine(ctx, event, string(a.Address), detail)
}

func (r *Runner) journalLine(ctx context.Context, event, address, detail string) {
	if r.run == "" {
		return
	}
	err := r.DB.Update(ctx, func(tx *state.Tx) error {
		return tx.AppendEntry(r.run, state.Entry{At: r.Clock(), Event: event, Address: address, Detail: detail})
	})
	if err != nil {
		r.Log.Debug("journal", "error", err)
	}
}

// summary is a result's own line, where it has one.
func summary(detail any) string {
	if s, ok := detail.(fmt.Stringer); ok {
		return s.String()
	}
	return ""
}
