package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// Export writes the whole state to w as indented JSON: an object for each bucket, in the order of schema.go's keys.
// Numbers that are keys or values are written in decimal. It is for people and their scripts; Backup is what Restore
// reads.
func (db *DB) Export(ctx context.Context, w io.Writer) error {
	var compact bytes.Buffer
	err := db.View(ctx, func(tx *Tx) error {
		compact.WriteByte('{')
		for i, name := range buckets() {
			if i > 0 {
				compact.WriteByte(',')
			}
			fmt.Fprintf(&compact, "%q:", name)
			if err := exportBucket(&compact, tx, name); err != nil {
				return err
			}
		}
		compact.WriteByte('}')
		return nil
	})
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, compact.Bytes(), "", "  "); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	pretty.WriteByte('\n')
	_, err = pretty.WriteTo(w)
	return err
}

func exportBucket(w *bytes.Buffer, tx *Tx, path ...string) error {
	w.WriteByte('{')
	b := tx.bucket(path...)
	if b != nil {
		c := b.Cursor()
		first := true
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !first {
				w.WriteByte(',')
			}
			first = false
			key, err := json.Marshal(keyText(k))
			if err != nil {
				return err
			}
			w.Write(key)
			w.WriteByte(':')
			if v == nil {
				if err := exportBucket(w, tx, append(path[:len(path):len(path)], string(k))...); err != nil {
					return err
				}
				continue
			}
			w.Write(valueJSON(v))
		}
	}
	w.WriteByte('}')
	return nil
}

// keyText spells a key for people: a number in decimal, text as it is, anything else in hex.
func keyText(key []byte) string {
	if n, ok := fromU64(key); ok && n < 1<<32 {
		return fmt.Sprint(n)
	}
	if utf8.Valid(key) {
		return string(key)
	}
	return fmt.Sprintf("%x", key)
}

// valueJSON gives a record as it is, and the raw values of meta and current as a number or a string.
func valueJSON(v []byte) []byte {
	if n, ok := fromU64(v); ok && v[0] == 0 {
		return fmt.Append(nil, n)
	}
	if len(v) > 0 && v[0] == '{' {
		return v
	}
	text, _ := json.Marshal(string(v)) // a string always has a JSON form
	return text
}
