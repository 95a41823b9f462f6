package gguf

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Bounds on what a file may hold besides its tensors. Real files stay a hundred times below.
const (
	maxKeys    = 1 << 14
	maxTensors = 1 << 16
	maxName    = 1 << 16 // bytes of a key's or a tensor's name
	maxHeader  = 1 << 28 // bytes before the data
	maxValues  = 1 << 22 // elements of all arrays together
	maxAlign   = 1 << 20
)

// header is the part of a file before its data.
type header struct {
	keys    map[string]value
	tensors map[string]info
	data    uint64 // where the data begins
	size    uint64 // of the whole file
}

// A value is one of: uint64, int64, float64, bool, string, []string, []int64. Arrays of other kinds are checked and
// skipped: nothing here needs them, and they become skipped.
type value any

type skipped struct{}

// info describes one tensor. dims are in memory order, slowest first, the reverse of the file's.
type info struct {
	dims   []uint64
	typ    Type
	offset uint64 // from the start of the data
	bytes  uint64
}

// parse reads the header of a file of size bytes.
func parse(r io.ReaderAt, size int64) (*header, error) {
	d := &decoder{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), left: min(uint64(size), maxHeader)}
	whole := d.left
	if m := d.bytes(4); d.err == nil && string(m) != magic {
		return nil, fmt.Errorf("not a GGUF file: it begins with %q", m)
	}
	if v := d.u32(); d.err == nil && v != version {
		return nil, fmt.Errorf("GGUF version %d, not %d", v, version)
	}
	nt, nk := d.u64(), d.u64()
	if d.err == nil && (nt > maxTensors || nk > maxKeys) {
		return nil, fmt.Errorf("%d tensors and %d keys: more than a model has", nt, nk)
	}
	h := &header{keys: map[string]value{}, tensors: map[string]info{}, size: uint64(size)}
	for range nk {
		name := d.str(maxName)
		v := d.value(d.u32())
		if d.err != nil {
			return nil, fmt.Errorf("key %q: %w", clip(name), d.err)
		}
		if _, twice := h.keys[name]; twice {
			return nil, fmt.Errorf("key %q is there twice", clip(name))
		}
		h.keys[name] = v
	}
	for range nt {
		name := d.str(maxName)
		t := d.tensor()
		if d.err != nil {
			return nil, fmt.Errorf("tensor %q: %w", clip(name), d.err)
		}
		if _, twice := h.tensors[name]; twice {
			return nil, fmt.Errorf("tensor %q is there twice", clip(name))
		}
		h.tensors[name] = t
	}
	if d.err != nil {
		return nil, d.err
	}
	if err := h.place(whole - d.left); err != nil {
		return nil, err
	}
	return h, nil
}

// place finds where the data begins and checks that every tensor lies in it, aligned, apart from all others.
func (h *header) place(end uint64) error {
	align := uint64(alignment)
	if v, ok := h.keys["general.alignment"]; ok {
		a, ok := v.(uint64)
		if !ok || a == 0 || a%8 != 0 || a > maxAlign {
			return fmt.Errorf("general.alignment is %v", v)
		}
		align = a
	}
	h.data = (end + align - 1) / align * align
	type span struct {
		name string
		info
	}
	var spans []span
	for name, t := range h.tensors {
		spans = append(spans, span{name, t})
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.bytes, b.bytes), cmp.Compare(a.name, b.name))
	})
	var next uint64
	for i, s := range spans {
		if s.offset%align != 0 {
			return fmt.Errorf("tensor %q begins at %d, not at a multiple of %d", clip(s.name), s.offset, align)
		}
		if h.data > h.size || s.offset > h.size-h.data || s.bytes > h.size-h.data-s.offset {
			return fmt.Errorf("tensor %q, %d bytes at %d, ends beyond the file", clip(s.name), s.bytes, s.offset)
		}
		if s.offset < next {
			return fmt.Errorf("tensors %q and %q overlap", clip(spans[i-1].name), clip(s.name))
		}
		next = s.offset + s.bytes
	}
	return nil
}

// clip shortens what an error quotes: a name in a hostile file can be long.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// decoder reads numbers until something is wrong; then it keeps the first error and gives zeros.
type decoder struct {
	r      *bufio.Reader
	left   uint64 // bytes that may still be read
	values uint64 // elements of arrays so far
	err    error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// bytes reads n bytes; n is bounded by what the file has left, so a length in the file takes no memory beyond it.
func (d *decoder) bytes(n uint64) []byte {
	if d.err != nil {
		return nil
	}
	if n > d.left {
		d.fail("%d bytes are asked for where the file has %d left for its header", n, d.left)
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		d.fail("%w", err)
		return nil
	}
	d.left -= n
	return b
}

// number reads an unsigned number of n ≤ 8 bytes.
func (d *decoder) number(n uint64) uint64 {
	var b [8]byte
	copy(b[:], d.bytes(n))
	return binary.LittleEndian.Uint64(b[:])
}

func (d *decoder) u32() uint32 { return uint32(d.number(4)) }
func (d *decoder) u64() uint64 { return d.number(8) }

func (d *decoder) str(limit uint64) string {
	n := d.u64()
	if n > limit {
		d.fail("a string of %d bytes", n)
	}
	return string(d.bytes(n))
}

func (d *decoder) value(kind uint32) value {
	switch kind {
	case kindU8, kindU16, kindU32, kindU64:
		return d.number(kindSize(kind))
	case kindI8:
		return int64(int8(d.number(1)))
	case kindI16:
		return int64(int16(d.number(2)))
	case kindI32:
		return int64(int32(d.number(4)))
	case kindI64:
		return int64(d.number(8))
	case kindF32:
		return float64(math.Float32frombits(d.u32()))
	case kindF64:
		return math.Float64frombits(d.u64())
	case kindBool:
		b := d.number(1)
		if b > 1 {
			d.fail("a truth value of %d", b)
		}
		return b == 1
	case kindString:
		return d.str(maxHeader)
	case kindArray:
		return d.array()
	}
	d.fail("type %d of value is not known", kind)
	return nil
}

func (d *decoder) array() value {
	kind, n := d.u32(), d.u64()
	if kind == kindArray || kindSize(kind) == 0 {
		d.fail("an array of type %d", kind)
	}
	if size, ok := product(n, kindSize(kind)); !ok || size > d.left {
		d.fail("an array of %d elements, more than the file holds", n)
	}
	if d.values += n; n > maxValues || d.values > maxValues {
		d.fail("arrays of more than %d elements", maxValues)
	}
	if d.err != nil {
		return nil
	}
	switch kind {
	case kindString:
		out := make([]string, 0, n)
		for range n {
			out = append(out, d.str(maxHeader))
			if d.err != nil {
				return nil
			}
		}
		return out
	case kindU32, kindI32:
		out := make([]int64, 0, n)
		for range n {
			v := d.u32()
			if kind == kindI32 {
				out = append(out, int64(int32(v)))
			} else {
				out = append(out, int64(v))
			}
		}
		return out
	}
	d.bytes(n * kindSize(kind))
	return skipped{}
}

func (d *decoder) tensor() info {
	var t info
	n := d.u32()
	if n == 0 || n > 4 {
		d.fail("%d dimensions", n)
		return t
	}
	for range n {
		t.dims = append(t.dims, d.u64())
	}
	slices.Reverse(t.dims)
	t.typ, t.offset = Type(d.u32()), d.u64()
	if d.err != nil {
		return t
	}
	f, known := formats[t.typ]
	if !known {
		d.fail("its numbers are %v; f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k and q6_k can be read", t.typ)
		return t
	}
	if row := t.dims[len(t.dims)-1]; row%f.numbers != 0 {
		d.fail("its rows of %d numbers are no whole blocks of %v", row, t.typ)
		return t
	}
	count, ok := product(t.dims...)
	if ok {
		t.bytes, ok = product(count/f.numbers, f.bytes)
	}
	if !ok || t.bytes == 0 {
		d.fail("its dimensions are %d", t.dims)
	}
	return t
}
