package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// flock locks f for a reader or a writer. It tries again, ever less often up to every 10 ms, until ctx ends.
func flock(ctx context.Context, f *os.File, write bool) error {
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		held, err := tryFlock(f, write)
		if held || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return waited(ctx)
		case <-time.After(pause):
		}
	}
}

// tryFlock locks f if nobody holds it. The lock ends when every descriptor of this opening is closed.
func tryFlock(f *os.File, write bool) (bool, error) {
	how := syscall.LOCK_SH
	if write {
		how = syscall.LOCK_EX
	}
	for {
		switch err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOSYS),
			errors.Is(err, syscall.EINVAL):
			return false, unsupported(f.Name(), err.Error())
		default:
			return false, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
}

// unsupported says where state can be put instead.
func unsupported(path, why string) error {
	return fmt.Errorf("%w: %s (%s); state needs a local file system such as ext4, xfs, btrfs, zfs or apfs: "+
		"put it on one with state_dir in the jupiter block, or move the directory", ErrUnsupported, path, why)
}
