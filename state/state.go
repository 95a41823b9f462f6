package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"jupiter/plan/addr"
	"jupiter/state/artifact"
)

// Options of Open. Only Clock is required, and only to write.
type Options struct {
	Clock    func() time.Time        // fills a record's time that is zero, and names backups
	Random   io.Reader               // the lineage of a new state; nil: crypto/rand
	Hook     func(step string)       // called at each of Steps; nil: not at all
	Wait     time.Duration           // bound on waiting for another transaction; 0: 30 s
	Links    map[addr.Address]string // cycle → directory of its generator links; without an entry it has none
	ReadOnly bool                    // Update fails with ErrReadOnly
}

// DB is the state in one directory. It holds no open file between transactions. It is safe for concurrent use; any
// number of DBs and processes may share a directory.
type DB struct {
	dir   string
	file  string // of the database, in dir
	o     Options
	hook  func(step string)
	store *artifact.Store

	// gate has the transactions of this process queue in memory rather than poll for the file: one for a View, all of
	// it for an Update.
	gate *semaphore.Weighted

	mu      sync.Mutex
	checked os.FileInfo // the file whose pages were checked; see pages.go

	format uint64 // Format, and migrations() with it; a test has its own
	steps  []migration
}

const allOfGate = math.MaxInt32

// Open returns the state in dir. It reads nothing: a directory without a state gives an empty one, which the first
// Update creates.
func Open(dir string, o Options) (*DB, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if o.Clock == nil && !o.ReadOnly {
		return nil, errors.New("state: Options.Clock is required to write")
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Wait == 0 {
		o.Wait = 30 * time.Second
	}
	db := &DB{
		dir: abs, file: "state.db", o: o, hook: o.Hook, gate: semaphore.NewWeighted(allOfGate),
		format: Format, steps: migrations(),
	}
	if db.hook == nil {
		db.hook = func(string) {}
	}
	db.store = artifact.New(filepath.Join(abs, "artifacts"), db.hook)
	return db, nil
}

// Dir returns the absolute directory of the state.
func (db *DB) Dir() string { return db.dir }

// Path returns the database file.
func (db *DB) Path() string { return filepath.Join(db.dir, db.file) }

// Artifacts returns the store beside the database.
func (db *DB) Artifacts() *artifact.Store { return db.store }

// Exists reports whether there is a state in the directory.
func (db *DB) Exists() (bool, error) {
	_, err := os.Lstat(db.Path())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// enter waits for the turn of a transaction of weight n.
func (db *DB) enter(ctx context.Context, n int64) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := db.gate.Acquire(ctx, n); err != nil {
		return waited(ctx)
	}
	return nil
}

// errWait is the cause of a context that Options.Wait ended.
var errWait = errors.New("waited too long for another transaction")

// waited tells a wait that was bounded by Options.Wait from one that the caller ended.
func waited(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, errWait) {
		return cause
	}
	return fmt.Errorf("%w: %w", ErrBusy, errWait)
}

// Steps are the names that Options.Hook is called with, for tests that kill the process at each. "tx.begin": the write
// transaction is open and has written nothing; "tx.commit": its function returned and the commit has not begun;
// "tx.committed": it is durable; "state.create": an empty state is visible, before the first transaction;
// "symlink.temp": a link is made under a temporary name; "symlink.rename": it is in place; "backup.rename": a backup is
// visible. The steps of artifacts are documented there.
func Steps() []string {
	return append(artifact.Steps(),
		"state.create", "tx.begin", "tx.commit", "tx.committed", "symlink.temp", "symlink.rename", "backup.rename")
}
