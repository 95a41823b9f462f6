package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The files beside the generator are what it writes today.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	for name, want := range Files() {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate in plugins/builtin/llama/kernel", name)
		}
	}
}
