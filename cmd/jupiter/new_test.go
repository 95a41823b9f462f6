package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/pflag"
)

// TestNewNames: whatever a directory is called, a domain has a name.
func TestNewNames(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"handbook": "handbook", "Town Hall": "town_hall", "2026-notes": "domain_2026_notes", "...": "domain", "für-alle": "für_alle", "a${b}\"": "a_b", "日本": "日本",
	} {
		if got := identifier(base); got != want || !hclsyntax.ValidIdentifier(got) {
			t.Errorf("%q gives %q, want %q", base, got, want)
		}
	}
}

// TestNewInterrupted: who is interrupted has nothing that was not there before.
func TestNewInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := towns(filepath.Join(dir, "docs"), 90); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := chats(filepath.Join(dir, "docs", "log.jsonl"), 90); err != nil {
		t.Fatal(err)
	}
	for _, from := range beginningNames() {
		o := &newOptions{chdir: dir, from: from, language: "en", trainer: "llama", flags: pflag.NewFlagSet("new", pflag.ContinueOnError)}
		if from != "quickstart" {
			o.documents = "docs"
		}
		if err := newProject(ctx, here(), o, "deep/plan"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", from, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
