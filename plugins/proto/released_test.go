// Package proto has the plugin protocol: the definition that is in work, and below released each version of it that a
// program was shipped with. A released file is never edited: plugins are out there that were made from it.
package proto

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// released has the SHA-256 of each released file. A new release adds a line; no line is ever changed.
var released = map[string]string{
	"released/1.0/jupiter/plugin/v1/plugin.proto": "a8282930998e521aaef58ee149daac10dfa03497ff89b6f2872d28146f8ea245",
}

func TestReleasedFilesAreNeverEdited(t *testing.T) {
	t.Parallel()
	for path, want := range released {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s was edited: its SHA-256 is %x. A change of the protocol belongs into jupiter/plugin/v1/plugin.proto, and into a new release", path, sum)
		}
	}
	files, err := filepath.Glob("released/*/jupiter/plugin/*/*.proto")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if released[f] == "" {
			t.Errorf("%s has no SHA-256 in this test", f)
		}
	}
	if len(files) != len(released) {
		t.Errorf("%d released files, and %d in this test", len(files), len(released))
	}
}
