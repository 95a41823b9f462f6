package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"

	"jupiter/state/artifact"
)

// session is the file open for one transaction.
type session struct {
	file *os.File
	bolt *bbolt.DB
	tx   *bbolt.Tx
}

// transact opens the file, runs fn in a transaction and closes the file.
func (db *DB) transact(ctx context.Context, write bool, fn func(*Tx) error) error {
	return db.guard(func(s *session) error { return db.run(ctx, s, write, fn) })
}

// guard runs fn with a session that it ends. A panic of fn goes on after its transaction is undone; one that damage in
// the file caused becomes ErrCorrupt.
func (db *DB) guard(fn func(*session) error) (err error) {
	s := &session{}
	// The file is mapped into memory: where it is cut short under us, reading it is a bus error, which kills the
	// process unless this goroutine asks for a panic.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	returned := false
	defer func() {
		if returned {
			s.close()
			return
		}
		p := recover() // nil: runtime.Goexit
		if p != nil && fromDamage(p) {
			s.abandon()
			err = fmt.Errorf("%s: %w: %v", db.Path(), ErrCorrupt, p)
			return
		}
		s.close()
		if p != nil {
			panic(p)
		}
	}()
	err = fn(s)
	returned = true
	return err
}

func (db *DB) run(ctx context.Context, s *session, write bool, fn func(*Tx) error) error {
	switch err := db.open(ctx, s, write); {
	case errors.Is(err, fs.ErrNotExist) && !write:
		return fn(&Tx{})
	case err != nil:
		return err
	}
	b, err := s.bolt.Begin(write)
	if err != nil {
		return fmt.Errorf("%s: %w", db.Path(), err)
	}
	s.tx = b
	tx := &Tx{b: b, write: write, now: db.o.Clock}
	if err := tx.checkFormat(db.format); err != nil {
		return fmt.Errorf("%s: %w", db.Path(), err)
	}
	if !write {
		return fn(tx)
	}
	db.hook("tx.begin")
	if err := fn(tx); err != nil {
		return err
	}
	return db.commit(s, tx)
}

// commit raises the serial and makes the transaction durable, if it changed anything.
func (db *DB) commit(s *session, tx *Tx) error {
	if !tx.dirty {
		return nil
	}
	if err := tx.raiseSerial(); err != nil {
		return err
	}
	db.hook("tx.commit")
	b := s.tx
	s.tx = nil // Commit undoes it by itself where it fails
	if err := b.Commit(); err != nil {
		return db.explain(fmt.Errorf("commit %s: %w", db.Path(), err))
	}
	db.hook("tx.committed")
	return nil
}

// explain says what a full disk means for the state; artifact.IsSpace is true for the result.
func (db *DB) explain(err error) error {
	cause := err
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		// bbolt keeps only the text of what it meets while it grows the file.
		if !artifact.IsSpace(err) && strings.HasSuffix(err.Error(), errno.Error()) {
			cause = errno
		}
	}
	if !artifact.IsSpace(cause) {
		return err
	}
	return fmt.Errorf("no space left for the state in %s: the transaction was not kept, the state is as before: %w",
		db.dir, cause)
}

func (db *DB) open(ctx context.Context, s *session, write bool) error {
	bolt, err := bbolt.Open(db.Path(), 0o600, &bbolt.Options{
		ReadOnly:     !write,
		NoStatistics: true,
		// The lock is taken here and not by bbolt, which would poll every 50 ms and know no context. bbolt locks the
		// same open file again, which is nothing more to do for the kernel.
		OpenFile: func(path string, _ int, _ os.FileMode) (*os.File, error) {
			f, err := db.openLocked(ctx, path, write)
			if s.file == nil { // a copy of the file opens it once more
				s.file = f
			}
			return f, err
		},
	})
	if err != nil {
		return err
	}
	s.bolt = bolt
	return nil
}

// openLocked opens the file, locks it for a reader or a writer, and checks it before anyone maps it. It never creates
// the file.
func (db *DB) openLocked(ctx context.Context, path string, write bool) (*os.File, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	for {
		f, err := os.OpenFile(path, flag, 0)
		if err != nil {
			return nil, err
		}
		current, err := db.lockCurrent(ctx, f, write)
		if err == nil && current {
			err = db.checkFile(f)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		if current {
			return f, nil
		}
		f.Close()
	}
}

// lockCurrent locks f and reports whether it is still what its name leads to: Restore replaces the file.
func (db *DB) lockCurrent(ctx context.Context, f *os.File, write bool) (bool, error) {
	if err := db.queue(ctx, f, write); err != nil {
		return false, err
	}
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Stat(f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, now), err
}

// queue locks f by way of the directory, which is locked only until f is. A writer that waits for readers to leave
// keeps new ones out by that; without it, readers that overlap would keep a writer waiting for ever.
func (db *DB) queue(ctx context.Context, f *os.File, write bool) error {
	dir, err := os.Open(db.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := flock(ctx, dir, write); err != nil {
		return err
	}
	return flock(ctx, f, write)
}

// close undoes the transaction, if it is not committed, and closes the file.
func (s *session) close() {
	if s.tx != nil {
		_ = s.tx.Rollback() // the only error is that it was closed
		s.tx = nil
	}
	if s.bolt != nil {
		_ = s.bolt.Close() // everything durable was synced by Commit
		s.bolt = nil
	}
	s.file = nil
}

// abandon gives up the file after a panic in bbolt. Its locks in memory may be held for ever, so neither Rollback nor
// Close may run: closing the descriptor drops the file's lock, and the map is left to the process.
func (s *session) abandon() {
	if s.file != nil {
		_ = s.file.Close()
	}
	*s = session{}
}

// fromDamage reports whether a panic comes from reading a bad file: a fault at an address, or any panic that started in
// bbolt, which asserts what a sound file guarantees. It must be called by the function that recovered.
func fromDamage(p any) bool {
	if _, ok := p.(interface{ Addr() uintptr }); ok {
		return true
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		if inRuntime := strings.HasPrefix(frame.Function, "runtime."); inRuntime {
			panicking = panicking || frame.Function == "runtime.gopanic"
		} else if panicking {
			return strings.HasPrefix(frame.Function, "go.etcd.io/bbolt")
		}
		if !more {
			return false
		}
	}
}
