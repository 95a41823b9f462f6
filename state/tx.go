package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// Tx is one transaction: all that it reads is of one moment, all that it writes comes at once or not at all. It is
// valid until the function it was given to returns, and for one goroutine.
type Tx struct {
	b     *bbolt.Tx // nil: there is no state yet, and everything is empty
	write bool
	dirty bool
	now   func() time.Time
}

// View runs fn on the state as it is now. It waits for a writer, at most Options.Wait. The error is fn's, or one of
// ErrCorrupt, ErrNewer, ErrOlder, ErrBusy and those of the file system.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, db.o.Wait, errWait)
	defer cancel()
	if err := db.enter(ctx, 1); err != nil {
		return err
	}
	defer db.gate.Release(1)
	return db.transact(ctx, false, fn)
}

// Update runs fn and makes what it wrote durable before it returns nil; with an error nothing of it is kept. It creates
// the state where there is none, and brings an older format up to date after a backup. The error is as for View, or one
// that artifact.IsSpace is true of: the disk is full.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if db.o.ReadOnly {
		return fmt.Errorf("update %s: %w", db.dir, ErrReadOnly)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, db.o.Wait, errWait)
	defer cancel()
	if err := db.enter(ctx, allOfGate); err != nil {
		return err
	}
	defer db.gate.Release(allOfGate)
	if err := db.ensure(ctx); err != nil {
		return err
	}
	ran := false
	once := func(tx *Tx) error { ran = true; return fn(tx) }
	err := db.transact(ctx, true, once)
	if old := (*olderError)(nil); !ran && errors.As(err, &old) {
		if err := db.migrate(ctx, old.have); err != nil {
			return err
		}
		err = db.transact(ctx, true, once)
	}
	return err
}

// at fills a record's time. Times are kept in UTC, so that one moment has one spelling.
func (tx *Tx) at(t time.Time) time.Time {
	if t.IsZero() && tx.now != nil { // nil: tx only reads, and put will say so
		t = tx.now()
	}
	return t.UTC()
}

// utc is at for a time that may stay unset.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// bucket returns a bucket, or nil where it is not there.
func (tx *Tx) bucket(path ...string) *bbolt.Bucket {
	if tx.b == nil {
		return nil
	}
	b := tx.b.Bucket([]byte(path[0]))
	for _, name := range path[1:] {
		if b == nil {
			return nil
		}
		b = b.Bucket([]byte(name))
	}
	return b
}

// make returns a bucket and makes what of its path is not there.
func (tx *Tx) make(path ...string) (*bbolt.Bucket, error) {
	if !tx.write {
		return nil, ErrReadOnly
	}
	b, err := tx.b.CreateBucketIfNotExists([]byte(path[0]))
	for _, name := range path[1:] {
		if err != nil {
			break
		}
		b, err = b.CreateBucketIfNotExists([]byte(name))
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", strings.Join(path, "/"), err)
	}
	return b, nil
}

// get reads a record; false: there is none.
func get[T any](tx *Tx, key []byte, path ...string) (T, bool, error) {
	var none T
	b := tx.bucket(path...)
	if b == nil || len(key) == 0 {
		return none, false, nil
	}
	raw := b.Get(key)
	if raw == nil {
		return none, false, nil
	}
	record, err := decode[T](raw)
	if err != nil {
		return none, false, damagedRecord(path, key, err)
	}
	return record, true, nil
}

// put writes a record. Writing what is there already changes nothing, not even the serial.
func put(tx *Tx, record any, key []byte, path ...string) error {
	raw, err := encode(record)
	if err != nil {
		return fmt.Errorf("%s: %w", place(path, key), err)
	}
	return tx.putRaw(raw, key, path...)
}

func (tx *Tx) putRaw(raw, key []byte, path ...string) error {
	b, err := tx.make(path...)
	if err != nil {
		return fmt.Errorf("%s: %w", place(path, key), err)
	}
	if bytes.Equal(b.Get(key), raw) {
		return nil
	}
	if err := b.Put(key, raw); err != nil {
		return fmt.Errorf("%s: %w: %w", place(path, key), ErrInvalid, err)
	}
	tx.dirty = true
	return nil
}

// del removes a record, if it is there, and the bucket that held it if that is empty now and not a top-level one.
func (tx *Tx) del(key []byte, path ...string) error {
	if !tx.write {
		return fmt.Errorf("%s: %w", place(path, key), ErrReadOnly)
	}
	b := tx.bucket(path...)
	if b == nil || len(key) == 0 || b.Get(key) == nil {
		return nil
	}
	if err := b.Delete(key); err != nil {
		return fmt.Errorf("%s: %w", place(path, key), err)
	}
	tx.dirty = true
	if first, _ := b.Cursor().First(); first != nil || len(path) < 2 {
		return nil
	}
	parent := tx.bucket(path[:len(path)-1]...)
	return parent.DeleteBucket([]byte(path[len(path)-1]))
}

// each gives the records of a bucket in the order of their keys. The loop may write to the bucket: a writing
// transaction reads all of it first.
func each[T any](tx *Tx, path ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		b := tx.bucket(path...)
		if b == nil {
			return
		}
		give := func(key, raw []byte) bool {
			record, err := decode[T](raw)
			if err != nil {
				err = damagedRecord(path, key, err)
			}
			return yield(record, err)
		}
		if !tx.write {
			c := b.Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				if v != nil && !give(k, v) {
					return
				}
			}
			return
		}
		var all [][2][]byte
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if v != nil {
				all = append(all, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
			}
		}
		for _, kv := range all {
			if !give(kv[0], kv[1]) {
				return
			}
		}
	}
}

// collect is each as a slice.
func collect[T any](tx *Tx, path ...string) ([]T, error) {
	var all []T
	for record, err := range each[T](tx, path...) {
		if err != nil {
			return nil, err
		}
		all = append(all, record)
	}
	return all, nil
}

// names lists the buckets in a bucket, or with values the keys that have one.
func (tx *Tx) names(values bool, path ...string) []string {
	b := tx.bucket(path...)
	if b == nil {
		return nil
	}
	var all []string
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if (v != nil) == values {
			all = append(all, string(k))
		}
	}
	return all
}

// last gives the highest number in a bucket keyed by u64; 0: the bucket is empty.
func (tx *Tx) last(path ...string) (uint64, error) {
	b := tx.bucket(path...)
	if b == nil {
		return 0, nil
	}
	k, _ := b.Cursor().Last()
	if k == nil {
		return 0, nil
	}
	n, ok := fromU64(k)
	if !ok {
		return 0, damagedRecord(path, k, fmt.Errorf("key is not a number"))
	}
	return n, nil
}

func damagedRecord(path []string, key []byte, err error) error {
	return fmt.Errorf("%w: record %s: %w", ErrCorrupt, place(path, key), err)
}

// place spells a key's path for people.
func place(path []string, key []byte) string { return strings.Join(path, "/") + "/" + keyText(key) }
