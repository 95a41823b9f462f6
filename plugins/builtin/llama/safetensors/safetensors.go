// Package safetensors writes and reads tensors in the safetensors format, as F32, F16 or BF16. In memory they are float32:
// reading widens exactly, writing rounds to the nearest number.
//
// A file is three parts:
//
//	8 bytes           length n of the header, little-endian
//	n bytes           header: a JSON object, padded with spaces to a multiple of 8
//	the rest          the tensors' numbers, little-endian, without gaps
//
//	{"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
//
// Offsets count from the end of the header. Tensors must cover the rest of the file exactly, each byte once: that is the
// format's rule, and it leaves a hostile file no room. A reader here also refuses a name given twice, a header above
// 16 MiB, and a shape whose size is not that of its bytes. A tensor of another type is listed and cannot be read. A reader
// allocates nothing that the file's own length does not pay for.
//
// Written bytes are a pure function of the tensors, in the order given, and of the metadata.
package safetensors

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"jupiter/plugins/builtin/llama/half"
)

// DType is a number format, by its name in the file.
type DType string

// Number formats that are read and written.
const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

// Tensor is a named array.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

const (
	maxHeader   = 16 << 20
	maxRank     = 8
	metadataKey = "__metadata__"
)

// entry is a tensor in the header.
type entry struct {
	DType   DType    `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// Write writes a file of F32 numbers. It refuses tensors whose shape does not fit their data, and names given twice.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	return WriteAs(w, F32, metadata, tensors)
}

// WriteAs is Write with a choice of the number format. It refuses a number that is too large for it.
func WriteAs(w io.Writer, as DType, metadata map[string]string, tensors []Tensor) error {
	if width(as) == 0 {
		return fmt.Errorf("type %q: F32, F16 and BF16 are written", as)
	}
	head, err := header(as, metadata, tensors)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if err := binary.Write(b, binary.LittleEndian, uint64(len(head))); err != nil {
		return err
	}
	if _, err := b.Write(head); err != nil {
		return err
	}
	var word [4]byte
	for _, t := range tensors {
		for _, x := range t.Data {
			part, ok := narrow(as, x, word[:0])
			if !ok {
				return fmt.Errorf("tensor %q: %g is too large for %s", t.Name, x, as)
			}
			if _, err := b.Write(part); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

// narrow appends a number's bytes. False: it is finite, and the format has none that is so large.
func narrow(as DType, x float32, b []byte) ([]byte, bool) {
	switch as {
	case F16:
		h := half.Round(x)
		return binary.LittleEndian.AppendUint16(b, h), h&0x7fff != 0x7c00 || math.IsInf(float64(x), 0)
	case BF16:
		h := half.RoundBrain(x)
		return binary.LittleEndian.AppendUint16(b, h), h&0x7fff != 0x7f80 || math.IsInf(float64(x), 0)
	}
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(x)), true
}

// WriteFile writes a new file of F32 numbers and makes it durable.
func WriteFile(path string, metadata map[string]string, tensors []Tensor) error {
	return WriteFileAs(path, F32, metadata, tensors)
}

// WriteFileAs is WriteFile with a choice of the number format.
func WriteFileAs(path string, as DType, metadata map[string]string, tensors []Tensor) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if err := WriteAs(f, as, metadata, tensors); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Sync()
}

func header(as DType, metadata map[string]string, tensors []Tensor) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	field := func(name string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		for i, part := range []any{name, value} {
			j, err := json.Marshal(part)
			if err != nil {
				return err
			}
			if i == 1 {
				b.WriteByte(':')
			}
			b.Write(j)
		}
		return nil
	}
	if len(metadata) > 0 {
		if err := field(metadataKey, metadata); err != nil { // encoding/json sorts the keys
			return nil, err
		}
	}
	seen := map[string]bool{metadataKey: true}
	var at int64
	for _, t := range tensors {
		n, err := elements(t.Shape)
		switch {
		case err != nil:
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		case n != int64(len(t.Data)):
			return nil, fmt.Errorf("tensor %q: shape %v and %d numbers", t.Name, t.Shape, len(t.Data))
		case seen[t.Name]:
			return nil, fmt.Errorf("tensor name %q is reserved or given twice", t.Name)
		}
		seen[t.Name] = true
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		if err := field(t.Name, entry{as, shape, [2]int64{at, at + width(as)*n}}); err != nil {
			return nil, err
		}
		at += width(as) * n
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, fmt.Errorf("header of %d bytes: at most %d", b.Len(), maxHeader)
	}
	return b.Bytes(), nil
}

// elements is the number of elements of a shape.
func elements(shape []int) (int64, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions: at most %d", len(shape), maxRank)
	}
	n := int64(1)
	for _, s := range shape {
		if s < 0 || (s > 0 && n > math.MaxInt64/8/int64(s)) {
			return 0, fmt.Errorf("shape %v is out of range", shape)
		}
		n *= int64(s)
	}
	return n, nil
}

// Info says what a tensor in a file is.
type Info struct {
	Name  string
	Shape []int
	DType DType // F32, F16, BF16, or another that cannot be read
}

// width is the number of bytes of a number; 0 for a type that is not read.
func width(dtype DType) int64 {
	switch dtype {
	case F32:
		return 4
	case F16, BF16:
		return 2
	}
	return 0
}

// File is an open file whose header has been checked.
type File struct {
	Metadata map[string]string
	Tensors  []Info // in the order of their data

	r     io.ReaderAt
	close func() error
	at    []int64        // offset of each tensor in r
	index map[string]int // of each tensor in Tensors
}

// Open opens a file. Close it when done.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file")
	}
	var file *File
	if err == nil {
		file, err = New(f, st.Size())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	file.close = f.Close
	return file, nil
}

// New reads the header of a file of size bytes.
func New(r io.ReaderAt, size int64) (*File, error) {
	var word [8]byte
	if size < 8 {
		return nil, fmt.Errorf("%d bytes are too few for a header", size)
	}
	if _, err := r.ReadAt(word[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(word[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("header of %d bytes in a file of %d: at most %d", n, size, maxHeader)
	}
	head := make([]byte, n)
	if _, err := r.ReadAt(head, 8); err != nil {
		return nil, err
	}
	f := &File{r: r, close: func() error { return nil }, index: map[string]int{}}
	entries, err := f.parse(head)
	if err != nil {
		return nil, err
	}
	return f, f.place(entries, 8+int64(n), size)
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

type named struct {
	name string
	entry
}

// clip shortens what an error quotes: a name in a hostile file can be long.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// parse reads the header. It walks the object itself, because encoding/json would let the last of two equal names win.
func (f *File) parse(head []byte) ([]named, error) {
	d := json.NewDecoder(bytes.NewReader(head))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("the header is not a JSON object")
	}
	seen := map[string]bool{}
	var entries []named
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
		name := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("header: %q is there twice", clip(name))
		}
		seen[name] = true
		if name == metadataKey {
			if err := d.Decode(&f.Metadata); err != nil {
				return nil, fmt.Errorf("metadata: %w", err)
			}
			continue
		}
		e := named{name: name}
		if err := d.Decode(&e.entry); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", clip(name), err)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("header: text after the JSON object")
	}
	return entries, nil
}

// place checks that the tensors cover the data exactly and sets where each one is.
func (f *File) place(entries []named, start, size int64) error {
	slices.SortStableFunc(entries, func(a, b named) int {
		if a.Offsets[0] != b.Offsets[0] {
			return cmp.Compare(a.Offsets[0], b.Offsets[0])
		}
		return cmp.Compare(a.Offsets[1], b.Offsets[1]) // an empty tensor before the one that begins where it does
	})
	var at int64
	for _, e := range entries {
		n, err := elements(e.Shape)
		switch {
		case err != nil:
			return fmt.Errorf("tensor %q: %w", clip(e.name), err)
		case e.Offsets[0] != at:
			return fmt.Errorf("tensor %q starts at %d, the one before it ends at %d", clip(e.name), e.Offsets[0], at)
		case e.Offsets[1] < at:
			return fmt.Errorf("tensor %q ends at %d, before it starts", clip(e.name), e.Offsets[1])
		case width(e.DType) > 0 && e.Offsets[1]-e.Offsets[0] != width(e.DType)*n:
			return fmt.Errorf("tensor %q of shape %v has %d bytes", clip(e.name), e.Shape, e.Offsets[1]-e.Offsets[0])
		case e.Offsets[1] > size-start:
			return fmt.Errorf("tensor %q ends at %d, the data at %d", clip(e.name), e.Offsets[1], size-start)
		}
		f.Tensors = append(f.Tensors, Info{Name: e.name, Shape: e.Shape, DType: e.DType})
		f.at = append(f.at, start+at)
		f.index[e.name] = len(f.Tensors) - 1
		at = e.Offsets[1]
	}
	if at != size-start {
		return fmt.Errorf("%d bytes after the last tensor", size-start-at)
	}
	return nil
}

// Read fills dst with the tensor of this name, which must have this shape.
func (f *File) Read(name string, shape []int, dst []float32) error {
	i, ok := f.index[name]
	if !ok {
		return fmt.Errorf("no tensor %q", name)
	}
	if !slices.Equal(f.Tensors[i].Shape, shape) {
		return fmt.Errorf("tensor %q has shape %v, want %v", name, f.Tensors[i].Shape, shape)
	}
	if n, err := elements(shape); err != nil || n != int64(len(dst)) {
		return fmt.Errorf("tensor %q of shape %v read into %d numbers", name, shape, len(dst))
	}
	size := int(width(f.Tensors[i].DType))
	if size == 0 {
		return fmt.Errorf("tensor %q has type %q: F32, F16 and BF16 are read", name, f.Tensors[i].DType)
	}
	buf := make([]byte, 1<<16)
	at := f.at[i]
	for len(dst) > 0 {
		part := buf[:min(len(buf), size*len(dst))]
		if _, err := f.r.ReadAt(part, at); err != nil {
			return fmt.Errorf("tensor %q: %w", clip(name), err)
		}
		n := len(part) / size
		widen(f.Tensors[i].DType, part, dst[:n])
		dst = dst[n:]
		at += int64(len(part))
	}
	return nil
}

// widen gives the numbers of some bytes.
func widen(dtype DType, b []byte, dst []float32) {
	for j := range dst {
		switch dtype {
		case F32:
			dst[j] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*j:]))
		case F16:
			dst[j] = half.Float(binary.LittleEndian.Uint16(b[2*j:]))
		case BF16:
			dst[j] = half.Brain(binary.LittleEndian.Uint16(b[2*j:]))
		}
	}
}
