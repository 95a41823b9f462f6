// Command starter is a plugin of Jupiter with a collector: it reads a text file, a record a line.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"jupiter/plugins/sdk"
)

const version = "0.1.0"

var plugin = sdk.Plugin{Name: "starter", Version: version, Stages: []sdk.Stage{
	sdk.Collector("starter", sdk.Options{
		Description: "Reads a text file, a record a line.",
		Revision:    1, // rises when the same inputs give other outputs, and then all that was collected is collected again
		// Equal calls give equal bytes, a call goes on from a cursor, and several run at once: true of what is below.
		Deterministic: true, Resumable: true, Concurrent: true,
	}, collect),
}}

// config is what a plan can say. A tag has the attribute's name and what a change of it does to work that is done.
type config struct {
	Path     string `jupiter:"path,required" desc:"The file, relative to the plan."`
	MinChars int    `jupiter:"min_chars" default:"1" desc:"Shorter lines are passed over."`
	Batch    int    `jupiter:"batch,effect=none" default:"100" desc:"Records that are handed over at once."`
}

// Validate finds what the schema cannot.
func (c config) Validate() (out []*sdk.Diagnostic) {
	if c.MinChars < 0 {
		out = append(out, sdk.Error("Negative length", "min_chars is a number of characters.", "min_chars"))
	}
	if c.Batch < 1 {
		out = append(out, sdk.Error("Empty batch", "A batch has at least one record.", "batch"))
	}
	return out
}

// Fingerprint says what the source is now. A plan finds by it that the file has changed.
func (c config) Fingerprint(context.Context) (string, error) {
	f, err := os.Open(c.Path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return fmt.Sprintf("sha256:%x", h.Sum(nil)), err
}

// collect goes on behind the line that the cursor names. The host keeps what was handed over with a cursor.
func collect(_ context.Context, call *sdk.Call, c config, emit func(*sdk.RecordBatch) error) error {
	from := 0
	if len(call.Cursor) > 0 {
		var err error
		if from, err = strconv.Atoi(string(call.Cursor)); err != nil {
			return fmt.Errorf("cursor: %w", err)
		}
	}
	f, err := os.Open(c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // a line that is longer is an error, and not a reason to take all the memory
	var batch []*sdk.Record
	flush := func(line int) error {
		call.Progress(uint64(line), 0, "lines", nil)
		records := batch
		batch = nil
		return emit(&sdk.RecordBatch{Records: records, Cursor: strconv.AppendInt(nil, int64(line), 10)})
	}
	n := 0
	for ; !call.IsStopped() && lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if n < from || text == "" || len([]rune(text)) < c.MinChars {
			continue
		}
		batch = append(batch, &sdk.Record{Text: text, Meta: map[string]string{"source_line": strconv.Itoa(n + 1)}})
		if len(batch) == c.Batch {
			if err := flush(n + 1); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", c.Path, n+1, err)
	}
	return flush(max(n, from))
}

func main() { sdk.Serve(plugin) }
