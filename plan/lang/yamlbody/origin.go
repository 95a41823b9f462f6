package yamlbody

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// origin says where each byte of a scalar's value came from.
type origin struct {
	offs []int // by byte of the value; nil: not known
	end  int   // first byte after the scalar
	from int   // first byte of the scalar's text
}

// straight says whether the value stands in one line of the source as it is.
func (f *file) straight(o origin, value string) bool {
	for i, b := range o.offs {
		if b != o.from+i || f.src[b] != value[i] || value[i] == '\n' {
			return false
		}
	}
	return o.offs != nil
}

// byte is the source offset of the i-th byte of the value.
func (o origin) byte(i int) int {
	switch {
	case o.offs == nil:
		return o.from
	case i < len(o.offs):
		return o.offs[i]
	case len(o.offs) > 0:
		return o.offs[len(o.offs)-1] + 1
	}
	return o.from
}

// locate decodes a scalar again to find where its value stands.
func (f *file) locate(n *yaml.Node) origin {
	if o := f.from[n]; o != nil {
		r := f.rangeOf(o)
		return origin{from: r.Start.Byte, end: r.End.Byte}
	}
	d := &decoder{src: f.src, i: f.offset(n.Line, n.Column), want: n.Value}
	d.properties()
	o := origin{from: d.i}
	var ok bool
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		ok = d.quoted('"')
		o.from++
	case n.Style&yaml.SingleQuotedStyle != 0:
		ok = d.quoted('\'')
		o.from++
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		ok = d.block(n.Style&yaml.FoldedStyle != 0)
	default:
		ok = d.plain()
	}
	if ok && len(d.offs) == len(n.Value) {
		o.offs, o.end = d.offs, d.i
		return o
	}
	o.end = f.lineEnd(o.from)
	return o
}

func (f *file) lineEnd(i int) int {
	n := f.at(i).Line
	return max(i, f.lines[n-1]+len(f.line(n)))
}

// decoder reads one scalar from the source, guided by the value that yaml.v3 found.
type decoder struct {
	src  []byte
	i    int
	want string
	offs []int
}

func (d *decoder) peek(k int) byte {
	if d.i+k < len(d.src) {
		return d.src[d.i+k]
	}
	return 0
}

// emit accepts the next byte of the value as coming from source offset at.
func (d *decoder) emit(b byte, at int) bool {
	if k := len(d.offs); k >= len(d.want) || d.want[k] != b {
		return false
	}
	d.offs = append(d.offs, at)
	return true
}

// properties skips an anchor and a tag.
func (d *decoder) properties() {
	for d.peek(0) == '&' || d.peek(0) == '!' {
		for d.i < len(d.src) && !strings.ContainsRune(" \t\r\n", rune(d.src[d.i])) {
			d.i++
		}
		for d.i < len(d.src) && strings.ContainsRune(" \t\r\n", rune(d.src[d.i])) {
			d.i++
		}
	}
}

// lineBreak is the length of the line break at source offset i, or 0.
func (d *decoder) lineBreak(i int) int {
	switch {
	case i >= len(d.src):
		return 0
	case d.src[i] == '\n':
		return 1
	case d.src[i] == '\r' && i+1 < len(d.src) && d.src[i+1] == '\n':
		return 2
	case d.src[i] == '\r':
		return 1
	}
	return 0
}

// fold reads blanks, line breaks and the next line's indentation, if a line break comes next: one break is a space, and
// of more than one all but the first stay. It says whether there was one, and whether the value agrees.
func (d *decoder) fold() (folded, ok bool) {
	j := d.i
	for j < len(d.src) && (d.src[j] == ' ' || d.src[j] == '\t') {
		j++
	}
	if d.lineBreak(j) == 0 {
		return false, true
	}
	at, breaks := d.i, 0
	for {
		n := d.lineBreak(j)
		if n == 0 {
			break
		}
		breaks++
		for j += n; j < len(d.src) && (d.src[j] == ' ' || d.src[j] == '\t'); {
			j++
		}
	}
	d.i = j
	if breaks == 1 {
		return true, d.emit(' ', at)
	}
	for range breaks - 1 {
		if !d.emit('\n', at) {
			return true, false
		}
	}
	return true, true
}

func (d *decoder) plain() bool {
	for len(d.offs) < len(d.want) {
		folded, ok := d.fold()
		switch {
		case !ok:
			return false
		case folded:
		case !d.emit(d.peek(0), d.i):
			return false
		default:
			d.i++
		}
	}
	return true
}

func (d *decoder) quoted(q byte) bool {
	for d.i++; d.i < len(d.src); {
		switch c := d.src[d.i]; {
		case c == q && q == '\'' && d.peek(1) == q:
			if !d.emit(q, d.i) {
				return false
			}
			d.i += 2
			continue
		case c == q:
			d.i++
			return len(d.offs) == len(d.want)
		case c == '\\' && q == '"':
			if !d.escape() {
				return false
			}
			continue
		}
		folded, ok := d.fold()
		switch {
		case !ok:
			return false
		case folded:
		case !d.emit(d.src[d.i], d.i):
			return false
		default:
			d.i++
		}
	}
	return false
}

var escapes = strings.NewReplacer("0", "\x00", "a", "\a", "b", "\b", "t", "\t", "\t", "\t", "n", "\n", "v", "\v", "f", "\f",
	"r", "\r", "e", "\x1b", " ", " ", `"`, `"`, "'", "'", "/", "/", `\`, `\`, "N", "\u0085", "_", "\u00a0", "L", "\u2028", "P", "\u2029")

// escape reads one backslash sequence of a double-quoted scalar.
func (d *decoder) escape() bool {
	at, c := d.i, d.peek(1)
	if n := d.lineBreak(d.i + 1); n > 0 { // a joined line
		for d.i += 1 + n; d.peek(0) == ' ' || d.peek(0) == '\t'; {
			d.i++
		}
		return true
	}
	text := ""
	switch c {
	case 'x', 'u', 'U':
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		if d.i+2+digits > len(d.src) {
			return false
		}
		r := rune(0)
		for _, h := range d.src[d.i+2 : d.i+2+digits] {
			v := strings.IndexByte("0123456789abcdef", h|0x20)
			if v < 0 {
				return false
			}
			r = r<<4 | rune(v)
		}
		text = string(r)
		d.i += 2 + digits
	default:
		text = escapes.Replace(string(c))
		d.i += 2
	}
	for i := range len(text) {
		if !d.emit(text[i], at) {
			return false
		}
	}
	return true
}

// block reads a literal or folded scalar.
func (d *decoder) block(folded bool) bool {
	for d.i < len(d.src) && d.lineBreak(d.i) == 0 { // | or >, indicators, a comment
		d.i++
	}
	d.i += d.lineBreak(d.i)
	indent, ok := d.indentation()
	if !ok {
		return len(d.want) == 0
	}
	d.skipIndent(indent)
	for len(d.offs) < len(d.want) {
		if d.lineBreak(d.i) == 0 {
			if d.i >= len(d.src) {
				return false
			}
			if !d.emit(d.src[d.i], d.i) {
				return false
			}
			d.i++
			continue
		}
		if !d.breaks(indent, folded) {
			return false
		}
	}
	return true
}

// breaks reads the line breaks at the end of a block scalar's line, up to the next line with text.
func (d *decoder) breaks(indent int, folded bool) bool {
	n, at := 0, d.i
	for d.lineBreak(d.i) > 0 {
		d.i += d.lineBreak(d.i)
		d.skipIndent(indent)
		n++
	}
	rest := d.want[len(d.offs):]
	kept := len(rest) - len(strings.TrimLeft(rest, "\n"))
	switch {
	case folded && n == 1 && rest[0] == ' ':
		return d.emit(' ', at)
	case kept == 0:
		return false
	}
	for range kept {
		if !d.emit('\n', at) {
			return false
		}
	}
	return kept <= n
}

func (d *decoder) skipIndent(n int) {
	for ; n > 0 && d.peek(0) == ' '; n-- {
		d.i++
	}
}

// indentation is how many spaces a block scalar's lines lose: what its first line with text has more than the value's.
func (d *decoder) indentation() (int, bool) {
	lead := func(s string) (int, bool) {
		for _, line := range strings.SplitAfter(s, "\n") {
			if t := strings.TrimLeft(line, " "); strings.Trim(t, "\r\n") != "" {
				return len(line) - len(t), true
			}
		}
		return 0, false
	}
	want, ok := lead(d.want)
	if !ok {
		return 0, false
	}
	have, ok := lead(string(d.src[d.i:min(len(d.src), d.i+len(d.want)*2+4096)]))
	return have - want, ok && have >= want
}
