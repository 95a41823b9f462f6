package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// The encoded index. Numbers are little-endian; strings are a u32 length and bytes; all lists are sorted, so that equal
// benchmarks have equal bytes.
//
//	"jupiter-seal-1\n"
//	u32 items     { string id; u32 spread; u32 n { string evidence } }
//	u32 lengths   { u8 words }
//	u32 keys      { [16]byte }
//	u32 whole     { u64 hash; u32 item }
//	u32 grams     { u64 hash; u32 item }
//	u32 shingles  { u64 hash; u32 item }
//	[32]byte SHA-256 of all that stands before
const magic = "jupiter-seal-1\n"

// Encode returns the index as bytes. Equal benchmarks give equal bytes, on every machine.
func (ix *Index) Encode() []byte {
	b := []byte(magic)
	u32 := func(n int) { b = binary.LittleEndian.AppendUint32(b, uint32(n)) }
	str := func(s string) { u32(len(s)); b = append(b, s...) }
	u32(len(ix.ids))
	for i, id := range ix.ids {
		str(id)
		u32(int(ix.spread[i]))
		u32(len(ix.evidence[i]))
		for _, e := range ix.evidence[i] {
			str(e)
		}
	}
	u32(len(ix.lengths))
	b = append(b, ix.lengths...)
	u32(len(ix.keys))
	for _, k := range ix.keys {
		b = append(b, k[:]...)
	}
	for _, list := range [][]posting{ix.whole, ix.grams, ix.shingles} {
		u32(len(list))
		for _, p := range list {
			b = binary.LittleEndian.AppendUint64(b, p.hash)
			u32(int(p.item))
		}
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// Digest returns what names this seal: sha256:<hex> of its encoding.
func (ix *Index) Digest() string {
	sum := sha256.Sum256(ix.Encode())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Decode reads an encoded index. A seal that was cut short or changed is an error, and so is one of another format.
func Decode(data []byte) (*Index, error) {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return nil, fmt.Errorf("seal: not an index of this format")
	}
	body := len(data) - sha256.Size
	if body < len(magic) {
		return nil, fmt.Errorf("seal: the index is cut short")
	}
	if sum := sha256.Sum256(data[:body]); !bytes.Equal(sum[:], data[body:]) {
		return nil, fmt.Errorf("seal: the index does not match its checksum")
	}
	r := &reader{data: data[len(magic):body]}
	ix := &Index{}
	for range r.count(12) {
		ix.ids = append(ix.ids, r.str())
		ix.spread = append(ix.spread, r.u32())
		var evidence []string
		for range r.count(4) {
			evidence = append(evidence, r.str())
		}
		ix.evidence = append(ix.evidence, evidence)
	}
	ix.lengths = append(ix.lengths, r.take(r.count(1))...)
	for range r.count(16) {
		ix.keys = append(ix.keys, key(r.take(16)))
	}
	for _, list := range []*[]posting{&ix.whole, &ix.grams, &ix.shingles} {
		n := r.count(12)
		*list = make([]posting, 0, n)
		for range n {
			p := posting{r.u64(), r.u32()}
			if int(p.item) >= len(ix.ids) {
				r.short = true
			}
			*list = append(*list, p)
		}
	}
	if r.short || len(r.data) > 0 {
		return nil, fmt.Errorf("seal: the index does not hold what its counts say")
	}
	return ix, nil
}

// reader takes values from the front of data. After the first that is not there all are zero.
type reader struct {
	data  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) || r.short {
		r.short = true
		return make([]byte, min(n, sha256.Size))
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *reader) str() string { return string(r.take(r.count(1))) }

// count reads the length of a list whose elements have at least size bytes.
func (r *reader) count(size int) int {
	n := int(r.u32())
	if n > len(r.data)/size {
		r.short = true
		return 0
	}
	return n
}
