package state

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

// FuzzRecords decodes anything as each record: no crash; what is accepted as canonical encodes to itself, and what is
// accepted at all is canonical after one more turn.
func FuzzRecords(f *testing.F) {
	look := uint64(1)
	for _, record := range []any{
		ActionRecord{ID: "a", Parts: map[string]string{"seed": "1"}, Outputs: map[string]Output{"o": {Digest: "d"}}, Began: noon},
		Partial{Lineage: "l", Cursor: []byte{1}, Shards: []string{"d"}, At: noon},
		Generator{Version: 1, Base: true, CreatedAt: noon}, Artifact{Digest: "d", At: noon},
		Decision{Epoch: 1, Look: &look, Resolution: &Resolution{Approved: true}, Evidence: json.RawMessage(`{"b":[1]}`)},
		Seal{Domain: "d", Splits: map[string]Split{"gate": {}}, SpentAt: noon}, Run{ID: "r", Ended: noon},
	} {
		raw, err := encode(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, raw := range []string{`{}`, `{"id":1}`, `{"later":1}`, `{} {}`, `[`, ``, `null`, `{"ID":"x","id":"y"}`, "{\"id\":\"\xff\"}"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := slices.Clone(raw)
		checks := canonical()
		for _, bucket := range sorted(checks) {
			_ = checks[bucket](raw)
		}
		twice[ActionRecord](t, raw)
		twice[Partial](t, raw)
		twice[Generator](t, raw)
		twice[Decision](t, raw)
		twice[Seal](t, raw)
		if !bytes.Equal(before, raw) {
			t.Error("decoding changed its input")
		}
	})
}

func twice[T any](t *testing.T, raw []byte) {
	t.Helper()
	record, err := decode[T](raw)
	if err != nil {
		return
	}
	once, err := encode(record)
	if err != nil {
		return // a time or a number that JSON reads and does not write
	}
	if err := isCanonical[T](once); err != nil {
		t.Errorf("%q encodes to %q, which is not canonical: %v", raw, once, err)
	}
}

// FuzzFile reads anything as a state file.
func FuzzFile(f *testing.F) {
	f.Add([]byte("no state"))
	f.Add(make([]byte, 4096))
	f.Fuzz(func(t *testing.T, content []byte) {
		r := bytes.NewReader(content)
		l, err := readLayout(r, int64(len(content)))
		if err == nil {
			_ = walkPages(r, l)
		}
	})
}
