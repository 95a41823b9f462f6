package artifact

import (
	"errors"
	"fmt"
	"syscall"
)

// SpaceError says that the file system of the store, or the user's share of it, is full. What was being stored left
// nothing behind; what was stored before is intact.
type SpaceError struct {
	Dir string
	Err error
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("no space left for artifacts in %s: nothing of this one was kept, all earlier ones are intact; "+
		"free space there and run the same command again (%v)", e.Dir, e.Err)
}

func (e *SpaceError) Unwrap() error { return e.Err }

// IsSpace reports whether err comes from a full disk, a quota or a limit on file sizes.
func IsSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func (s *Store) explain(err error) error {
	var already *SpaceError
	if !IsSpace(err) || errors.As(err, &already) {
		return err
	}
	return &SpaceError{Dir: s.dir, Err: err}
}
