// Command starter is a plugin of Jupiter with an exporter: it copies a checkpoint into the files that a generator runs, where
// a real one would convert it.
package main

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

// modelMediaType is what a generator of these files says that it consumes.
const modelMediaType = "application/vnd.starter.model"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Exporter("starter", sdk.Options{
		Description: "Copies a checkpoint, with a licence beside it.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was exported is exported again
		// Equal calls give equal bytes, and several run at once: true of what is below.
		Deterministic: true, Concurrent: true,
		Consumes: []string{sdk.CheckpointMediaType}, Produces: []string{modelMediaType},
	}, export),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	License string `jupiter:"license" default:"\"CC0-1.0\"" desc:"Written into the file LICENSE of the model: one line."`
	Report  bool   `jupiter:"report,effect=none" default:"true" desc:"Show each file as it is copied."`
}

// Validate finds what the schema cannot.
func (c config) Validate() []*sdk.Diagnostic {
	if strings.ContainsAny(c.License, "\r\n") {
		return []*sdk.Diagnostic{sdk.Error("More than a line", "license is one line, such as \"CC0-1.0\".", "license")}
	}
	return nil
}

// export writes below the call's work directory, and names the output "model". A checkpoint is a file or a directory. An
// export that is stopped begins again, so it gives nothing.
func export(_ context.Context, call *sdk.Call, c config, checkpoint *sdk.Artifact, emit func(*sdk.Output) error) error {
	model := filepath.Join(call.WorkDir, "model")
	if err := os.Mkdir(model, 0o755); err != nil {
		return err
	}
	copied := uint64(0)
	err := filepath.WalkDir(checkpoint.GetPath(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || call.IsStopped() {
			return err
		}
		rel, err := filepath.Rel(checkpoint.GetPath(), path)
		if err != nil {
			return err
		}
		if rel == "." && !d.IsDir() {
			rel = "weights" // the one file of a checkpoint
		}
		to := filepath.Join(model, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		copied++
		if c.Report {
			call.Progress(copied, 0, "files", nil)
		}
		return copyFile(path, to)
	})
	if err != nil || call.IsStopped() {
		return err
	}
	if err := os.WriteFile(filepath.Join(model, "LICENSE"), []byte(c.License+"\n"), 0o644); err != nil {
		return err
	}
	return emit(&sdk.Output{Name: "model", MediaType: modelMediaType, Path: "model"})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

func main() { sdk.Serve(plugin) }
