package host

import "testing"

// TestHide: what was concealed is in no text any more, the longer of two first; what is too short to be told from a word
// stays.
func TestHide(t *testing.T) {
	t.Parallel()
	h, err := New(Options{}) // starts nothing
	if err != nil {
		t.Fatal(err)
	}
	h.Conceal("sk-1234", "no", "sk-1234-5678", "")
	h.Conceal("sk-1234", "a<\"&b")
	for text, want := range map[string]string{
		"key sk-1234-5678 of sk-1234": "key (sensitive) of (sensitive)", "nothing to hide": "nothing to hide", "no": "no",
		`the key "a<\"&b" and {"key":"a\u003c\"\u0026b"} and ?k=a%3C%22%26b`: `the key "(sensitive)" and {"key":"(sensitive)"} and ?k=(sensitive)`,
	} {
		if got := h.Hide(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if got := h.hideAll([]string{"a", "sk-1234"}); got[0] != "a" || got[1] != "(sensitive)" {
		t.Errorf("lines %q", got)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}
