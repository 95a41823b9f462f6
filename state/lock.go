package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"jupiter/state/durable"
)

// Holder is who holds the operation lock. It is for people: whether the lock is held, only the kernel says.
type Holder struct {
	Who     string    `json:"who"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// LockedError is ErrLocked: another command works on this state.
type LockedError struct {
	Dir    string
	Holder Holder // zero where the holder has not written itself down yet
}

func (e *LockedError) Error() string {
	h := e.Holder
	if h.PID == 0 {
		return fmt.Sprintf("state %s is locked by another command", e.Dir)
	}
	return fmt.Sprintf("state %s is locked: %s runs \"%s\" on %s as process %d since %s; wait for it, or use --lock-timeout",
		e.Dir, h.Who, h.Command, h.Host, h.PID, h.Since.UTC().Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// OperationLock is held for as long as a command changes the state. Transactions do not need it: readers come and go
// while an apply holds it.
type OperationLock struct {
	once sync.Once
	f    *os.File
	err  error
}

// Lock takes the operation lock of the state in dir, which it makes if need be. It waits up to wait for another
// command, or until ctx ends, and then fails with a *LockedError; with wait 0 it tries for 50 ms, so that somebody who
// just looks (LockHolder) does not make it fail. On a file system whose locks do not hold it fails with ErrUnsupported.
// The kernel drops the lock with the process.
func Lock(ctx context.Context, dir string, h Holder, wait time.Duration) (*OperationLock, error) {
	return lockOn(ctx, dir, h, wait, refuseNetwork, probe)
}

// lockOn is Lock on a file system that suits tells of before the lock is taken, and proves of the lock that was.
func lockOn(ctx context.Context, dir string, h Holder, wait time.Duration, suits, proves func(path string) error) (*OperationLock, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err := durable.Mkdir(dir); err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err := suits(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err := acquire(ctx, f, wait); err != nil {
		f.Close()
		return nil, err
	}
	if err := proves(path); err != nil {
		f.Close()
		return nil, err
	}
	if err := writeHolder(f, h); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock state: %w", err)
	}
	return &OperationLock{f: f}, nil
}

func acquire(ctx context.Context, f *os.File, wait time.Duration) error {
	bounded, cancel := context.WithTimeoutCause(ctx, max(wait, 50*time.Millisecond), errWait)
	defer cancel()
	err := flock(bounded, f, true)
	if !errors.Is(err, errWait) {
		return err
	}
	return &LockedError{Dir: filepath.Dir(f.Name()), Holder: readHolder(f)}
}

// probe proves that the lock at path, which this process holds, keeps others out: it must not be had once more.
func probe(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("lock state: %w", err)
	}
	defer f.Close()
	switch again, err := tryFlock(f, true); {
	case err != nil:
		return err
	case again:
		return unsupported(path, "it grants one lock twice")
	}
	return nil
}

func writeHolder(f *os.File, h Holder) error {
	h.Since = h.Since.UTC()
	b, err := encode(h)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

func readHolder(f *os.File) Holder {
	var h Holder
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<16))
	if err != nil || json.Unmarshal([]byte(strings.TrimSpace(string(b))), &h) != nil {
		return Holder{} // it is being written
	}
	return h
}

// Unlock gives the lock back. The file stays: removing it would let two commands lock two files of one name. A second
// call does nothing.
func (l *OperationLock) Unlock() error {
	l.once.Do(func() {
		l.err = l.f.Truncate(0)
		if err := l.f.Close(); l.err == nil {
			l.err = err
		}
	})
	return l.err
}

// LockHolder says who holds the operation lock of dir now; false: nobody.
func LockHolder(dir string) (Holder, bool, error) {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if os.IsNotExist(err) {
		return Holder{}, false, nil
	} else if err != nil {
		return Holder{}, false, fmt.Errorf("look at the lock: %w", err)
	}
	defer f.Close()
	free, err := tryFlock(f, false)
	if free || err != nil {
		return Holder{}, false, err
	}
	return readHolder(f), true, nil
}
