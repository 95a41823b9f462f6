package contract

import "testing"

// What the messages may say is tested in plugins/host, where they come in exchanges.

func TestVersion(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"1.2.3": true, "0.0.0": true, "1.2.3-rc.1": true, "1.2.3+build.5": true, "1.2.3-rc.1+build": true,
		"": false, "1": false, "1.2": false, "v1.2.3": false, "1.2.3.4": false, "01.2.3": false, "1.2.3-": false, "1.2.3-01": false, "1.2.x": false,
		" 1.2.3": false, "1.2.3\n": false, "latest": false,
	} {
		if got := Version(s); got != want {
			t.Errorf("%q: %t, want %t", s, got, want)
		}
	}
}
