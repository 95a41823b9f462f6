// Package dataset writes the files of a domain's data, for the programs that make them.
package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// File is a file of a domain's directory.
type File struct {
	Name string
	Data []byte
}

// JSONL is a file with a line of JSON for each item. Items are made of texts and numbers: what JSON cannot hold panics.
func JSONL[T any](name string, items []T) File {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, it := range items {
		if err := enc.Encode(it); err != nil {
			panic(err)
		}
	}
	return File{name, b.Bytes()}
}

// Write writes files to a directory, and says so on w.
func Write(w io.Writer, dir string, files []File) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(w, path, len(f.Data), "bytes")
	}
	return nil
}
