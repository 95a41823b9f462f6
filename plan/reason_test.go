package plan

import (
	"strings"
	"testing"
)

// TestBrief: two values that differ do so in what a line shows of them.
func TestBrief(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 9)
	digest := func(of string) string { return "sha256:" + strings.Repeat(of, 32) }
	for _, c := range []struct{ was, now, showWas, showNow string }{
		{"1", "2", "1", "2"},
		{"", long, "", "012345678901234567…"},
		{long + "a", long + "b", "…3456789a", "…3456789b"},
		{long, long + "ß", "…3456789", "…3456789ß"},
		{"a" + long, "b" + long, "a01234567890123456…", "b01234567890123456…"},
		{long + "a" + long, long + "b", "…3456789a012345678…", "…3456789b"},
		{digest("0a"), digest("0b"), "0a0a0a0a0a0a", "0b0b0b0b0b0b"},
	} {
		was, now := Brief(c.was, c.now, 21)
		if was != c.showWas || now != c.showNow {
			t.Errorf("%q and %q are shown as %q and %q, want %q and %q", c.was, c.now, was, now, c.showWas, c.showNow)
		}
	}
}
