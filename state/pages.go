package state

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// What is checked before bbolt maps the file, because afterwards it is too late: bbolt trusts the file, and a page
// that is not there is a bus error. Numbers are in the byte order of the machine that wrote them.
//
//	page    id u64 | flags u16 | count u16 | overflow u32 | …           16 bytes, then the body
//	meta    magic u32 | version u32 | page size u32 | flags u32 |
//	        root u64 | sequence u64 | freelist u64 | high water u64 | transaction u64 | FNV-1a of these u64
//
// Pages 0 and 1 are metas, written by turns, so one of them is good whenever power fails. The good one of the later
// transaction counts. bbolt grows the file before it writes the meta that needs the room.
const (
	pageHeader = 16
	metaSize   = 64

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	minPage     = 1 << 10
	maxPage     = 1 << 16
)

// layout is what the counting meta says about the file.
type layout struct {
	pageSize  int64
	root      uint64
	freelist  uint64
	highWater uint64 // pages in use; those from here on are not
	txid      uint64
}

// checkFile fails with ErrCorrupt where f is not a sound bbolt file. The header is looked at each time; the pages once
// for each file, because this and every other writer keep a sound one sound.
func (db *DB) checkFile(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	l, err := readLayout(f, st.Size())
	if err != nil {
		return fmt.Errorf("%s: %w: %w", f.Name(), ErrCorrupt, err)
	}
	db.mu.Lock()
	known := db.checked != nil && os.SameFile(db.checked, st)
	db.mu.Unlock()
	if known {
		return nil
	}
	if err := walkPages(f, l); err != nil {
		return fmt.Errorf("%s: %w: %w", f.Name(), ErrCorrupt, err)
	}
	db.mu.Lock()
	db.checked = st
	db.mu.Unlock()
	return nil
}

// forget has the next transaction walk the pages again.
func (db *DB) forget() {
	db.mu.Lock()
	db.checked = nil
	db.mu.Unlock()
}

func readLayout(f io.ReaderAt, size int64) (layout, error) {
	if size == 0 {
		return layout{}, fmt.Errorf("the file is empty")
	}
	buf := make([]byte, pageHeader+metaSize)
	best, found := layout{}, false
	var why error
	try := func(at int64) {
		if _, err := f.ReadAt(buf, at); err != nil {
			if why == nil {
				why = fmt.Errorf("the file is cut short: %d bytes", size)
			}
			return
		}
		l, err := parseMeta(buf[pageHeader:])
		switch {
		case err != nil:
			if why == nil {
				why = err
			}
		case !found || l.txid > best.txid:
			best, found = l, true
		}
	}
	try(0)
	if found {
		try(best.pageSize)
	} else { // the first meta would have said how long a page is
		for p := int64(minPage); p <= maxPage && !found; p *= 2 {
			try(p)
			if found && best.pageSize != p {
				found = false
			}
		}
	}
	if !found {
		return layout{}, why
	}
	if need := int64(best.highWater) * best.pageSize; size < need {
		return layout{}, fmt.Errorf("the file is cut short: %d bytes of %d", size, need)
	}
	return best, nil
}

func parseMeta(b []byte) (layout, error) {
	e := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(b[:metaSize-8])
	l := layout{
		pageSize:  int64(e.Uint32(b[8:])),
		root:      e.Uint64(b[16:]),
		freelist:  e.Uint64(b[32:]),
		highWater: e.Uint64(b[40:]),
		txid:      e.Uint64(b[48:]),
	}
	switch {
	case e.Uint32(b) != boltMagic:
		return l, fmt.Errorf("it is not a state file")
	case e.Uint32(b[4:]) != boltVersion:
		return l, fmt.Errorf("it is a bbolt file of version %d, not %d", e.Uint32(b[4:]), boltVersion)
	case e.Uint64(b[56:]) != sum.Sum64():
		return l, fmt.Errorf("the header's checksum is wrong")
	case l.pageSize < minPage || l.pageSize > maxPage || l.pageSize&(l.pageSize-1) != 0:
		return l, fmt.Errorf("a page of %d bytes", l.pageSize)
	case l.highWater < 4 || l.highWater > 1<<40 || l.root < 2 || l.root >= l.highWater:
		return l, fmt.Errorf("the header contradicts itself")
	}
	return l, nil
}
