package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
	"jupiter/plugins/sdk"
)

// imported is what an import took, and from where. What its plugin says of it is for people.
type imported struct {
	Path   string            `json:"path"`   // as it was written
	Source string            `json:"source"` // digest of the file or directory
	Meta   map[string]string `json:"meta,omitempty"`
}

func (i imported) String() string {
	if len(i.Meta) == 0 { // the plugin says nothing of the model
		return i.Path
	}
	return i.Path + ", " + i.what()
}

// what says what the plugin found: "gguf, 123456 parameters".
func (i imported) what() string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(i.Meta)) {
		switch key {
		case "format":
			parts = append([]string{i.Meta[key]}, parts...)
		case "parameters":
			parts = append(parts, i.Meta[key]+" parameters")
		default:
			parts = append(parts, key+" "+i.Meta[key])
		}
	}
	return strings.Join(parts, ", ")
}

// importModel has a plugin turn a model from elsewhere into what its generator runs, or its trainer starts from. The file
// must be the one that the plan saw, before and after.
func (j *job) importModel(ctx context.Context) (*result, error) {
	stage, from := j.a.Stage, j.a.Import
	st, err := j.r.stage(ctx, stage)
	if err != nil {
		return nil, err
	}
	call, err := j.call(stage.Type, stage.Body)
	if err != nil {
		return nil, err
	}
	req := &pluginv1.ImportRequest{Call: call, Path: from.Path}
	var stream importStream
	want, mediaType := "model", ModelMediaType
	if stage.Kind == "trainer" {
		want, mediaType = "checkpoint", sdk.CheckpointMediaType
		stream, err = st.Trainer().Import(ctx, req)
	} else {
		stream, err = st.Generator().Import(ctx, req)
	}
	if err != nil {
		return nil, err
	}
	out, err := j.importEvents(st, stream, want)
	if err != nil {
		return nil, refusedImport(from.Written, err)
	}
	source := j.id.Parts["file"]
	if now, err := digestOf(from.Path); err != nil || now != source {
		return nil, fmt.Errorf("%s changed while it was imported; do it again", from.Written)
	}
	path, err := j.output(st, "Import", out.Path)
	if err != nil {
		return nil, err
	}
	if want == "model" {
		if path, err = j.asDirectory(path); err != nil {
			return nil, err
		}
	}
	return &result{outputs: map[string]put{want: {path: path, mediaType: mediaType, from: st}}, detail: imported{Path: from.Written, Source: source, Meta: shown(out.Meta)}}, nil
}

// importStream is the answer of either service.
type importStream interface {
	Recv() (*pluginv1.ImportEvent, error)
}

// importEvents reads the answer to its end, and gives the one output.
func (j *job) importEvents(st *host.Stage, stream importStream, want string) (*pluginv1.Output, error) {
	var out *pluginv1.Output
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch {
		case e.GetOutput() != nil:
			if o := e.GetOutput(); out != nil || o.Name != want {
				return nil, st.Breach("Import", "", "it gives an output called %.40q, and one called %q is due", o.Name, want)
			}
			out = e.GetOutput()
		case e.GetProgress() != nil:
			j.progress(e.GetProgress())
		case e.GetDiagnostic() != nil:
			if err := j.diagnostic(st, e.GetDiagnostic()); err != nil {
				return nil, err
			}
		}
	}
	if out == nil {
		return nil, st.Breach("Import", "", "it ends without an output called %q", want)
	}
	return out, nil
}

// shown is what a plugin says of an output, as far as it can be shown: maxShown entries of one line each.
func shown(meta map[string]string) map[string]string {
	all := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if len(all) < maxShown {
			all[schema.Printable(key, maxUnit)] = strings.ReplaceAll(schema.Printable(meta[key], 200), "\n", " ")
		}
	}
	return all
}

const maxShown = 20

// refusedImport puts what a stage has against a model in words for the person who named it.
func refusedImport(path string, err error) error {
	var se *host.StageError
	if errors.As(err, &se) {
		return fmt.Errorf("%s cannot be imported: %s", path, se.Message)
	}
	return err
}

// asDirectory gives a model as a directory, which a generator is whatever its format.
func (j *job) asDirectory(model string) (string, error) {
	fi, err := os.Stat(model)
	if err != nil || fi.IsDir() {
		return model, err
	}
	dir := filepath.Join(j.work, "generator")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.Rename(model, filepath.Join(dir, filepath.Base(model)))
}
