package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"jupiter/runtime"
	"jupiter/state/durable"
)

// The files of a run below the state's directory. They are for people and for the commands that watch; no plan and no
// decision reads them.
//
//	logs/RUN.log      what the run says off a terminal: plain lines, no control characters
//	logs/RUN.log.1    the lines before those, once the log was full
//	logs/RUN.jsonl    events as apply --json writes them, one a line, but for progress; last a line "outcome"
//	logs/RUN.now      the last progress of each action that runs, one event a line; gone once the run has ended
//	logs/RUN.plan     of a detached run until it has begun: what was approved
const (
	logSuffix    = ".log"
	fullSuffix   = ".log.1"
	eventsSuffix = ".jsonl"
	nowSuffix    = ".now"
	planSuffix   = ".plan"
)

const (
	keepLogs = 20       // runs whose files are kept
	maxLog   = 16 << 20 // bytes of a log; a run has two of them at most
	nowEvery = time.Second
)

func logDir(stateDir string) string { return filepath.Join(stateDir, "logs") }

// runFile is the path of one of a run's files.
func runFile(stateDir, run, suffix string) string {
	return filepath.Join(logDir(stateDir), run+suffix)
}

// runOfFile is the run that a file belongs to; "": none.
func runOfFile(name string) string {
	for _, s := range []string{fullSuffix, logSuffix, eventsSuffix, nowSuffix, planSuffix} {
		if run, ok := strings.CutSuffix(name, s); ok && run != "" {
			return run
		}
	}
	return ""
}

// pruneLogs removes the files of all but the last runs. Names of runs sort by time.
func pruneLogs(stateDir string, keep int) error {
	entries, err := os.ReadDir(logDir(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var runs []string
	for _, e := range entries {
		if run := runOfFile(e.Name()); run != "" && !slices.Contains(runs, run) {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	old := runs[:max(0, len(runs)-keep)]
	for _, e := range entries {
		if slices.Contains(old, runOfFile(e.Name())) {
			if err := os.Remove(filepath.Join(logDir(stateDir), e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeRun removes the files of a run that never was.
func removeRun(stateDir, run string) error {
	var all error
	for _, s := range []string{logSuffix, fullSuffix, eventsSuffix, nowSuffix, planSuffix} {
		all = errors.Join(all, ignoreGone(os.Remove(runFile(stateDir, run, s))))
	}
	return all
}

// rotating is a file that is put aside once it is full, and begun again. It is safe for concurrent use.
type rotating struct {
	path, full string
	limit      int64

	mu   sync.Mutex
	f    *os.File
	size int64
}

func openRotating(path, full string, limit int64) (*rotating, error) {
	r := &rotating{path: path, full: full, limit: limit}
	return r, r.open()
}

func (r *rotating) open() (err error) {
	if r.f, err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return err
	}
	info, err := r.f.Stat()
	if err != nil {
		return err
	}
	r.size = info.Size()
	return nil
}

func (r *rotating) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size > 0 && r.size+int64(len(b)) > r.limit {
		if err := errors.Join(r.f.Close(), os.Rename(r.path, r.full), r.open()); err != nil {
			return 0, err
		}
	}
	n, err := r.f.Write(b)
	r.size += int64(n)
	return n, err
}

func (r *rotating) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.f.Close()
}

// runLog writes the files of a run. What cannot be written is said once, and does not end the run.
type runLog struct {
	text   *rotating
	plain  *plainView
	events *os.File
	nowAt  string            // path of RUN.now
	failed func(text string) // says that something could not be written

	mu    sync.Mutex
	now   map[string]runtime.Event // the last progress, by address
	stale bool                     // RUN.now is behind
	broke sync.Once

	stop    chan struct{}
	writing sync.WaitGroup
}

// openRunLog begins the files of a run, and removes those of runs that are long past.
func openRunLog(w *world, stateDir, run string, failed func(string)) (*runLog, error) {
	if err := durable.Mkdir(logDir(stateDir)); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if err := pruneLogs(stateDir, keepLogs-1); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	l := &runLog{nowAt: runFile(stateDir, run, nowSuffix), failed: failed, now: map[string]runtime.Event{}, stop: make(chan struct{})}
	var err error
	if l.text, err = openRotating(runFile(stateDir, run, logSuffix), runFile(stateDir, run, fullSuffix), maxLog); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if l.events, err = os.OpenFile(runFile(stateDir, run, eventsSuffix), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("log: %w", err), l.text.Close())
	}
	quiet := *w
	quiet.out, quiet.err = l.text, l.text
	l.plain = &plainView{w: &quiet, track: newTrack()}
	l.writing.Go(l.keepNow)
	return l, nil
}

// say writes a line of the log that is no event.
func (l *runLog) say(text string) { l.check(fmt.Fprintln(l.text, text)) }

// Emit takes an event in.
func (l *runLog) Emit(e runtime.Event) {
	l.plain.Emit(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Type == runtime.Progressed {
		l.now[e.Address], l.stale = e, true
		return
	}
	if _, runs := l.now[e.Address]; runs && ends(e.Type) {
		delete(l.now, e.Address)
		l.stale = true
	}
	l.write(e)
}

// ends says whether an event of an action is its last.
func ends(t runtime.EventType) bool {
	return t == runtime.Finished || t == runtime.Reused || t == runtime.Interrupted || t == runtime.Failed
}

// write appends a line to the events. The caller holds the mutex.
func (l *runLog) write(v any) {
	b, err := marshal(v, "")
	if err == nil {
		_, err = l.events.Write(b)
	}
	l.check(0, err)
}

func (l *runLog) check(_ int, err error) {
	if err != nil {
		l.broke.Do(func() { l.failed("  warning  the log cannot be written: " + err.Error()) })
	}
}

// keepNow writes RUN.now while there is news, once a second at most.
func (l *runLog) keepNow() {
	tick := time.NewTicker(nowEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.check(0, l.writeNow())
		}
	}
}

// writeNow replaces RUN.now, so that whoever reads finds the old one or the new one whole. It is not made durable: of a
// run that a power cut ended it would say nothing.
func (l *runLog) writeNow() error {
	l.mu.Lock()
	if !l.stale {
		l.mu.Unlock()
		return nil
	}
	var text []byte
	for _, e := range l.now {
		b, err := marshal(e, "")
		if err != nil {
			l.mu.Unlock()
			return err
		}
		text = append(text, b...)
	}
	l.stale = false
	l.mu.Unlock()
	temp := l.nowAt + nowSuffix
	if err := os.WriteFile(temp, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, l.nowAt)
}

// ended writes how the run ended and closes what only a run that goes on needs. The text stays open: a detached process
// writes its last words there.
func (l *runLog) ended(e ending) {
	close(l.stop)
	l.writing.Wait()
	line := fmt.Sprintf("Run %s ended: %s (exit status %d).", e.run, e.outcome, e.status)
	if e.err != nil {
		line += "\n" + e.err.Error()
	}
	l.say(line)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(e.line())
	err := l.events.Close()
	l.check(0, errors.Join(err, ignoreGone(os.Remove(l.nowAt))))
}

// loggedView is a view with the run's files behind it, from the moment that the run has a name.
type loggedView struct {
	runView
	log *runLog // nil: the run has not begun
}

func (v *loggedView) Emit(e runtime.Event) {
	v.runView.Emit(e)
	if v.log != nil {
		v.log.Emit(e)
	}
}

func (v *loggedView) say(text string) {
	v.runView.say(text)
	if v.log != nil {
		v.log.say(text)
	}
}

func (v *loggedView) ended(e ending) {
	v.runView.ended(e)
	if v.log != nil {
		v.log.ended(e)
	}
}

// silentView shows nothing: the log has all.
type silentView struct{}

func (silentView) start()             {}
func (silentView) say(string)         {}
func (silentView) Emit(runtime.Event) {}
func (silentView) ended(ending)       {}
