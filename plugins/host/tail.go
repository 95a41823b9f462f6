package host

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"jupiter/plugins/schema"
)

// Bounds of what is kept of a plugin's standard error.
const (
	tailLines = 50
	tailLine  = 500 // bytes of a line
)

// tail keeps the last lines that are written to it, and passes everything on to another writer.
type tail struct {
	next io.Writer // nil: nowhere

	mu    sync.Mutex
	lines []string
	part  []byte // the line that has not ended
}

func (t *tail) Write(b []byte) (int, error) {
	if t.next != nil {
		_, _ = t.next.Write(b) // a debug log that fails must not block the plugin
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := b; len(rest) > 0; {
		line, more, ended := bytes.Cut(rest, []byte{'\n'})
		if room := tailLine - len(t.part); room > 0 {
			t.part = append(t.part, line[:min(room, len(line))]...)
		}
		if ended {
			t.flush()
		}
		rest = more
	}
	return len(b), nil
}

func (t *tail) flush() {
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, clean(string(t.part)))
	t.part = t.part[:0]
}

// last gives the lines so far, oldest first.
func (t *tail) last() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := append([]string(nil), t.lines...)
	if len(t.part) > 0 {
		lines = append(lines, clean(string(t.part)))
	}
	return lines
}

// clean makes a line of another program fit to be shown on a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case schema.Controls(r):
			return ' '
		}
		return r
	}, strings.TrimRight(strings.ToValidUTF8(s, "\uFFFD"), " \r"))
}
