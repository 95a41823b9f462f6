package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// tryAll does all that a command does first, and reports its errors.
func tryAll(t *testing.T, db *DB) []error {
	t.Helper()
	var text bytes.Buffer
	_, check := db.Check(t.Context())
	return []error{
		db.View(t.Context(), func(tx *Tx) error { _, err := tx.Generators(cycle); return err }),
		db.Update(t.Context(), func(tx *Tx) error { return tx.AppendEvent(Event{Act: "pin"}) }),
		db.Export(t.Context(), &text),
		check,
	}
}

// refusesAll wants every use of the file to fail with want, and the file left as it was.
func refusesAll(t *testing.T, dir string, content []byte, want error) {
	t.Helper()
	path := filepath.Join(dir, "state.db")
	writeFile(t, path, content)
	for i, err := range tryAll(t, openDB(t, dir)) {
		if !errors.Is(err, want) {
			t.Errorf("use %d of a file of %d bytes: %v, want %v", i, len(content), err, want)
		}
	}
	if !bytes.Equal(content, readFile(t, path)) {
		t.Errorf("a file of %d bytes was written to", len(content))
	}
}

// big is the file of a state with many pages.
func big(t *testing.T) []byte {
	t.Helper()
	db := filled(t, t.TempDir())
	update(t, db, func(tx *Tx) error {
		for i := range 300 {
			if err := tx.PutRun(Run{ID: "many-" + strconv.Itoa(i), Who: "ann", Error: "some text to fill pages with"}); err != nil {
				return err
			}
			if err := tx.AppendEntry("many-"+strconv.Itoa(i), Entry{Event: "started"}); err != nil {
				return err
			}
		}
		return nil
	})
	return readFile(t, db.Path())
}

// used is the end of the pages that the file's header counts; bbolt leaves room behind it.
func used(t *testing.T, content []byte) (int, layout) {
	t.Helper()
	l, err := readLayout(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return int(l.highWater) * int(l.pageSize), l
}

func TestCutShort(t *testing.T) {
	t.Parallel()
	content := big(t)
	end, l := used(t, content)
	dir := t.TempDir()
	sizes := []int{0, 1, 79, 80, int(l.pageSize) - 1, int(l.pageSize), 2 * int(l.pageSize), end - int(l.pageSize), end - 1}
	for n := 3 * int(l.pageSize); n < end; n += 5*int(l.pageSize)/2 + 1 {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		refusesAll(t, dir, content[:n], ErrCorrupt)
	}
	// What is cut behind the pages in use is no loss.
	writeFile(t, filepath.Join(dir, "state.db"), content[:end])
	if !strings.Contains(export(t, openDB(t, dir)), "many-299") {
		t.Error("a file cut behind its last page lost records")
	}
}

// TestCutShortWhileOpen cuts the file under a transaction, where only the bus error tells.
func TestCutShortWhileOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "state.db"), big(t))
	db := openDB(t, dir)
	err := db.View(t.Context(), func(tx *Tx) error {
		if err := os.Truncate(db.Path(), 8192); err != nil {
			return err
		}
		_, err := collect[Run](tx, bRuns)
		return err
	})
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	if err := db.View(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrCorrupt) {
		t.Errorf("afterwards: %v, want ErrCorrupt, and not a lock that is held", err)
	}
}

// TestOneHeaderGarbled flips bytes of one of the two headers. The other is that of this transaction or of the one
// before: either is a whole state.
func TestOneHeaderGarbled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := readFile(t, filled(t, dir).Path())
	_, l := used(t, content)
	for _, page := range []int{0, int(l.pageSize)} {
		for at := pageHeader; at < pageHeader+metaSize; at++ {
			damaged := bytes.Clone(content)
			damaged[page+at] ^= 0x5a
			writeFile(t, filepath.Join(dir, "state.db"), damaged)
			mustHold(t, openDB(t, dir))
		}
	}
}

func TestBothHeadersGarbled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := readFile(t, filled(t, dir).Path())
	_, l := used(t, content)
	for at := pageHeader; at < pageHeader+metaSize; at += 3 {
		damaged := bytes.Clone(content)
		damaged[at] ^= 0x5a
		damaged[int(l.pageSize)+at] ^= 0x5a
		refusesAll(t, dir, damaged, ErrCorrupt)
	}
	refusesAll(t, dir, []byte("this is no database, but a text that is long enough to be a header of one, if it were one"), ErrCorrupt)
	refusesAll(t, dir, make([]byte, 64<<10), ErrCorrupt)
}

// TestPagesGarbled flips bytes anywhere. Whatever they hit, nothing crashes, and a file that was refused is as it was.
func TestPagesGarbled(t *testing.T) {
	t.Parallel()
	content := big(t)
	end, l := used(t, content)
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	rng := rand.New(rand.NewPCG(1, 2))
	refusals := 0
	for range 80 {
		damaged := bytes.Clone(content)
		for range 1 + rng.IntN(4) {
			at := 2*int(l.pageSize) + rng.IntN(end-2*int(l.pageSize))
			if rng.IntN(2) == 0 { // headers of pages and elements hurt most
				at = at/int(l.pageSize)*int(l.pageSize) + rng.IntN(64)
			}
			damaged[at] ^= byte(1 + rng.IntN(255))
		}
		writeFile(t, path, damaged)
		errs := tryAll(t, openDB(t, dir))
		for _, err := range errs {
			if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrInvalid) {
				t.Errorf("unclear error: %v", err)
			}
		}
		if errs[1] != nil {
			refusals++
			if !bytes.Equal(damaged, readFile(t, path)) {
				t.Error("a refused update wrote to the file")
			}
		}
	}
	if refusals == 0 {
		t.Error("no damage was noticed")
	}
}

// TestPageCycle makes a branch page lead to itself, which bbolt would follow until the stack is full.
func TestPageCycle(t *testing.T) {
	t.Parallel()
	content := big(t)
	end, l := used(t, content)
	e := binary.NativeEndian
	found := false
	for at := 2 * int(l.pageSize); at < end; at += int(l.pageSize) {
		if e.Uint16(content[at+8:]) != flagBranch || e.Uint16(content[at+10:]) == 0 {
			continue
		}
		found = true
		damaged := bytes.Clone(content)
		e.PutUint64(damaged[at+pageHeader+8:], uint64(at)/uint64(l.pageSize))
		dir := t.TempDir()
		path := filepath.Join(dir, "state.db")
		writeFile(t, path, damaged)
		for _, err := range tryAll(t, openDB(t, dir)) {
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("unclear error: %v", err)
			}
		}
	}
	if !found {
		t.Fatal("the file has no branch page")
	}
}

// TestRootOutside makes a sound header say that the root is where no page is.
func TestRootOutside(t *testing.T) {
	t.Parallel()
	content := big(t)
	_, l := used(t, content)
	e := binary.NativeEndian
	for _, root := range []uint64{0, 1, l.highWater, 1 << 40, l.freelist} {
		damaged := bytes.Clone(content)
		for _, page := range []int{0, int(l.pageSize)} {
			meta := damaged[page+pageHeader:]
			e.PutUint64(meta[16:], root)
			sum := fnv.New64a()
			sum.Write(meta[:metaSize-8])
			e.PutUint64(meta[56:], sum.Sum64())
		}
		refusesAll(t, t.TempDir(), damaged, ErrCorrupt)
	}
}

// TestNewerFormat: of a file from the future nothing but its number is read, and nothing is written.
func TestNewerFormat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filled(t, dir)
	setFormat(t, db.Path(), "2")
	content := readFile(t, db.Path())
	refusesAll(t, dir, content, ErrNewer)
	if _, err := openDB(t, dir).Restore(t.Context(), db.Path()); !errors.Is(err, ErrNewer) {
		t.Errorf("restore over a newer state: %v, want ErrNewer", err)
	}
	for _, text := range []string{"", "0", "one", "-1", "1 "} {
		setFormat(t, db.Path(), text)
		refusesAll(t, dir, readFile(t, db.Path()), ErrCorrupt)
	}
}

// TestOtherBolt: a bbolt file that is no state.
func TestOtherBolt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "other.db")
	b, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	refusesAll(t, dir, readFile(t, path), ErrCorrupt)
}

func setFormat(t *testing.T, path, text string) {
	t.Helper()
	b, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bMeta)).Put([]byte(kFormat), []byte(text)) })
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
}
