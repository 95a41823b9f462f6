package lang

import (
	"errors"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// ErrHugeNumber is what is wrong with a number that HugeNumber finds.
var ErrHugeNumber = errors.New("a number is finite and has an exponent of at most four digits")

// huge matches the end of a number whose digits, written out, would fill the memory: 1e99999999.
var huge = regexp.MustCompile(`[0-9][eE][-+]?0*[1-9][0-9]{4,}`)

// HugeText says whether the text of a number has an exponent that is out of all bounds.
func HugeText(number string) bool { return huge.MatchString(number) }

// HugeValue says whether v holds a number beyond such exponents, as a text that was converted may, or an infinite one, as 1/0
// is.
func HugeValue(v cty.Value) bool {
	v, _ = v.UnmarkDeep()
	found := false
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if e.Type() == cty.Number && e.IsKnown() && !e.IsNull() {
			exp := e.AsBigFloat().MantExp(nil)
			found = found || e.AsBigFloat().IsInf() || exp > maxExponent || exp < -maxExponent
		}
		return !found, nil
	})
	return found
}

// maxExponent is of two, a little beyond 1e9999.
const maxExponent = 34_000

// HugeNumber finds a number in HCL source, or in a template, with such an exponent. Made into a text it would take
// minutes and gigabytes.
func HugeNumber(src []byte, template bool, file string, start hcl.Pos) (at hcl.Range, found bool) {
	if !huge.Match(src) {
		return hcl.Range{}, false
	}
	lex := hclsyntax.LexConfig
	if template {
		lex = hclsyntax.LexTemplate
	}
	tokens, _ := lex(src, file, start)
	for _, t := range tokens {
		if t.Type == hclsyntax.TokenNumberLit && huge.Match(t.Bytes) {
			return t.Range, true
		}
	}
	return hcl.Range{}, false
}
