package addr

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"trainer.llama.student", `source.web.site["blog"]`, "trainer.llama.base.select[2]", `module.a["x.y"].filter.t.f["q\"]"].mix`,
		`filter.q.f["a"]["b"]`, "größe.x-1", "a"} {
		if a, err := Parse(ok); err != nil || string(a) != ok {
			t.Errorf("Parse(%q) = %q, %v", ok, a, err)
		}
	}
	for bad, why := range map[string]string{"": "missing", "a..b": "missing", ".a": "missing", "a.": "missing", "a[": "does not end", "a[x]": "neither", `a["x]`: "does not end",
		"a[-1]": "neither", "a[01]": "neither", "a b": "follows", "1a": "missing", "a]b": "follows", `a["\x41"]`: "not spelled", "a[1]b": "follows"} {
		if a, err := Parse(bad); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("Parse(%q) = %q, %v; the error should say %q", bad, a, err, why)
		}
	}
}

func TestUnder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, base Address
		want    bool
	}{
		{"filter.q.f", "filter.q.f", true}, {"filter.q.f.mix", "filter.q.f", true}, {`filter.q.f["a"]`, "filter.q.f", true},
		{"filter.q.fine", "filter.q.f", false}, {"filter.q", "filter.q.f", false}, {"filter.q.f", Root, false}, {"module.a.x", "module.a", true},
	} {
		if got := c.a.Under(c.base); got != c.want {
			t.Errorf("%s under %s: %t", c.a, c.base, got)
		}
	}
	if got := Address(`filter.q.f["a"].mix`).Rebase("filter.q.f", "filter.q.g"); got != `filter.q.g["a"].mix` {
		t.Errorf("rebased to %s", got)
	}
	if got := Address("filter.q.fine").Rebase("filter.q.f", "filter.q.g"); got != "filter.q.fine" {
		t.Errorf("rebased to %s", got)
	}
}

// FuzzParse: what is accepted is an address that its parts give again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"trainer.llama.student", `source.web.site["blog"]`, "a.b[2]", `a["\\"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(string(a)); err != nil || again != a {
			t.Errorf("%q is accepted once: %v", s, err)
		}
		if child, err := Parse(string(a.Child("x").Instance(s).Index(3))); err != nil || !child.Under(a) {
			t.Errorf("a child of %q: %q, %v", s, child, err)
		}
	})
}
