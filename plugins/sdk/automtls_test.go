package sdk

import (
	"strings"
	"testing"
)

// A certificate goes into its place in the handshake; a handshake of another form is not handed over.
func TestPassHandshake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, want string }{
		{"1|1|unix|/tmp/s|grpc|\n", "1|1|unix|/tmp/s|grpc|Y2VydA\n"},
		{"1|1|unix|/tmp/s|grpc||true\n", "1|1|unix|/tmp/s|grpc|Y2VydA|true\n"},
		{"1|1|unix|/tmp/s|grpc|another\n", ""},
		{"1|1|unix|/tmp/s|grpc\n", ""},
		{"1|1|unix", ""},
	} {
		var out strings.Builder
		err := passHandshake(strings.NewReader(tt.line), &out, []byte("cert"))
		if out.String() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %q, %v, want %q", tt.line, out.String(), err, tt.want)
		}
	}
}

// Without a host's certificate there is nothing to make one for, and with one that cannot be read nothing is served.
func TestCertified(t *testing.T) {
	t.Parallel()
	if config, err := certified("", nil); config != nil || err != nil {
		t.Errorf("%v", err)
	}
	if _, err := certified("nonsense", nil); err == nil || !strings.Contains(err.Error(), "certificate of the host") {
		t.Errorf("%v", err)
	}
}
