package addr

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"trainer.llama.student", `source.web.site["blog"]`, "trainer.llama.base.select[2]", `module.a["x.y"].filter.t.f["q\"]"].mix`,
		`filter.q.f["a"]["b"]`, "größe.x-1", "a", string(Address("a").Instance("${b}\x01\n"))} {
		if a, err := Parse(ok); err != nil || string(a) != ok {
			t.Errorf("Parse(%q) = %q, %v", ok, a, err)
		}
	}
	for _, bad := range []string{"", "a..b", ".a", "a.", "a[", "a[x]", `a["x]`, "a[-1]", "a[01]", "a b", "1a", "a]b", `a["\u0041"]`, "a[1]b", "a[*]", "a.*", "a[1.5]",
		"a[99999999999]", " a", "a // b", strings.Repeat("a.", 40000) + "a", `a["${b}"]`} {
		if a, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %q", bad, a)
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
