package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jupiter/plugins/host"
)

// nobody is the name of a stage that no plugin has.
const nobody = "no_such_stage"

func unknownStage(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for _, st := range s.stages {
		on, err := st.on(ctx, s.host)
		if err != nil {
			return err
		}
		before := s.host.PIDs()
		if err := st.askNobody(ctx, on); err != nil {
			return fmt.Errorf("%s %s: %w", st.kind(), nobody, err)
		}
		if _, _, err := s.host.Describe(ctx, s.bench.name()); err != nil {
			return err
		}
		for _, pid := range before {
			if !slices.Contains(s.host.PIDs(), pid) {
				return fmt.Errorf("the process ended when it was asked for %s %s", st.kind(), nobody)
			}
		}
	}
	return nil
}

// askNobody validates and calls a stage of a kind that the plugin has, under a name that it does not.
func (s *subject) askNobody(ctx context.Context, on *host.Stage) error {
	other := *s.schema
	other.Type = nobody
	var own *host.StageError
	renamed := *on
	renamed.Schema = &other
	if diags, err := renamed.Validate(ctx, []byte("{}")); err == nil && refused(diags) == "" {
		return fmt.Errorf("validate has no error")
	} else if err != nil && !errors.As(err, &own) {
		return err
	}
	call, err := s.callWith(s.host, []byte("{}"))
	if err != nil {
		return err
	}
	call.Stage = nobody
	g, err := s.begin(ctx, s.host, call)
	if err == nil {
		err = errors.Join(g.close(), g.rest())
	}
	if err == nil {
		return fmt.Errorf("a call has no error")
	}
	if !errors.As(err, &own) {
		return err
	}
	return nil
}

// worksConfined asks stages that do not work as the suite starts them, which is confined, whether they do otherwise.
func worksConfined(ctx context.Context, s *subject) error {
	if lacks := s.host.Unconfined(); len(lacks) > 0 {
		return notChecked("%s", strings.Join(lacks, " "))
	}
	worked := 0
	for _, st := range s.stages {
		if st.answered && st.failed == nil {
			worked++
		}
		if st.failed == nil {
			continue
		}
		h, err := s.open(s.bench.name(), nil, s.Dir)
		if err != nil {
			return err
		}
		_, err = st.plainAt(ctx, h)
		if err := errors.Join(err, h.Close()); err == nil {
			return fmt.Errorf("%s works where it may write anywhere, and not where it may not: %s", st.name(), firstLine(st.failed.Error()))
		}
	}
	if worked == 0 {
		return notChecked("no plain call of any stage works")
	}
	return nil
}

func stdoutClean(_ context.Context, s *subject) error {
	s.close() // what was written last has been read once the process is gone
	s.stdout.mu.Lock()
	n, begin := s.stdout.n, string(s.stdout.begin)
	s.stdout.mu.Unlock()
	if err := s.renew(); err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%d bytes besides the handshake: %.80q", n, begin)
	}
	return nil
}

// inputGrace is how long a process may live after its standard input.
const inputGrace = 2 * time.Second

// stdinEnd does without the wrapper, which ends whatever is in its namespace: the promise is the plugin's own.
func stdinEnd(ctx context.Context, s *subject) (err error) {
	h, err := s.open(s.bench.name(), nil, s.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if _, _, err := h.Describe(ctx, s.bench.name()); err != nil {
		return err
	}
	for _, st := range s.stages { // it may have started something for them
		if st.answered && st.failed == nil {
			if _, err := st.plainAt(ctx, h); err != nil {
				return err
			}
		}
	}
	remain, _ := h.EndInput(inputGrace)
	if len(remain) > 0 {
		return fmt.Errorf("%d processes are there %s after the end of standard input", len(remain), inputGrace)
	}
	return nil
}

// writeInside makes the plain call where nothing keeps the plugin from writing elsewhere, and looks around: in the working
// directory, in the directory of another call, and at what the call was given to read.
func writeInside(ctx context.Context, s *subject) (err error) {
	canary := filepath.Join(s.dir, fmt.Sprintf("canary%d", s.hosts))
	if err := os.Mkdir(canary, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(canary, "keep"), []byte("as it is\n"), 0o644); err != nil {
		return err
	}
	h, err := s.open(s.bench.name(), nil, canary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if _, err := h.CallDir(s.bench.name(), "other"); err != nil {
		return err
	}
	if _, _, err := h.Describe(ctx, s.bench.name()); err != nil {
		return err
	}
	before, err := s.look()
	if err != nil {
		return err
	}
	_, err = s.plainAt(ctx, h)
	var own *host.StageError
	if errors.As(err, &own) && s.Config[s.name()] != nil {
		return notChecked("the plain call does not work in another directory, so its configuration has relative paths: write absolute ones")
	}
	if err != nil {
		return err
	}
	after, err := s.look()
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if was, ok := before[path]; !ok {
			return fmt.Errorf("it made %s", s.place(path, canary))
		} else if was != after[path] {
			return fmt.Errorf("it changed %s", s.place(path, canary))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[path]; !ok {
			return fmt.Errorf("it removed %s", s.place(path, canary))
		}
	}
	return nil
}

// place says where a path lies, without the directory of the suite's own.
func (s *subject) place(path, canary string) string {
	if rel, err := filepath.Rel(canary, path); err == nil && filepath.IsLocal(rel) {
		return rel + " in its working directory"
	}
	rel, err := filepath.Rel(s.dir, path)
	if err != nil {
		return path
	}
	return rel + ", which is not below its call's directory"
}

// look notes all files of the suite's directory that are not a call's own, or temporary.
func (s *subject) look() (map[string]string, error) {
	seen := map[string]string{}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // temporary
		}
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (strings.HasPrefix(name, "call") || name == "tmp") {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			seen[path] = info.Mode().String() // its time changes with its calls' directories
			return nil
		}
		seen[path] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return seen, err
}
