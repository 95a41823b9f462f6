package state

import (
	"fmt"
	"io"
	"strconv"
)

// Lineage returns the UUID that was made with the state; "" where there is none. A saved plan names it, so that it is
// not applied to another state.
func (tx *Tx) Lineage() string {
	b := tx.bucket(bMeta)
	if b == nil {
		return ""
	}
	return string(b.Get([]byte(kLineage)))
}

// Serial counts the transactions that changed the state; 0 where there is none. Within an Update it is the number
// before it. A saved plan names it, so that it is refused once the state has moved.
func (tx *Tx) Serial() uint64 {
	b := tx.bucket(bMeta)
	if b == nil {
		return 0
	}
	n, _ := fromU64(b.Get([]byte(kSerial))) // checkFormat saw that it is a number
	return n
}

// Format returns the number of the file's format; 0 where there is none.
func (tx *Tx) Format() uint64 {
	n, _ := tx.readFormat()
	return n
}

func (tx *Tx) readFormat() (uint64, error) {
	b := tx.bucket(bMeta)
	if b == nil {
		return 0, fmt.Errorf("it has no bucket %s", bMeta)
	}
	n, err := strconv.ParseUint(string(b.Get([]byte(kFormat))), 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("its format is %q", b.Get([]byte(kFormat)))
	}
	return n, nil
}

// checkFormat fails with ErrNewer or *olderError for a format other than want, and with ErrCorrupt for a file that is no
// state. Of a newer format nothing but the format is read.
func (tx *Tx) checkFormat(want uint64) error {
	have, err := tx.readFormat()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case have > want:
		return fmt.Errorf("%w: its format is %d, this version knows formats up to %d", ErrNewer, have, want)
	case have < want:
		return &olderError{have: have, want: want}
	}
	for _, name := range buckets() {
		if tx.bucket(name) == nil {
			return fmt.Errorf("%w: it has no bucket %s", ErrCorrupt, name)
		}
	}
	if _, ok := fromU64(tx.bucket(bMeta).Get([]byte(kSerial))); !ok {
		return fmt.Errorf("%w: it has no serial", ErrCorrupt)
	}
	return nil
}

// olderError is ErrOlder; fn of the transaction has not run.
type olderError struct{ have, want uint64 }

func (e *olderError) Error() string {
	return fmt.Sprintf("%v (format %d, now %d)", ErrOlder, e.have, e.want)
}

func (e *olderError) Is(target error) bool { return target == ErrOlder }

func (tx *Tx) raiseSerial() error {
	return tx.putRaw(u64(tx.Serial()+1), []byte(kSerial), bMeta)
}

// found writes what a new state begins with.
func (tx *Tx) found(format uint64, random io.Reader) error {
	lineage, err := newUUID(random)
	if err != nil {
		return err
	}
	for _, name := range buckets() {
		if _, err := tx.make(name); err != nil {
			return err
		}
	}
	for _, kv := range []struct {
		key   string
		value []byte
	}{
		{kFormat, strconv.AppendUint(nil, format, 10)},
		{kLineage, []byte(lineage)},
		{kSerial, u64(0)},
	} {
		if err := tx.putRaw(kv.value, []byte(kv.key), bMeta); err != nil {
			return err
		}
	}
	return nil
}

// newUUID gives a random UUID, version 4 of RFC 9562.
func newUUID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("make a lineage: %w", err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
