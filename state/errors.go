package state

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrCorrupt: the file is no state, is cut short or garbled, or holds a record that cannot be read.
	ErrCorrupt = errors.New("state is damaged")
	// ErrNewer: a newer version of Jupiter wrote the file.
	ErrNewer = errors.New("state was written by a newer version of jupiter")
	// ErrOlder: an older version wrote the file, and it was only to be read; Migrate or any Update brings it up to date.
	ErrOlder = errors.New("state has an older format; the next command that writes brings it up to date")
	// ErrBusy: another transaction held the file for longer than Options.Wait.
	ErrBusy = errors.New("state is busy")
	// ErrReadOnly: a write to a DB or Tx that only reads.
	ErrReadOnly = errors.New("state is open for reading only")
	// ErrLocked: another command holds the operation lock. Always a *LockedError.
	ErrLocked = errors.New("state is locked")
	// ErrUnsupported: the file system does not honour locks.
	ErrUnsupported = errors.New("file system does not support locks")
	// ErrNotFound: a write refers to a record that is not there.
	ErrNotFound = errors.New("no such record")
	// ErrHistory: a write would change what is append-only, or leave a gap in it.
	ErrHistory = errors.New("history is append-only")
	// ErrInvalid: a record that breaks a rule of its own.
	ErrInvalid = errors.New("invalid record")
	// ErrPinned: an artifact that something pins cannot be deleted.
	ErrPinned = errors.New("artifact is pinned")
)
