// Package files is the collector "files": real records from files on disk.
//
// Each path is a file, a directory (all regular files below it, but not hidden ones) or a glob, in which ** stands for
// any number of directories. A path that matches nothing is an error: a source that silently became empty would change
// the mix. Relative paths are relative to the working directory, which the host sets.
//
// What becomes a record depends on the format. By default it follows from the file's name:
//
//	jsonl  .jsonl .ndjson  one JSON object a line
//	json   .json           one object after another, or one array of objects
//	text   all else        the whole file; long ones are cut at paragraphs, lines or words into parts of at most 512 KiB, or
//	                       of part_chars characters
//
// An object has "text" (or "content"), with a "prompt" or without, or "messages" of {"role", "content"}; text_field and
// prompt_field give other names. In a chat the assistant's messages count toward the loss, unless a message says
// otherwise with "train". Other keys are not read. Blank lines and empty text files are nothing, and are not counted.
//
// Order: by path relative to its directory or the fixed part of its glob, then by position in the file. So the records
// do not depend on where a project lies. Each record says where it comes from: meta source_path (that relative path),
// source_line, and source_part for parts of a text.
//
// What cannot be read as the format says, is not UTF-8 or is too large is bad. The first bad record ends the collection
// with its place, because that is most often a mistake to be corrected; max_bad raises that ceiling, and then each bad
// record is skipped with a warning and counted. JSON that does not continue after an error (format json) is an error
// under any ceiling, because nobody knows how much was lost.
package files

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"jupiter/plugins/sdk"
)

// Config is the configuration of the collector.
type Config struct {
	Paths         []string `jupiter:"paths,required" desc:"Files, directories and globs (with **)."`
	Format        string   `jupiter:"format" default:"\"auto\"" desc:"text, jsonl, json, or auto to go by the file's name."`
	TextField     *string  `jupiter:"text_field" desc:"Key of the text in JSON; by default text, then content."`
	PromptField   *string  `jupiter:"prompt_field" desc:"Key of the prompt in JSON; by default prompt."`
	MaxFileSizeMB float64  `jupiter:"max_file_size_mb" default:"64" desc:"Files of format text and json that are larger, in MiB, are bad. Format jsonl is read line by line and has no limit."`
	PartChars     uint64   `jupiter:"part_chars" default:"0" desc:"Most characters of a part of a text: longer ones are cut, best at a paragraph, and white space around a part is left out. 0: 512 KiB, and every byte is kept."`
	MaxBad        uint64   `jupiter:"max_bad" default:"0" desc:"Bad records that are skipped with a warning; one more is an error."`
}

// Formats.
const (
	formatAuto  = "auto"
	formatText  = "text"
	formatJSONL = "jsonl"
	formatJSON  = "json"
)

// Validate finds what the schema cannot.
func (c Config) Validate() []*sdk.Diagnostic {
	var out []*sdk.Diagnostic
	if len(c.Paths) == 0 {
		out = append(out, sdk.Error("No paths", "Name at least one file, directory or glob.", "paths"))
	}
	for i, p := range c.Paths {
		if strings.TrimSpace(p) == "" {
			out = append(out, sdk.Error("Empty path", "A path names a file, a directory or a glob.", "paths", fmt.Sprint(i)))
		}
	}
	if known := []string{formatAuto, formatText, formatJSONL, formatJSON}; !slices.Contains(known, c.Format) {
		out = append(out, sdk.Error("Unknown format", fmt.Sprintf("%q is none of %s.", c.Format, strings.Join(known, ", ")), "format"))
	}
	if c.PromptField != nil && c.Format == formatText {
		out = append(out, sdk.Error("No fields in text", "Files of format text have no keys.", "prompt_field"))
	}
	if c.TextField != nil && c.Format == formatText {
		out = append(out, sdk.Error("No fields in text", "Files of format text have no keys.", "text_field"))
	}
	if c.PartChars > maxText/utf8.UTFMax || 0 < c.PartChars && c.PartChars < minPart {
		out = append(out, sdk.Error("Value out of range", fmt.Sprintf("part_chars is %d: it must be 0, or lie between %d and %d.", c.PartChars, minPart, maxText/utf8.UTFMax), "part_chars"))
	}
	if !(c.MaxFileSizeMB > 0) {
		out = append(out, sdk.Error("No size", "max_file_size_mb must be above 0.", "max_file_size_mb"))
	}
	return out
}

// Estimate says how many bytes a collection reads.
func (c Config) Estimate(*sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	found, err := find(c.Paths)
	if err != nil {
		return nil, err
	}
	var total int64
	for _, f := range found {
		total += f.size
	}
	return &sdk.EstimateResponse{BytesRead: float64(total)}, nil
}

// Plugin serves the collector.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "files", Version: version, Stages: []sdk.Stage{Stage()}}
}

// Stage is the collector "files".
func Stage() sdk.Stage {
	return sdk.Collector("files", sdk.Options{
		Description:   "Reads records from text, JSON and JSON-lines files.",
		Revision:      1,
		Deterministic: true,
		Resumable:     true,
		Concurrent:    true,
	}, func(ctx context.Context, c *sdk.Call, cfg Config, emit func(*sdk.RecordBatch) error) error {
		return collect(ctx, c, cfg, emit)
	})
}

// formatOf gives the format of a file: the configured one, or that of its name.
func (c Config) formatOf(name string) string {
	if c.Format != formatAuto && c.Format != "" {
		return c.Format
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".jsonl", ".ndjson":
		return formatJSONL
	case ".json":
		return formatJSON
	}
	return formatText
}
