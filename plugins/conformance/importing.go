package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// imports says whether the stage takes models from elsewhere.
func (s *subject) imports() bool { return slices.Contains(s.schema.Features, "import") }

// imported is the name of what an import gives.
func (s *subject) imported() string {
	if s.kind() == "trainer" {
		return "checkpoint"
	}
	return "model"
}

func (s *subject) importFrom(ctx context.Context, path string) (outputs []*pluginv1.Output, work string, err error) {
	call, err := s.call(s.host)
	if err != nil {
		return nil, "", err
	}
	on, err := s.on(ctx, s.host)
	if err != nil {
		return nil, "", err
	}
	var stream interface {
		Recv() (*pluginv1.ImportEvent, error)
	}
	req := &pluginv1.ImportRequest{Call: call, Path: path}
	if s.kind() == "trainer" {
		stream, err = on.Trainer().Import(ctx, req)
	} else {
		stream, err = on.Generator().Import(ctx, req)
	}
	if err != nil {
		return nil, "", err
	}
	err = each(stream.Recv, func(e *pluginv1.ImportEvent) error {
		if o := e.GetOutput(); o != nil {
			outputs = append(outputs, o)
		}
		return nil
	})
	return outputs, call.WorkDir, err
}

// base is what a trainer begins with: what it makes of the model from elsewhere, where there is one that it takes. nil: nothing.
func (s *subject) base(ctx context.Context) (*pluginv1.Artifact, error) {
	if !s.imports() || s.Import == "" {
		return nil, nil
	}
	if s.began == nil {
		outputs, work, err := s.importFrom(ctx, s.Import)
		var base *pluginv1.Artifact
		var own *host.StageError
		switch {
		case errors.As(err, &own): // import-output says so
			err = nil
		case err == nil && len(outputs) == 1:
			base = &pluginv1.Artifact{Path: filepath.Join(work, filepath.FromSlash(outputs[0].Path)), MediaType: outputs[0].MediaType}
		}
		s.began = func() (*pluginv1.Artifact, error) { return base, err }
	}
	return s.began()
}

// noModels are paths at which no model lies.
func (s *subject) noModels() ([]string, error) {
	dir := filepath.Join(s.dir, "no models")
	if err := os.MkdirAll(filepath.Join(dir, "empty directory"), 0o755); err != nil {
		return nil, err
	}
	paths := []string{filepath.Join(dir, "nothing"), filepath.Join(dir, "empty directory")}
	for name, content := range map[string]string{
		"empty": "", "noise.gguf": "GGUF" + strings.Repeat("\xff\x00\x7f", 20_000), "noise.safetensors": strings.Repeat("\xff", 64<<10),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths, nil
}

// importRefused gives a stage what is no model. One without the feature has no model either: it refuses all.
func importRefused(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	paths, err := s.noModels()
	if err != nil {
		return err
	}
	if _, _, err := s.host.Describe(ctx, s.bench.name()); err != nil { // the process is there
		return err
	}
	before := s.host.PIDs()
	for _, path := range paths {
		_, _, err := s.importFrom(ctx, path)
		var own *host.StageError
		var foreign *host.ProtocolError
		switch {
		case err == nil:
			return fmt.Errorf("it takes %q for a model", filepath.Base(path))
		case errors.As(err, &foreign) && !s.imports(): // a server without the method
		case !errors.As(err, &own):
			return fmt.Errorf("%q: %w", filepath.Base(path), err)
		}
	}
	for _, pid := range before {
		if !slices.Contains(s.host.PIDs(), pid) {
			return fmt.Errorf("the process ended when it was given what is no model")
		}
	}
	return nil
}

func importOutput(ctx context.Context, s *subject) error {
	switch {
	case !s.imports():
		return notChecked("the stage does not have the feature import")
	case s.Import == "":
		return notChecked("there is no model from elsewhere: give one with --import")
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	before, err := digest(s.Import)
	if err != nil {
		return err
	}
	var first []byte
	for range 2 {
		outputs, work, err := s.importFrom(ctx, s.Import)
		var own *host.StageError
		if errors.As(err, &own) && first == nil {
			return notChecked("it refuses %s: %s", filepath.Base(s.Import), firstLine(own.Message))
		}
		if err != nil {
			return err
		}
		if len(outputs) != 1 || outputs[0].Name != s.imported() {
			return fmt.Errorf("its outputs are %q, want one called %s", names(outputs), s.imported())
		}
		if err := belowWork(outputs[0], work); err != nil {
			return err
		}
		t := &transcript{}
		if err := t.outputs(outputs, work); err != nil {
			return err
		}
		if first != nil && s.sure() && !bytes.Equal(first, t.b.Bytes()) {
			return errors.New("the same model becomes something else the second time")
		}
		first = t.b.Bytes()
	}
	if after, err := digest(s.Import); err != nil || !bytes.Equal(before, after) {
		return fmt.Errorf("it changed what it was given to read")
	}
	return nil
}
