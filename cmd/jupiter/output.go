package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"jupiter/plan/config"
)

// getenv looks up a variable of the environment. The last of a name wins.
func (w *world) getenv(name string) (value string, ok bool) {
	for _, kv := range w.environ {
		if n, v, found := strings.Cut(kv, "="); found && n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// terminal says whether a stream is a terminal that understands control sequences.
func (w *world) terminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return false
	}
	kind, _ := w.getenv("TERM")
	return kind != "dumb"
}

// width is the number of columns of a stream; 0: it has none.
func (w *world) width(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// colour says whether to write colours to a stream.
func (w *world) colour(stream any) bool {
	off, _ := w.getenv("NO_COLOR")
	return off == "" && w.terminal(stream)
}

// paint gives a function that colours text, or leaves it as it is.
func (w *world) paint(stream any) painter { return painter(w.colour(stream)) }

type painter bool

const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p painter) as(style, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// json writes a value as indented JSON.
func (w *world) json(v any) error {
	b, err := marshal(v, "  ")
	if err != nil {
		return err
	}
	_, err = w.out.Write(b)
	return err
}

// marshal gives a value as JSON with a line end. Text is not escaped for HTML.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// diagnostics writes what is wrong with a configuration, with the source.
func (w *world) diagnostics(files config.Files, diags hcl.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	width := w.width(w.err)
	if width == 0 {
		width = 100
	}
	_ = hcl.NewDiagnosticTextWriter(w.err, files, uint(width), w.colour(w.err)).WriteDiagnostics(diags)
}

// table writes rows in columns, two spaces apart. A column whose name begins with ">" is aligned right.
func table(out io.Writer, indent string, header []string, rows [][]string) {
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = columns(strings.TrimPrefix(h, ">"))
	}
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], columns(c))
		}
	}
	line := func(cells []string) {
		var b strings.Builder
		for i, c := range cells {
			pad := strings.Repeat(" ", widths[i]-columns(c))
			if strings.HasPrefix(header[i], ">") {
				b.WriteString(pad + c + "  ")
			} else {
				b.WriteString(c + pad + "  ")
			}
		}
		fmt.Fprintln(out, indent+strings.TrimRight(b.String(), " "))
	}
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = strings.TrimPrefix(h, ">")
	}
	line(names)
	for _, r := range rows {
		line(r)
	}
}

// columns is how many columns of a terminal a text takes: one a character, for the scripts that Jupiter writes itself.
func columns(s string) int { return len([]rune(s)) }

// pad fills a text up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-columns(s))) }

// cut shortens a text to n columns; 0: it stays.
func cut(s string, n int) string {
	r := []rune(s)
	if n <= 0 || len(r) <= n {
		return s
	}
	return string(r[:max(0, n-1)]) + "…"
}

// plural gives "1 cycle" or "2 cycles".
func plural[N int | uint64](n N, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
