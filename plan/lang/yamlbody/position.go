package yamlbody

import (
	"bytes"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"gopkg.in/yaml.v3"
)

const bom = "\ufeff"

// lineTable gives the byte offset of the beginning of each line. YAML also breaks lines at a lone carriage return and
// at three Unicode characters; people, editors and hcl count line feeds.
func lineTable(src []byte, unicode bool) []int {
	start := 0
	if bytes.HasPrefix(src, []byte(bom)) {
		start = len(bom)
	}
	lines := []int{start}
	for i := start; i < len(src); i++ {
		switch {
		case src[i] == '\n':
			lines = append(lines, i+1)
		case !unicode:
		case src[i] == '\r' && (i+1 == len(src) || src[i+1] != '\n'):
			lines = append(lines, i+1)
		case bytes.HasPrefix(src[i:], []byte("\u0085")):
			lines = append(lines, i+2)
		case bytes.HasPrefix(src[i:], []byte("\u2028")), bytes.HasPrefix(src[i:], []byte("\u2029")):
			lines = append(lines, i+3)
		}
	}
	return lines
}

// line is the text of a line, counted from 1, without its break.
func (f *file) line(n int) []byte {
	start, end := f.lines[n-1], len(f.src)
	if n < len(f.lines) {
		end = f.lines[n]
	}
	return bytes.TrimRight(f.src[start:end], "\r\n")
}

// offset is the byte that yaml.v3 calls line, col: both count from 1, and columns are characters.
func (f *file) offset(line, col int) int {
	if line < 1 || line > len(f.yamlLines) {
		return len(f.src)
	}
	i := f.yamlLines[line-1]
	for c := 1; c < col && i < len(f.src); c++ {
		i++
		for i < len(f.src) && f.src[i]&0xC0 == 0x80 {
			i++
		}
	}
	return i
}

// at is the position of a byte, with the column in grapheme clusters as everywhere in hcl.
func (f *file) at(i int) hcl.Pos {
	n := sort.SearchInts(f.lines, i+1)
	if n == 0 {
		return hcl.Pos{Line: 1, Column: 1, Byte: i} // in the byte order mark
	}
	prefix := f.src[f.lines[n-1]:min(i, len(f.src))]
	return hcl.Pos{Line: n, Column: columns(prefix) + 1, Byte: i}
}

func columns(text []byte) int {
	ascii := true
	for _, b := range text {
		ascii = ascii && b < 0x80
	}
	if ascii {
		return len(text)
	}
	sc := hcl.NewRangeScanner(text, "", func(data []byte, _ bool) (int, []byte, error) { return len(data), data, nil })
	sc.Scan()
	return sc.Range().End.Column - 1
}

func (f *file) pos(line, col int) hcl.Pos { return f.at(f.offset(line, col)) }

func (f *file) span(start, end int) hcl.Range {
	return hcl.Range{Filename: f.name, Start: f.at(start), End: f.at(end)}
}

// rangeOf is where a node stands. A collection's range ends with the line that it begins on: a diagnostic that marks
// a whole tree marks nothing.
func (f *file) rangeOf(n *yaml.Node) hcl.Range {
	if o := f.from[n]; o != nil {
		return f.rangeOf(o)
	}
	start := f.offset(n.Line, n.Column)
	switch n.Kind {
	case yaml.ScalarNode:
		m := f.locate(n)
		return f.span(start, m.end)
	case yaml.AliasNode:
		return f.span(start, start+1+len(n.Value))
	}
	p := f.at(start)
	text := f.line(p.Line)
	if i := bytes.Index(text, []byte(" #")); i >= 0 && f.lines[p.Line-1]+i > start {
		text = text[:i]
	}
	end := f.lines[p.Line-1] + len(bytes.TrimRight(text, " \t"))
	return f.span(start, max(start, end))
}
