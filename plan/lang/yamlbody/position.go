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
	start := f.yamlLines[line-1]
	end := len(f.src)
	if line < len(f.yamlLines) {
		end = f.yamlLines[line]
	}
	if end-start > longLine {
		chars := f.chars(start, end)
		return start + chars[min(max(col-1, 0), len(chars)-1)]
	}
	i := start
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
	start := f.lines[n-1]
	end := min(i, len(f.src))
	if end-start > longLine {
		m := f.mark(n, end)
		return hcl.Pos{Line: n, Column: m.col + columns(f.src[m.byte:end]) + 1, Byte: i}
	}
	return hcl.Pos{Line: n, Column: columns(f.src[start:end]) + 1, Byte: i}
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

// A whole file may stand in one line, as JSON that a program has written does. There each position is looked up in a table of
// the line; counting from its beginning each time would take time in the square of its length.

// longLine is the length in bytes above which a line gets its tables.
const longLine = 1 << 10

// tables are those of the long lines of a file, by the offset of the line's beginning.
type tables struct {
	chars map[int][]int // offset in the line of each character, and of its end
	marks map[int][]mark
}

// mark is a place in a line, and the columns before it.
type mark struct{ byte, col int }

func (f *file) chars(start, end int) []int {
	if t := f.long.chars[start]; t != nil {
		return t
	}
	var t []int
	for i := start; i < end; i++ {
		if f.src[i]&0xC0 != 0x80 {
			t = append(t, i-start)
		}
	}
	t = append(t, end-start)
	f.long.chars[start] = t
	return t
}

// mark is the last one before a byte of a line. Marks stand before characters of ASCII, which no cluster has inside.
func (f *file) mark(line, before int) mark {
	start, end := f.lines[line-1], len(f.src)
	if line < len(f.lines) {
		end = f.lines[line]
	}
	t := f.long.marks[start]
	if t == nil {
		t = []mark{{start, 0}}
		for i := start; i < end; i++ {
			if last := t[len(t)-1]; i-last.byte >= longLine/4 && f.src[i] >= ' ' && f.src[i] <= '~' {
				t = append(t, mark{i, last.col + columns(f.src[last.byte:i])})
			}
		}
		f.long.marks[start] = t
	}
	n := sort.Search(len(t), func(i int) bool { return t[i].byte > before })
	return t[n-1]
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
