// Package history keeps what actions took on this machine, for the forecasts of other projects and of later runs.
//
// It is a file of JSON lines, the newest last, of which the last Kept stay:
//
//	{"at":"2026-10-01T12:00:00Z","host":"lab","cpus":8,"work":{"stage":"train llama","items":1600,…},"seconds":41.2,…}
//
// A line says which kind of stage worked, how much work it was by the stage's own cost model, and what it took. It holds no
// name, path, text or attribute of a project. Lines that cannot be read, such as those of a later version, are passed
// over. Writers take turns by a lock on the file.
package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"jupiter/plan/forecast"
)

// Kept is how many samples stay.
const Kept = 2000

// Sample is one action that ran from its beginning to its end.
type Sample struct {
	At               time.Time     `json:"at"` // when it began
	Host             string        `json:"host"`
	CPUs             int           `json:"cpus"`
	Work             forecast.Work `json:"work"`
	Seconds          float64       `json:"seconds"`
	PromptTokens     uint64        `json:"prompt_tokens,omitempty"`
	CompletionTokens uint64        `json:"completion_tokens,omitempty"`
	DiskBytes        uint64        `json:"disk_bytes,omitempty"`
	PeakMemoryBytes  uint64        `json:"peak_memory_bytes,omitempty"` // 0: not measured
}

// File is the history at a path. The directory is made with the first sample.
type File struct{ Path string }

// Add appends a sample. Now and then it leaves out the oldest.
func (h File) Add(s Sample) (err error) {
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("machine history: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(h.Path), 0o755); err != nil {
		return fmt.Errorf("machine history: %w", err)
	}
	f, err := os.OpenFile(h.Path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("machine history: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }() // gives the lock back
	if err := lock(f); err != nil {
		return fmt.Errorf("machine history: lock %s: %w", h.Path, err)
	}
	old, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("machine history: %w", err)
	}
	line = append(line, '\n')
	if n := len(old); n > 0 && old[n-1] != '\n' { // a writer was killed in the middle of a line
		line = append([]byte{'\n'}, line...)
	}
	if lines := bytes.Count(old, []byte{'\n'}); lines >= Kept+Kept/4 {
		line = append(last(old, Kept-1), line...)
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("machine history: %w", err)
		}
	}
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("machine history: %w", err)
	}
	return nil
}

// last gives the last n lines.
func last(b []byte, n int) []byte {
	at := len(b)
	for ; n >= 0 && at > 0; n-- {
		at = bytes.LastIndexByte(b[:at], '\n')
		if at < 0 {
			return bytes.Clone(b)
		}
	}
	return bytes.Clone(b[at+1:])
}

// Read gives the newest Kept samples of a machine, the newest first. No file: none.
func (h File) Read(host string, cpus int) ([]Sample, error) {
	f, err := os.Open(h.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("machine history: %w", err)
	}
	defer f.Close()
	var all []Sample
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var s Sample
		if json.Unmarshal(lines.Bytes(), &s) == nil && s.Host == host && s.CPUs == cpus && s.Work.Stage != "" && s.Seconds >= 0 {
			all = append(all, s)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("machine history: %s: %w", h.Path, err)
	}
	all = all[max(0, len(all)-Kept):]
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all, nil
}

// lock waits for the file's lock, which goes with the file's descriptor.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
