package planfile

import (
	"bytes"
	"testing"
)

// FuzzDecode reads anything as a saved plan: no crash; and what is accepted, written and read again, is written as the
// same bytes.
func FuzzDecode(f *testing.F) {
	whole, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	empty, err := Encode(File{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, []byte(nil), []byte(nil))
	f.Add(empty, []byte(nil), []byte(nil))
	f.Add([]byte("trainer {}"), []byte(nil), []byte(nil))
	// The two members by themselves, so that what is in them is varied too and not only the archive around them.
	for _, members := range [][2]string{
		{`{"format":1}`, `{}`}, {`{"format":1}`, `null`}, {`{"format":2}`, `{}`}, {`{`, `{}`}, {`{"format":1,"serial":-1}`, `{}`},
		{`{"format":1}`, `{"cycles":[null],"changes":[{"reasons":null}],"summary":{"create":1e9}}`},
	} {
		f.Add([]byte(nil), []byte(members[0]), []byte(members[1]))
	}
	f.Fuzz(func(t *testing.T, b, base, plan []byte) {
		if len(b) == 0 {
			b = archive(t, baseMember, string(base), planMember, string(plan))
		}
		got, err := Decode(b)
		if err != nil {
			return
		}
		if got.Base.Format != Format || got.Plan == nil {
			t.Fatalf("accepted %+v", got)
		}
		once, err := Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(once)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := Encode(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q becomes %q (%v)", once, twice, err)
		}
		_ = got.Base.Check(again.Base)
		got.Plan.Empty()
		got.Plan.Halted()
	})
}
