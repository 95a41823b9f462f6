package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestProtocolDocumented: the page of the contract names every service, call and message of the protocol.
func TestProtocolDocumented(t *testing.T) {
	t.Parallel()
	proto := loopRead(t, filepath.Join("..", "..", "plugins", "proto", "jupiter", "plugin", "v1", "plugin.proto"))
	page := loopRead(t, filepath.Join("..", "..", "docs", "plugin-protocol.md"))
	found := regexp.MustCompile(`(?m)^ *(service|rpc|message) (\w+)`).FindAllStringSubmatch(proto, -1)
	if len(found) < 80 {
		t.Fatalf("the protocol has %d services, calls and messages: this test reads it wrongly", len(found))
	}
	for _, f := range found {
		if !strings.Contains(page, "`"+f[2]+"`") {
			t.Errorf("docs/plugin-protocol.md says nothing of %s %s", f[1], f[2])
		}
	}
}
