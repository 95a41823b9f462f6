package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// encode gives the canonical JSON of a record: fields in the order of the struct, keys of maps sorted, no white space,
// no escaping for HTML. What a caller gives as raw JSON keeps the order of its keys. NaN and infinities are refused.
func encode(record any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads a record and fails for a field that the record does not have and for anything after it.
func decode[T any](b []byte) (T, error) {
	var record T
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&record); err != nil {
		return record, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return record, fmt.Errorf("data after the record")
	}
	return record, nil
}
