package addr

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// FuzzAddress: an address can be typed where the language takes one and names the same block and key, so two keys never
// share one; and it stands on one line.
func FuzzAddress(f *testing.F) {
	for _, key := range []string{"blog", "", "a b", `"`, `\`, "${a}", "$${a}", "%{if}", "%%{", "a\nb", "\x00", "\a", "é", "e\u0301", "\u2028", "\U0001F600", "$", "%", "]", `"]`, "\t", "$$$", "\u200b{"} {
		f.Add("web", "site", key)
	}
	f.Fuzz(func(t *testing.T, typ, name, key string) {
		key = cty.StringVal(strings.ToValidUTF8(key, "")).AsString() // what an expression can give
		if !utf8.ValidString(typ+name) || !hclsyntax.ValidIdentifier(typ) || !hclsyntax.ValidIdentifier(name) {
			return // no label; HCL's own check takes some bytes that are no text
		}
		a := Block(Module(Root, "m"), "filter", typ, name).Instance(key)
		if strings.ContainsAny(string(a), "\n\r") {
			t.Errorf("%q is more than a line", a)
		}
		_, _ = Parse(key) // whatever it says, it says it
		if again, err := Parse(string(a)); err != nil || again != a {
			t.Fatalf("Parse(%s) = %s, %v", a, again, err)
		}
		got, diags := hclsyntax.ParseTraversalAbs([]byte(a), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s cannot be typed: %v", a, diags)
		}
		want := []string{"module", "m", "filter", typ, name}
		if len(got) != len(want)+1 {
			t.Fatalf("%s has %d steps", a, len(got))
		}
		for i, step := range got[:len(want)] {
			word := got.RootName()
			if s, ok := step.(hcl.TraverseAttr); ok {
				word = s.Name
			}
			if word != want[i] {
				t.Errorf("%s: step %d is %q, want %q", a, i, word, want[i])
			}
		}
		index, ok := got[len(want)].(hcl.TraverseIndex)
		if !ok || index.Key.Type() != cty.String || index.Key.AsString() != key {
			t.Errorf("%s gives the key %#v, want %q", a, got[len(want)], key)
		}
	})
}
