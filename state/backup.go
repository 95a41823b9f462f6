package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"jupiter/state/durable"
)

const backupsKept = 5

func (db *DB) backupDir() string { return filepath.Join(db.dir, "backups") }

// Backup writes a copy of the state as it is now to path, which must not exist. It holds records only: artifacts stay
// where they are, and what a later gc removes is missing after Restore.
func (db *DB) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("back up state: %s exists", path)
	}
	if ok, err := db.Exists(); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("back up state: there is none in %s", db.dir)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, db.o.Wait, errWait)
	defer cancel()
	if err := db.enter(ctx, 1); err != nil {
		return err
	}
	defer db.gate.Release(1)
	return db.copyTo(ctx, path)
}

// BackupByHand is Backup to a file of its own below backups, which prune leaves alone. It returns the path.
func (db *DB) BackupByHand(ctx context.Context) (string, error) {
	if ok, err := db.Exists(); err != nil {
		return "", err
	} else if !ok {
		return "", fmt.Errorf("back up state: there is none in %s", db.dir)
	}
	if err := durable.Mkdir(db.backupDir()); err != nil {
		return "", fmt.Errorf("back up state: %w", err)
	}
	path, err := db.freeName("manual")
	if err != nil {
		return "", fmt.Errorf("back up state: %w", err)
	}
	return path, db.Backup(ctx, path)
}

// BackupBeforeApply keeps a copy of the state below backups, and of those the last five. It returns the path of the
// copy; "" where there is no state yet.
func (db *DB) BackupBeforeApply(ctx context.Context) (string, error) {
	if db.o.ReadOnly {
		return "", fmt.Errorf("back up %s: %w", db.dir, ErrReadOnly)
	}
	if ok, err := db.Exists(); !ok || err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, db.o.Wait, errWait)
	defer cancel()
	if err := db.enter(ctx, 1); err != nil {
		return "", err
	}
	defer db.gate.Release(1)
	return db.backupNow(ctx)
}

// backupNow is BackupBeforeApply for a caller that has its turn.
func (db *DB) backupNow(ctx context.Context) (string, error) {
	if err := durable.Mkdir(db.backupDir()); err != nil {
		return "", err
	}
	path, err := db.freeName("state")
	if err != nil {
		return "", err
	}
	if err := db.copyTo(ctx, path); err != nil {
		return "", err
	}
	return path, db.prune(path)
}

// freeName gives a name below backups that sorts by time and is not taken.
func (db *DB) freeName(what string) (string, error) {
	stamp := db.o.Clock().UTC().Format("20060102T150405.000000000Z")
	for i := range 1000 {
		path := filepath.Join(db.backupDir(), fmt.Sprintf("%s-%s-%03d.db", what, stamp, i))
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("no free name for a backup in %s", db.backupDir())
}

// prune deletes all but the newest backups, and never keep.
func (db *DB) prune(keep string) error {
	all, err := filepath.Glob(filepath.Join(db.backupDir(), "state-*.db"))
	if err != nil {
		return err
	}
	slices.Sort(all)
	for len(all) > backupsKept {
		if all[0] != keep {
			if err := durable.Remove(all[0]); err != nil {
				return fmt.Errorf("prune backups: %w", err)
			}
		}
		all = all[1:]
	}
	return nil
}

// copyTo writes a copy of the file, whatever its format, to path: a temporary file, synced, renamed.
func (db *DB) copyTo(ctx context.Context, path string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return fmt.Errorf("back up state: %w", err)
	}
	defer os.Remove(f.Name())
	err = db.guard(func(s *session) error {
		if err := db.open(ctx, s, false); err != nil {
			return err
		}
		if s.tx, err = s.bolt.Begin(false); err != nil {
			return err
		}
		_, err = s.tx.WriteTo(f)
		return err
	})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("back up state to %s: %w", dir, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("back up state: %w", err)
	}
	db.hook("backup.rename")
	return durable.Sync(dir)
}

// Restore replaces the state by the backup at path. The caller holds the operation lock. The backup must be sound, of
// today's format, and of the same lineage as the state that it replaces, unless that cannot be read. The serial goes
// on from the higher of both, so that no plan made before fits by accident. What is replaced is kept below backups and
// its path returned; "" where there was none. Artifacts that were removed since the backup stay removed: Check names
// them.
func (db *DB) Restore(ctx context.Context, path string) (replaced string, err error) {
	if db.o.ReadOnly {
		return "", fmt.Errorf("restore %s: %w", db.dir, ErrReadOnly)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, db.o.Wait, errWait)
	defer cancel()
	if err := db.enter(ctx, allOfGate); err != nil {
		return "", err
	}
	defer db.gate.Release(allOfGate)
	if err := durable.Mkdir(db.backupDir()); err != nil {
		return "", fmt.Errorf("restore state: %w", err)
	}
	serial, lineage, err := db.identity(ctx)
	if err != nil {
		return "", fmt.Errorf("restore state: %w", err)
	}
	temp, err := db.prepareRestore(ctx, path, lineage, serial)
	if temp != "" {
		defer os.Remove(temp)
	}
	if err != nil {
		return "", fmt.Errorf("restore state from %s: %w", path, db.explain(err))
	}
	if replaced, err = db.setAside(); err != nil {
		return "", fmt.Errorf("restore state: %w", err)
	}
	if err := os.Rename(temp, db.Path()); err != nil {
		return replaced, fmt.Errorf("restore state: %w", err)
	}
	return replaced, durable.Sync(db.dir)
}

// identity reads serial and lineage; zero for a state that is not there or cannot be read.
func (db *DB) identity(ctx context.Context) (serial uint64, lineage string, err error) {
	err = db.transact(ctx, false, func(tx *Tx) error {
		serial, lineage = tx.Serial(), tx.Lineage()
		return nil
	})
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrOlder) {
		return 0, "", nil
	}
	return serial, lineage, err
}

// prepareRestore copies the backup beside the state, checks it and raises its serial.
func (db *DB) prepareRestore(ctx context.Context, path, lineage string, serial uint64) (temp string, err error) {
	src, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer src.Close()
	if temp, err = db.temp(); err != nil {
		return "", err
	}
	dst, err := os.OpenFile(temp, os.O_WRONLY, 0)
	if err != nil {
		return temp, err
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Close()); err != nil {
		return temp, err
	}
	// temp is a state like any other, in a DB whose file has that name.
	copied := &DB{dir: db.dir, file: filepath.Base(temp), o: db.o, hook: func(string) {}, format: db.format}
	return temp, copied.transact(ctx, true, func(tx *Tx) error {
		if lineage != "" && tx.Lineage() != lineage {
			return fmt.Errorf("it is of lineage %s, the state of %s", tx.Lineage(), lineage)
		}
		tx.dirty = true
		return tx.putRaw(u64(max(tx.Serial(), serial)), []byte(kSerial), bMeta)
	})
}

// setAside gives the file that Restore replaces a second name below backups. It is not written to, however damaged.
func (db *DB) setAside() (string, error) {
	if ok, err := db.Exists(); !ok || err != nil {
		return "", err
	}
	path, err := db.freeName("replaced")
	if err != nil {
		return "", err
	}
	if err := os.Link(db.Path(), path); err != nil {
		return "", err
	}
	return path, durable.Sync(db.backupDir())
}
