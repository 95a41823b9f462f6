package schema

import (
	stdjson "encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/proto/pluginv1"
)

func body(t testing.TB, src string) hcl.Body {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(src), "a.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f.Body
}

// decode decodes src and ignores what is wrong with it.
func decode(t testing.TB, s *Stage, src string) cty.Value {
	t.Helper()
	v, _ := hcldec.Decode(body(t, src), s.Spec(), nil)
	return v
}

func TestSpec(t *testing.T) {
	t.Parallel()
	s := testStage(t)
	tests := []struct {
		src  string
		want string // canonical JSON, or
		err  string
	}{
		{src: `dim = 64`, want: `{"betas":[0.9,0.95],"dim":64,"layer":{},"learning_rate":0.001,"window":[]}`},
		{src: `
dim           = "64"
learning_rate = null
betas         = [1, 2]
recipe        = { batch_size = 32, unknown = 5 }
extra         = { a = [true, "x"] }
labels        = { k = 1 }
head { size = 1 }
window { 
  size = 2
  opts = { betas = [1] }
}
window {
  size = 3
  opts = {}
}
layer "one" { size = 4 }
layer "two" { 
  size = 5 
  speed = 9
}
`, want: `{"betas":[1,2],"dim":64,"extra":{"a":[true,"x"]},"head":{"size":1,"speed":1},"labels":{"k":"1"},"layer":{"one":{"size":4,"speed":1},"two":{"size":5,"speed":9}},"learning_rate":0.001,"recipe":{"batch_size":32},"window":[{"opts":{"betas":[1]},"size":2,"speed":1},{"opts":{},"size":3,"speed":1}]}`},
		{src: ``, err: `Missing required argument; The argument "dim" is required`},
		{src: `dim = null`, err: `Missing required argument; The argument "dim" is required, and its value is null`},
		{src: `dim = []`, err: `Incorrect attribute value type; Inappropriate value for attribute "dim": number required`},
		{src: "dim = 1\nrecipe = { betas = [[]] }", err: `attribute "betas"`},
		{src: "dim = 1\nother = 2", err: `Unsupported argument`},
		{src: "dim = 1\nwindow { }", err: `The argument "size" is required`},
		{src: "dim = 1\n" + strings.Repeat("window { size = 1 }\n", 3), err: `Too many window blocks`},
		{src: "dim = 1\nlayer { size = 1 }", err: `Missing name for layer`},
	}
	for _, tt := range tests {
		v, diags := hcldec.Decode(body(t, tt.src), s.Spec(), nil)
		if tt.err != "" {
			if !diags.HasErrors() || !strings.Contains(diags.Error(), tt.err) || diags[0].Subject == nil {
				t.Errorf("%s: %v, want %s", tt.src, diags, tt.err)
			}
			continue
		}
		if diags.HasErrors() {
			t.Errorf("%s: %v", tt.src, diags)
			continue
		}
		got, err := CanonicalJSON(v)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.src, diff)
		}
	}
}

func TestCanonicalJSON(t *testing.T) {
	t.Parallel()
	num := cty.MustParseNumberVal
	third, _, _ := big.ParseFloat("0.25", 10, 24, big.ToNearestEven)
	tests := []struct {
		v    cty.Value
		want string
	}{
		{num("18446744073709551615"), "18446744073709551615"},
		{num("0.1"), "0.1"},
		{cty.NumberFloatVal(0.1), "0.1"},
		{cty.NumberVal(third), "0.25"},
		{num("-0"), "0"},
		{num("1e3"), "1000"},
		{num("100000000000000000000"), "100000000000000000000"},
		{num("1e21"), "1e+21"},
		{num("1e400"), "1e+400"},
		{num("0.000001"), "0.000001"},
		{num("0.00000012"), "1.2e-07"},
		{num("3.14159265358979323846264338327950288"), "3.14159265358979323846264338327950288"},
		{num("4800").Multiply(num("3")), "14400"},
		{cty.StringVal("<a> \"b\" \\ \n é"), `"<a> \"b\" \\ \n é"`},
		{cty.True, "true"},
		{cty.NullVal(cty.String), "null"},
		{cty.EmptyTupleVal, "[]"},
		{cty.EmptyObjectVal, "{}"},
		{cty.SetVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a")}), `["a","b"]`},
		{cty.ObjectVal(map[string]cty.Value{"b": cty.Zero, "a": cty.NullVal(cty.Number), "B": cty.True}), `{"B":true,"b":0}`},
		{cty.MapVal(map[string]cty.Value{"b": cty.Zero, "a": cty.NullVal(cty.Number)}), `{"a":null,"b":0}`},
		{cty.TupleVal([]cty.Value{cty.NullVal(cty.Number), cty.StringVal("x")}), `[null,"x"]`},
	}
	for _, tt := range tests {
		if got, err := CanonicalJSON(tt.v); err != nil || string(got) != tt.want {
			t.Errorf("%#v: %s, %v, want %s", tt.v, got, err, tt.want)
		}
	}
	for want, v := range map[string]cty.Value{
		"a: the value is not known yet": cty.ObjectVal(map[string]cty.Value{"a": cty.UnknownVal(cty.String)}),
		"a: the value is marked":        cty.ObjectVal(map[string]cty.Value{"a": cty.NullVal(cty.String).Mark(1)}),
		"the number is infinite":        cty.PositiveInfinity,
		"too large or too small":        num("1e2000"),
		"large or too small":            num("1e-2000"),
		"there is no value":             cty.NilVal,
		"has no JSON form":              cty.CapsuleVal(cty.Capsule("c", reflect.TypeFor[int]()), new(int)),
	} {
		if got, err := CanonicalJSON(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

const rangeSource = `dim = 64
recipe = {
  batch_size = 32
  "betas" = [1, x]
}
list = [{ a = 1 }, { a = 2 }]
through = local.recipe
window {
  size = 1
}
window {
  size = 2
}
layer "two" {
  opts = { a = 1 }
}
`

func TestRangeOf(t *testing.T) {
	t.Parallel()
	native := body(t, rangeSource)
	p := func(steps ...any) (path cty.Path) {
		for _, s := range steps {
			switch s := s.(type) {
			case string:
				path = path.GetAttr(s)
			case int:
				path = path.IndexInt(s)
			}
		}
		return path
	}
	for _, tt := range []struct {
		path cty.Path
		want string // the source there, without what follows the first line
	}{
		{p("dim"), "dim = 64"},
		{p("dim", "deeper"), "64"},
		{p("recipe"), "recipe = {"},
		{p("recipe", "batch_size"), "32"},
		{p("recipe", "betas", 1), "x"},
		{p("recipe", "betas", 7), "[1, x]"},
		{p("recipe", "none"), "{"},
		{p("list", 1, "a"), "2"},
		{p("list", -1), "[{ a = 1 }, { a = 2 }]"},
		{p("through", "batch_size"), "local.recipe"},
		{p("window"), "window"},
		{p("window", 1, "size"), "size = 2"},
		{p("window", 9, "size"), "size = 1"},
		{p("layer", "two", "opts", "a"), "1"},
		{cty.GetAttrPath("layer").IndexString("two").GetAttr("opts"), "opts = { a = 1 }"},
		{p("layer", "two"), `layer "two"`},
	} {
		r := RangeOf(native, tt.path)
		got, _, _ := strings.Cut(string(r.SliceBytes([]byte(rangeSource))), "\n")
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.path, got, tt.want)
		}
	}
	missing := native.MissingItemRange()
	for _, path := range []cty.Path{nil, p("absent"), p("absent", "a"), p(3), {cty.IndexStep{Key: cty.NullVal(cty.String)}}} {
		if r := RangeOf(native, path); r != missing {
			t.Errorf("%v: %v, want %v", path, r, missing)
		}
	}
	// The JSON syntax is another hcl.Body; what is found in it shows that nothing depends on the native one.
	f, diags := json.Parse([]byte(`{"recipe": {"betas": [1, 22]}}`), "a.json")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if r := RangeOf(f.Body, p("recipe", "betas", 1)); r.Filename != "a.json" || r.Start.Column != 26 || r.End.Column != 28 {
		t.Errorf("in JSON: %v", r)
	}
}

func TestDiagnostic(t *testing.T) {
	t.Parallel()
	step := func(s string) *pluginv1.PathStep { return &pluginv1.PathStep{Step: &pluginv1.PathStep_Name{Name: s}} }
	d := DiagnosticFromProto(&pluginv1.Diagnostic{
		Severity: pluginv1.Diagnostic_SEVERITY_WARNING, Summary: " Odd\x1b[0m value ", Detail: strings.Repeat("é", 5000),
		Attribute: []*pluginv1.PathStep{step("recipe"), {Step: &pluginv1.PathStep_Key{Key: "betas"}}, {Step: &pluginv1.PathStep_Index{Index: 1}}, {}},
	})
	want := Diagnostic{
		Severity: hcl.DiagWarning, Summary: "Odd [0m value", Detail: strings.Repeat("é", 4000) + "…",
		Path: cty.GetAttrPath("recipe").IndexString("betas").IndexInt(1),
	}
	if diff := cmp.Diff(want, d, ctyEqual); diff != "" {
		t.Errorf("diagnostic (-want +got):\n%s", diff)
	}
	h := d.HCL(body(t, rangeSource))
	if h.Severity != hcl.DiagWarning || h.Subject.Start.Line != 4 || h.Subject.Start.Column != 17 {
		t.Errorf("as HCL: %+v at %v", h, h.Subject)
	}
	if d := DiagnosticFromProto(&pluginv1.Diagnostic{}); d.Severity != hcl.DiagError || d.Summary == "" {
		t.Errorf("empty: %+v", d)
	}
}

// TestFewer: of much that a plugin says enough is shown, and no error is lost among warnings.
func TestFewer(t *testing.T) {
	t.Parallel()
	var said []Diagnostic
	for range 1000 {
		said = append(said, Diagnostic{Severity: hcl.DiagWarning, Summary: "hm"})
	}
	said = append(said, Diagnostic{Severity: hcl.DiagError, Summary: "no"})
	got := Fewer("acme", said)
	if len(got) != maxSaid+2 || got[maxSaid].Summary != "no" || got[maxSaid+1].Detail != "Plugin acme says 950 more of this kind about this block." {
		t.Errorf("%d diagnostics, at last %+v", len(got), got[len(got)-2:])
	}
	if got := Fewer("acme", said[:maxSaid]); len(got) != maxSaid {
		t.Errorf("%d of %d are left", len(got), maxSaid)
	}
}

// TestWholeNumbers: the short way for whole numbers writes what big.Float writes, on both sides of where a number's
// neighbours are more than 1 away, and strings that need no escapes are what encoding/json makes of them.
func TestWholeNumbers(t *testing.T) {
	t.Parallel()
	for _, prec := range []uint{1, 24, 53, 64, 512} {
		for shift := range uint(70) {
			for _, off := range []int64{-3, -1, 0, 1, 5} {
				n := new(big.Float).SetPrec(prec).SetInt(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), shift), big.NewInt(off)))
				if n.Sign() == 0 {
					continue
				}
				for _, n := range []*big.Float{n, new(big.Float).Neg(n)} {
					got, err := CanonicalJSON(cty.NumberVal(n))
					if want := n.Text('f', -1); err != nil || string(got) != want {
						t.Errorf("%s at %d bits is written %s, %v", want, prec, got, err)
					}
				}
			}
		}
	}
	for _, s := range []string{"", "plain ~", "a\"b", "a\\b", "<&>", "\x00", "\x1f", "\x7f", "é", "\u2028", "\xff"} {
		var want strings.Builder
		e := stdjson.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		if err := quote(&got, s); err != nil || got.String()+"\n" != want.String() {
			t.Errorf("%q is written %s, want %s", s, got.String(), want.String())
		}
	}
}
