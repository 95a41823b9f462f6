package schema

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
)

var ctyEqual = cmp.Options{
	cmp.Comparer(func(a, b cty.Type) bool { return a.Equals(b) }),
	cmp.Comparer(func(a, b cty.Value) bool {
		return a == cty.NilVal && b == cty.NilVal || a != cty.NilVal && b != cty.NilVal && a.RawEquals(b)
	}),
	cmp.Comparer(func(a, b cty.Path) bool { return a.Equals(b) }),
}

func attr(name, typ string, more ...func(*pluginv1.Attribute)) *pluginv1.Attribute {
	a := &pluginv1.Attribute{Name: name, Type: []byte(typ)}
	for _, f := range more {
		f(a)
	}
	return a
}

func def(json string) func(*pluginv1.Attribute) {
	return func(a *pluginv1.Attribute) { a.Default = []byte(json) }
}

func required(a *pluginv1.Attribute) { a.Required = true }

func trainerProto(attrs ...*pluginv1.Attribute) *pluginv1.Stage {
	return &pluginv1.Stage{Kind: pluginv1.Kind_KIND_TRAINER, Name: "llama", Revision: 2, Schema: &pluginv1.Schema{Attributes: attrs}}
}

const recipeType = `["object",{"batch_size":"number","betas":["list","number"]},["batch_size","betas"]]`

// testStage is a stage with everything in it.
func testStage(t testing.TB) *Stage {
	t.Helper()
	p := trainerProto(
		attr("learning_rate", `"number"`, def("0.001"), func(a *pluginv1.Attribute) { a.Description = "Peak." }),
		attr("dim", `"number"`, required),
		attr("recipe", recipeType),
		attr("betas", `["list","number"]`, def("[0.9,0.95]")),
		attr("threads", `"number"`, func(a *pluginv1.Attribute) { a.Effect = pluginv1.Effect_EFFECT_NONE }),
		attr("extra", `"dynamic"`),
		attr("labels", `["map","string"]`, func(a *pluginv1.Attribute) { a.Effect = pluginv1.Effect_EFFECT_ADVANCE }),
	)
	inner := &pluginv1.Schema{Attributes: []*pluginv1.Attribute{
		attr("size", `"number"`, required), attr("opts", recipeType), attr("speed", `"number"`, def("1"), func(a *pluginv1.Attribute) { a.Effect = pluginv1.Effect_EFFECT_NONE }),
	}}
	p.Schema.Blocks = []*pluginv1.NestedBlock{
		{Type: "window", Nesting: pluginv1.NestedBlock_NESTING_LIST, Schema: inner, MaxItems: 2},
		{Type: "head", Nesting: pluginv1.NestedBlock_NESTING_SINGLE, Schema: inner},
		{Type: "layer", Nesting: pluginv1.NestedBlock_NESTING_MAP, Schema: inner},
	}
	p.Features = []string{"bf16"}
	s, err := FromProto("llama", "1.0.0", p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFromProto(t *testing.T) {
	t.Parallel()
	s := testStage(t)
	recipe := cty.ObjectWithOptionalAttrs(map[string]cty.Type{"batch_size": cty.Number, "betas": cty.List(cty.Number)}, []string{"batch_size", "betas"})
	inner := []Attribute{
		{Name: "opts", Type: recipe},
		{Name: "size", Type: cty.Number, Required: true},
		{Name: "speed", Type: cty.Number, Default: cty.NumberIntVal(1), Effect: None},
	}
	want := &Stage{
		Plugin: "llama", Version: "1.0.0", Kind: "trainer", Type: "llama", Revision: 2, Features: []string{"bf16"},
		Attributes: []Attribute{
			{Name: "betas", Type: cty.List(cty.Number), Default: cty.ListVal([]cty.Value{cty.MustParseNumberVal("0.9"), cty.MustParseNumberVal("0.95")})},
			{Name: "dim", Type: cty.Number, Required: true},
			{Name: "extra", Type: cty.DynamicPseudoType},
			{Name: "labels", Type: cty.Map(cty.String), Effect: Advance},
			{Name: "learning_rate", Type: cty.Number, Default: cty.MustParseNumberVal("0.001"), Description: "Peak."},
			{Name: "recipe", Type: recipe},
			{Name: "threads", Type: cty.Number, Effect: None},
		},
		Blocks: []Block{
			{Type: "head", Nesting: "single", Attributes: inner},
			{Type: "layer", Nesting: "map", Attributes: inner},
			{Type: "window", Nesting: "list", MaxItems: 2, Attributes: inner},
		},
	}
	if diff := cmp.Diff(want, s, ctyEqual); diff != "" {
		t.Errorf("stage (-want +got):\n%s", diff)
	}
	for path, want := range map[string]Effect{
		"threads": None, "labels": Advance, "labels.a": Advance, "dim": Rerun, "unknown": Rerun,
		"window.speed": None, "window.size": Rerun, "window": Rerun, "window.unknown": Rerun, "unknown.speed": Rerun,
	} {
		if got := s.Effect(path); got != want {
			t.Errorf("effect of %s is %v, want %v", path, got, want)
		}
	}
}

func TestFromProtoRefuses(t *testing.T) {
	t.Parallel()
	block := func(b *pluginv1.NestedBlock) *pluginv1.Stage {
		p := trainerProto()
		p.Schema.Blocks = []*pluginv1.NestedBlock{b}
		return p
	}
	deep := &pluginv1.Schema{}
	for range maxDepth + 1 {
		deep = &pluginv1.Schema{Blocks: []*pluginv1.NestedBlock{{Type: "b", Nesting: pluginv1.NestedBlock_NESTING_SINGLE, Schema: deep}}}
	}
	var many []*pluginv1.Attribute
	for i := range maxAttributes + 1 {
		many = append(many, attr("a"+strings.Repeat("b", i%60)+string(rune('a'+i/60)), `"string"`))
	}
	for want, p := range map[string]*pluginv1.Stage{
		"of a kind that this version does not know (99)":  {Kind: 99, Name: "x"},
		"of a kind that this version does not know (0)":   {Name: "x"},
		"its name is no identifier":                       {Kind: pluginv1.Kind_KIND_FILTER, Name: "a\nb"},
		`"A" is no identifier`:                            trainerProto(attr("A", `"string"`)),
		`"a" is there twice`:                              trainerProto(attr("a", `"string"`), attr("a", `"bool"`)),
		`"max_steps" belongs to the core`:                 trainerProto(attr("max_steps", `"number"`)),
		`"for_each" belongs to the core`:                  trainerProto(attr("for_each", `"number"`)),
		`"lifecycle" belongs to the core`:                 block(&pluginv1.NestedBlock{Type: "lifecycle"}),
		`attribute "a": type: is empty`:                   trainerProto(attr("a", "")),
		`type: "strnig" is no type`:                       trainerProto(attr("a", `"strnig"`)),
		`is no type: unexpected end of JSON`:              trainerProto(attr("a", `["list","string"`)),
		`type: "[\"list\"]" is no type`:                   trainerProto(attr("a", `["list"]`)),
		`type: "[\"list\",\"string\",[]]" is no type`:     trainerProto(attr("a", `["list","string",[]]`)),
		`type: "capsule" is no type`:                      trainerProto(attr("a", `["capsule","x"]`)),
		`optional attribute "y" is not in the object`:     trainerProto(attr("a", `["object",{"x":"string"},["y"]]`)),
		`"not ok" is no identifier`:                       trainerProto(attr("a", `["object",{"not ok":"string"}]`)),
		`nested more than 8 deep`:                         trainerProto(attr("a", strings.Repeat(`["list",`, 5000)+`"string"`+strings.Repeat("]", 5000))),
		`type: 300001 bytes, at most 262144 are allowed`:  trainerProto(attr("a", strings.Repeat(" ", 300001))),
		"default: the attribute is required":              trainerProto(attr("a", `"string"`, def(`"x"`), required)),
		"default: a number is required":                   trainerProto(attr("a", `"number"`, def(`"x"`))),
		"default: invalid character":                      trainerProto(attr("a", `"number"`, def(`x`))),
		"default: the attribute takes a reference":        trainerProto(attr("a", `"string"`, def(`"x"`), func(a *pluginv1.Attribute) { a.Accepts = []string{"m"} })),
		"a description has control characters":            trainerProto(attr("a", `"string"`, func(a *pluginv1.Attribute) { a.Description = "\x1b[2J" })),
		"unknown effect 9":                                trainerProto(attr("a", `"string"`, func(a *pluginv1.Attribute) { a.Effect = 9 })),
		"more than 512 attributes and blocks":             trainerProto(many...),
		`block "b": unknown nesting 0`:                    block(&pluginv1.NestedBlock{Type: "b"}),
		`block "b": a single block is there once at most`: block(&pluginv1.NestedBlock{Type: "b", Nesting: pluginv1.NestedBlock_NESTING_SINGLE, MaxItems: 2}),
		`block "b": at least 3 and at most 2 items`:       block(&pluginv1.NestedBlock{Type: "b", Nesting: pluginv1.NestedBlock_NESTING_LIST, MinItems: 3, MaxItems: 2}),
		`"a b" is no identifier`:                          trainerProto(attr("a b", `"string"`)),
		`"a\"b" is no identifier`:                         trainerProto(attr(`a"b`, `"string"`)),
		`"a\x00b" is no identifier`:                       trainerProto(attr("a\x00b", `"string"`)),
		`"depends_on" belongs to the core`:                trainerProto(attr("depends_on", `"string"`)),
		`media types and features: "a b" is no word`:      {Kind: pluginv1.Kind_KIND_FILTER, Name: "x", Features: []string{"a b"}},
		`media types and features: "" is no word`:         {Kind: pluginv1.Kind_KIND_FILTER, Name: "x", Produces: []string{""}},
		"media types and features: 65 words":              {Kind: pluginv1.Kind_KIND_FILTER, Name: "x", Consumes: make([]string, 65)},
		`attribute "a": accepts: "\x1b[2J" is no word`:    trainerProto(attr("a", `"string"`, func(a *pluginv1.Attribute) { a.Accepts = []string{"\x1b[2J"} })),
		`schema of filter "` + strings.Repeat("n", 40):    {Kind: pluginv1.Kind_KIND_FILTER, Name: strings.Repeat("n", 1<<20)},
		`"` + strings.Repeat("N", 40) + `" is no ident`:   trainerProto(attr(strings.Repeat("N", 1<<20), `"string"`)),
		"blocks are nested more than 8 deep":              {Kind: pluginv1.Kind_KIND_TRAINER, Name: "x", Schema: deep},
	} {
		s, err := FromProto("p", "1", p)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "plugin p: ") {
			t.Errorf("%v, %v, want %s", s, err, want)
		} else if len(err.Error()) > 400 {
			t.Errorf("%d bytes say %s", len(err.Error()), want)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	if len(Kinds()) != len(pluginv1.Kind_name)-1 {
		t.Errorf("%d kinds, the protocol has %d", len(Kinds()), len(pluginv1.Kind_name)-1)
	}
	for _, k := range Kinds() {
		if name, ok := KindName(KindOf(k)); name != k || !ok {
			t.Errorf("%s comes back as %s, %v", k, name, ok)
		}
	}
	if k := KindOf("unspecified"); k != pluginv1.Kind_KIND_UNSPECIFIED {
		t.Errorf("unspecified is %v", k)
	}
}

// Whatever a plugin sends, reading it ends, and what is accepted can be turned into a spec and decoded with.
func FuzzFromProto(f *testing.F) {
	good := trainerProto(attr("a", recipeType, def(`{"batch_size":1}`)), attr("b", `["tuple",["string","dynamic"]]`))
	good.Schema.Blocks = []*pluginv1.NestedBlock{{Type: "w", Nesting: pluginv1.NestedBlock_NESTING_MAP, Schema: &pluginv1.Schema{Attributes: []*pluginv1.Attribute{attr("x", `["set","number"]`)}}}}
	b, err := proto.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, `["object",{"x":"string"},["y"]]`, `{"x":1}`)
	f.Fuzz(func(t *testing.T, b []byte, typ, def string) {
		var p pluginv1.Stage
		if proto.Unmarshal(b, &p) != nil {
			return
		}
		if len(p.GetSchema().GetAttributes()) > 0 {
			p.Schema.Attributes[0].Type, p.Schema.Attributes[0].Default = []byte(typ), []byte(def)
		}
		s, err := FromProto("p", "1", &p)
		if err != nil {
			return
		}
		v := decode(t, s, "")
		if _, err := CanonicalJSON(v); err != nil && v.IsWhollyKnown() {
			t.Errorf("canonical JSON: %v", err)
		}
	})
}
