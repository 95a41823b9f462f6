package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	elemSize     = 16         // of branch and leaf elements alike
	elemBucket   = 0x01       // flag of a leaf element whose value is a bucket
	bucketHeader = 16         // root u64 | sequence u64; root 0: the page follows in the value
	noFreelist   = ^uint64(0) // freelist not stored
	manyFree     = 0xFFFF     // count of a freelist page whose first u64 is the count
)

// walker visits every page that can be reached. bbolt follows page numbers without a look: a page that leads to itself
// would overflow the stack, which no recover stops.
type walker struct {
	f    io.ReaderAt
	l    layout
	seen []bool
}

// walkPages proves that the pages form a tree of branch and leaf pages with elements inside their pages and keys in
// order, and that no page is both free and in use.
func walkPages(f io.ReaderAt, l layout) error {
	w := &walker{f: f, l: l, seen: make([]bool, l.highWater)}
	if err := w.tree(l.root); err != nil {
		return err
	}
	if l.freelist == noFreelist {
		return nil
	}
	return w.free(l.freelist)
}

// read returns a page with the pages that it overflows into, and marks them.
func (w *walker) read(id uint64) ([]byte, error) {
	if id < 2 || id >= w.l.highWater {
		return nil, fmt.Errorf("page %d of %d", id, w.l.highWater)
	}
	page := make([]byte, w.l.pageSize)
	if _, err := w.f.ReadAt(page, int64(id)*w.l.pageSize); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	e := binary.NativeEndian
	overflow := uint64(e.Uint32(page[12:]))
	if e.Uint64(page) != id || overflow >= w.l.highWater-id {
		return nil, fmt.Errorf("page %d has a wrong header", id)
	}
	for p := id; p <= id+overflow; p++ {
		if w.seen[p] {
			return nil, fmt.Errorf("page %d is used twice", p)
		}
		w.seen[p] = true
	}
	if overflow == 0 {
		return page, nil
	}
	page = append(page, make([]byte, int64(overflow)*w.l.pageSize)...)
	if _, err := w.f.ReadAt(page[w.l.pageSize:], int64(id+1)*w.l.pageSize); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return page, nil
}

func (w *walker) tree(id uint64) error {
	page, err := w.read(id)
	if err != nil {
		return err
	}
	switch flags := binary.NativeEndian.Uint16(page[8:]); flags {
	case flagBranch:
		return w.branch(id, page)
	case flagLeaf:
		return w.leaf(id, page)
	default:
		return fmt.Errorf("page %d has flags %#x", id, flags)
	}
}

// branch: elements of position u32, key size u32, child u64; the position counts from the element.
func (w *walker) branch(id uint64, page []byte) error {
	e := binary.NativeEndian
	n := int(e.Uint16(page[10:]))
	if n == 0 {
		return fmt.Errorf("page %d is an empty branch", id)
	}
	var before []byte
	for i := range n {
		at := pageHeader + i*elemSize
		if at+elemSize > len(page) {
			return fmt.Errorf("page %d has %d elements", id, n)
		}
		elem := page[at:]
		key, ok := cut(page, at, e.Uint32(elem), 0, e.Uint32(elem[4:]))
		if !ok || i > 0 && bytes.Compare(before, key) >= 0 {
			return fmt.Errorf("page %d has a wrong key %d", id, i)
		}
		before = key
		if err := w.tree(e.Uint64(elem[8:])); err != nil {
			return err
		}
	}
	return nil
}

// leaf: elements of flags u32, position u32, key size u32, value size u32.
func (w *walker) leaf(id uint64, page []byte) error {
	e := binary.NativeEndian
	n := int(e.Uint16(page[10:]))
	var before []byte
	for i := range n {
		at := pageHeader + i*elemSize
		if at+elemSize > len(page) {
			return fmt.Errorf("page %d has %d elements", id, n)
		}
		elem := page[at:]
		keySize := e.Uint32(elem[8:])
		key, ok := cut(page, at, e.Uint32(elem[4:]), 0, keySize)
		value, ok2 := cut(page, at, e.Uint32(elem[4:]), keySize, e.Uint32(elem[12:]))
		if !ok || !ok2 || i > 0 && bytes.Compare(before, key) >= 0 {
			return fmt.Errorf("page %d has a wrong element %d", id, i)
		}
		before = key
		if flags := e.Uint32(elem); flags&^elemBucket != 0 {
			return fmt.Errorf("page %d has an element with flags %#x", id, flags)
		} else if flags == 0 {
			continue
		}
		if err := w.bucket(id, value); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) bucket(id uint64, value []byte) error {
	e := binary.NativeEndian
	if len(value) < bucketHeader {
		return fmt.Errorf("page %d has a bucket of %d bytes", id, len(value))
	}
	if root := e.Uint64(value); root != 0 {
		return w.tree(root)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || e.Uint16(inline[8:]) != flagLeaf {
		return fmt.Errorf("page %d has a wrong bucket", id)
	}
	return w.leaf(id, inline)
}

// cut returns size bytes of page, skip bytes behind position pos of the element at at.
func cut(page []byte, at int, pos, skip, size uint32) ([]byte, bool) {
	from := uint64(at) + uint64(pos) + uint64(skip)
	to := from + uint64(size)
	if to > uint64(len(page)) {
		return nil, false
	}
	return page[from:to], true
}

func (w *walker) free(id uint64) error {
	page, err := w.read(id)
	if err != nil {
		return err
	}
	e := binary.NativeEndian
	if e.Uint16(page[8:]) != flagFreelist {
		return fmt.Errorf("page %d is not the list of free pages", id)
	}
	ids, n := page[pageHeader:], uint64(e.Uint16(page[10:]))
	if n == manyFree {
		n, ids = e.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return fmt.Errorf("page %d lists %d free pages", id, n)
	}
	for i := range n {
		free := e.Uint64(ids[8*i:])
		if free < 2 || free >= w.l.highWater || w.seen[free] {
			return fmt.Errorf("page %d is free and in use", free)
		}
		w.seen[free] = true
	}
	return nil
}
