package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() []Tensor {
	return []Tensor{
		{Name: "b", Shape: []int{2, 3}, Data: []float32{1, -2, 3.5, float32(math.Inf(1)), 1e-40, 0}},
		{Name: "a", Shape: []int{1}, Data: []float32{7}},
		{Name: "empty", Shape: []int{0, 4}, Data: []float32{}},
		{Name: "scalar", Shape: []int{}, Data: []float32{9}},
	}
}

func TestWrittenFileReadsBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	meta := map[string]string{"format": "pt", "z": "\"quoted\""}
	if err := WriteFile(path, meta, example()); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d := cmp.Diff(meta, f.Metadata); d != "" {
		t.Error(d)
	}
	for _, want := range example() {
		got := make([]float32, len(want.Data))
		if err := f.Read(want.Name, want.Shape, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want.Data) {
			t.Errorf("%s: got %v, want %v", want.Name, got, want.Data)
		}
	}
	if err := f.Read("b", []int{3, 2}, make([]float32, 6)); err == nil {
		t.Error("read with another shape")
	}
	if err := f.Read("c", []int{1}, make([]float32, 1)); err == nil {
		t.Error("read a tensor that is not there")
	}
	if err := WriteFile(path, meta, example()); err == nil {
		t.Error("overwrote a file")
	}
}

func TestWrittenBytesAreTheFormat(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Write(&b, nil, []Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1, 2}}}); err != nil {
		t.Fatal(err)
	}
	head := `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  `
	want := string(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))) + head + "\x00\x00\x80\x3f\x00\x00\x00\x40"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for _, ts := range [][]Tensor{
		{{Name: "w", Shape: []int{3}, Data: []float32{1, 2}}},
		{{Name: "w", Shape: []int{1}, Data: []float32{1}}, {Name: "w", Shape: []int{1}, Data: []float32{1}}},
		{{Name: "__metadata__", Shape: []int{1}, Data: []float32{1}}},
		{{Name: "w", Shape: []int{-1, -1}, Data: []float32{1}}},
		{{Name: "w", Shape: []int{1 << 40, 1 << 40}}},
	} {
		if err := Write(&bytes.Buffer{}, nil, ts); err == nil {
			t.Errorf("wrote %v", ts)
		}
	}
}

// Half as wide, every number is the nearest that the format has, and one that is too large for it is refused by its tensor.
func TestWriteHalf(t *testing.T) {
	t.Parallel()
	data := []float32{1, -2.0625, 1e-40, 0, float32(math.Inf(-1)), 3.14159}
	for as, want := range map[DType][]float32{
		F16:  {1, -2.0625, 0, 0, float32(math.Inf(-1)), 3.140625},
		BF16: {1, -2.0625, 0x1p-133, 0, float32(math.Inf(-1)), 3.140625},
	} {
		var b bytes.Buffer
		if err := WriteAs(&b, as, nil, []Tensor{{Name: "w", Shape: []int{2, 3}, Data: data}}); err != nil {
			t.Fatal(err)
		}
		f, err := New(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(data))
		if err := f.Read("w", []int{2, 3}, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", as, got, err, want)
		}
		err = WriteAs(&b, as, nil, []Tensor{{Name: "w", Shape: []int{1}, Data: []float32{math.MaxFloat32}}})
		if err == nil || !strings.Contains(err.Error(), `tensor "w": 3.4028235e+38 is too large for `+string(as)) {
			t.Errorf("%s: a number that is too large: %v", as, err)
		}
	}
	if err := WriteAs(&bytes.Buffer{}, "F64", nil, nil); err == nil {
		t.Error("wrote F64")
	}
}

// raw makes a file from a header and data.
func raw(head, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head+data...)
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "too few"},
		{"header longer than the file", binary.LittleEndian.AppendUint64(nil, 1<<62), "header of"},
		{"no object", raw(`[1]`, ""), "JSON object"},
		{"cut short", raw(`{"a":{"dtype":"F32"`, ""), "EOF"},
		{"text after the object", raw(`{} x`, ""), "after the JSON object"},
		{"name twice", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}`, "abcd"), "twice"},
		{"gap", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "abcdefgh"), "starts at 4"},
		{"overlap", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, "abcdef"), "starts at 2"},
		{"beyond the end", raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "abcd"), "ends at 8"},
		{"left over", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "abcdefgh"), "after the last"},
		{"shape and bytes", raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, "abcd"), "has 4 bytes"},
		{"shape that overflows", raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, ""), "out of range"},
		{"negative shape", raw(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}`, ""), "out of range"},
		{"half as wide", raw(`{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,8]}}`, "abcdefgh"), "has 8 bytes"},
		{"backwards", raw(`{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,-8]}}`, ""), "before it starts"},
		{"metadata that is no text", raw(`{"__metadata__":{"a":1}}`, ""), "metadata"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(bytes.NewReader(c.file), int64(len(c.file)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// F16 and BF16 are widened exactly; what has another type is listed, and is refused when it is asked for.
func TestReadHalf(t *testing.T) {
	t.Parallel()
	head := `{"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}`
	file := raw(head, "\x00\x3c\x01\x00"+"\xc0\xbf\x80\x7f"+"12345678")
	f, err := New(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]float32{"h": {1, 0x1p-24}, "b": {-1.5, float32(math.Inf(1))}} {
		got := make([]float32, 2)
		if err := f.Read(name, []int{2}, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	if err := f.Read("i", []int{1}, make([]float32, 1)); err == nil || !strings.Contains(err.Error(), `type "I64"`) {
		t.Errorf("a tensor of integers: %v", err)
	}
}

// allocated is how much memory a call takes altogether, what it has given back included. Nothing else may run beside it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// bound is the most that reading the header of a file of n bytes may take.
func bound(n int) uint64 { return 1<<18 + 64*uint64(n) }

// A few bytes that speak of more than a machine has take no memory for it, and an error stays short. Not parallel: it measures.
func TestHostileFilesTakeNoMemory(t *testing.T) {
	for name, file := range map[string][]byte{
		"a header of 16 MiB": append(binary.LittleEndian.AppendUint64(nil, 16<<20), "{}"...),
		"a header of 2⁶³":    append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...),
		"a shape":            raw(`{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}`, ""),
		"a long name":        raw(`{"`+strings.Repeat("n", 60000)+`":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, "12345678"),
		"many dimensions":    raw(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", 30000)+`1],"data_offsets":[0,4]}}`, "1234"),
		"nothing but lists":  raw(`{"a":{"dtype":"F32","other":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+`,"shape":[2],"data_offsets":[0,4]}}`, "1234"),
	} {
		var err error
		took := allocated(func() { _, err = New(bytes.NewReader(file), int64(len(file))) })
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("%s: error %v", name, err)
		}
		if took > bound(len(file)) {
			t.Errorf("%s: %d bytes for a file of %d, at most %d", name, took, len(file), bound(len(file)))
		}
	}
}

// Whatever the bytes, reading ends without a panic, takes memory in proportion to them, and what it accepts can be written
// again.
func FuzzSafetensors(f *testing.F) {
	var good bytes.Buffer
	if err := Write(&good, map[string]string{"a": "b"}, example()); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "abcd"))
	f.Add(raw(`{"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[0],"data_offsets":[4,4]}}`, "abcd"))
	f.Add(raw(`{}`, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		var file *File
		var err error
		took := allocated(func() { file, err = New(bytes.NewReader(data), int64(len(data))) })
		if took > bound(len(data)) {
			t.Errorf("%d bytes for a file of %d, at most %d", took, len(data), bound(len(data)))
		}
		if err != nil {
			return
		}
		var ts []Tensor
		for _, info := range file.Tensors {
			if width(info.DType) == 0 {
				continue // listed, and not read
			}
			n, err := elements(info.Shape)
			if err != nil {
				t.Fatal(err)
			}
			x := make([]float32, n)
			if err := file.Read(info.Name, info.Shape, x); err != nil {
				t.Fatalf("accepted, but %v", err)
			}
			ts = append(ts, Tensor{Name: info.Name, Shape: info.Shape, Data: x})
		}
		if err := Write(&bytes.Buffer{}, file.Metadata, ts); err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
	})
}
