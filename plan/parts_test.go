package plan

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPartsJSON: every byte is what encoding/json writes, so identities of states that were written with it stand.
func TestPartsJSON(t *testing.T) {
	t.Parallel()
	parts := map[string]string{"": "", "kind": "filter", "config.rules": `["a","b\\c"]`, "prompt": "a <b> & {c}\n\té\u2028\xff\x00\x7f", "b": strings.Repeat("x", 300), "é\"": "1"}
	for c := range 256 {
		parts["byte"+string(rune(c))] = string([]byte{'a', byte(c), 'b'})
	}
	for _, p := range []map[string]string{{}, {"a": "b"}, parts} {
		want, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := partsJSON(p); string(got) != string(want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
