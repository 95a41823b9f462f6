package sdk

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

type training struct {
	BatchSize *int       `jupiter:"batch_size"`
	Betas     *[]float64 `jupiter:"betas"`
}

type window struct {
	Every uint64 `jupiter:"every,required"`
	Split string `jupiter:"split"`
}

type everything struct {
	training
	LearningRate float64            `jupiter:"learning_rate" default:"1e-3" desc:"Peak learning rate."`
	Token        string             `jupiter:"token,required,sensitive"`
	Workers      int8               `jupiter:"workers,effect=none" default:"2"`
	Samples      uint64             `jupiter:"samples,effect=advance"`
	Dataset      string             `jupiter:"dataset,accepts=text/a,accepts=text/b"`
	Recipe       *training          `jupiter:"recipe"`
	Windows      []window           `jupiter:"windows"`
	Weights      map[string]float32 `jupiter:"weights"`
	Extra        json.RawMessage    `jupiter:"extra" deprecated:"Use weights."`
	Fast         *bool              `jupiter:"fast"`
	cache        map[string]int
	Runtime      chan int `jupiter:"-"`
}

func TestSchemaOfConfiguration(t *testing.T) {
	t.Parallel()
	_ = everything{}.cache
	rerun := pluginv1.Effect_EFFECT_RERUN
	recipe := `["object",{"batch_size":"number","betas":["list","number"]},["batch_size","betas"]]`
	want := &pluginv1.Schema{Description: "D.", Attributes: []*pluginv1.Attribute{
		{Name: "batch_size", Type: []byte(`"number"`), Effect: rerun},
		{Name: "betas", Type: []byte(`["list","number"]`), Effect: rerun},
		{Name: "learning_rate", Type: []byte(`"number"`), Default: []byte("1e-3"), Description: "Peak learning rate.", Effect: rerun},
		{Name: "token", Type: []byte(`"string"`), Required: true, Sensitive: true, Effect: rerun},
		{Name: "workers", Type: []byte(`"number"`), Default: []byte("2"), Effect: pluginv1.Effect_EFFECT_NONE},
		{Name: "samples", Type: []byte(`"number"`), Effect: pluginv1.Effect_EFFECT_ADVANCE},
		{Name: "dataset", Type: []byte(`"string"`), Accepts: []string{"text/a", "text/b"}, Effect: rerun},
		{Name: "recipe", Type: []byte(recipe), Effect: rerun},
		{Name: "windows", Type: []byte(`["list",["object",{"every":"number","split":"string"},["split"]]]`), Effect: rerun},
		{Name: "weights", Type: []byte(`["map","number"]`), Effect: rerun},
		{Name: "extra", Type: []byte(`"dynamic"`), Deprecated: "Use weights.", Effect: rerun},
		{Name: "fast", Type: []byte(`"bool"`), Effect: rerun},
	}}
	if diff := cmp.Diff(want, layoutOf[everything]("x").schema("D."), protocmp.Transform()); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

// A block has attributes with defaults and effects of their own, and a text may name a variable of the environment.
func TestBlocksOfConfiguration(t *testing.T) {
	t.Parallel()
	type serve struct {
		Command string   `jupiter:"command,required"`
		Args    []string `jupiter:"args"`
		Wait    float64  `jupiter:"wait,effect=none" default:"60" desc:"Seconds."`
	}
	type served struct {
		Key   string `jupiter:"key_env,environment,effect=none" desc:"A name."`
		Serve *serve `jupiter:"serve,block" desc:"A server."`
	}
	none := pluginv1.Effect_EFFECT_NONE
	rerun := pluginv1.Effect_EFFECT_RERUN
	want := &pluginv1.Schema{
		Attributes: []*pluginv1.Attribute{{Name: "key_env", Type: []byte(`"string"`), Environment: true, Effect: none, Description: "A name."}},
		Blocks: []*pluginv1.NestedBlock{{Type: "serve", Nesting: pluginv1.NestedBlock_NESTING_SINGLE, MaxItems: 1, Schema: &pluginv1.Schema{Description: "A server.", Attributes: []*pluginv1.Attribute{
			{Name: "command", Type: []byte(`"string"`), Required: true, Effect: rerun},
			{Name: "args", Type: []byte(`["list","string"]`), Effect: rerun},
			{Name: "wait", Type: []byte(`"number"`), Default: []byte("60"), Effect: none, Description: "Seconds."},
		}}}},
	}
	l := layoutOf[served]("x")
	if diff := cmp.Diff(want, l.schema(""), protocmp.Transform()); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
	var c served
	if err := l.decode([]byte(`{"key_env":"K","serve":{"command":"c","args":null,"wait":2}}`), &c); err != nil || c.Serve == nil || c.Serve.Command != "c" || c.Serve.Wait != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	c = served{}
	if err := l.decode([]byte(`{"key_env":null,"serve":null}`), &c); err != nil || c.Serve != nil {
		t.Errorf("without the block: %+v, %v", c, err)
	}
	if err := l.decode([]byte(`{"serve":{"args":[]}}`), &c); err == nil || !strings.Contains(err.Error(), "serve.command: is required") {
		t.Errorf("without what the block requires: %v", err)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	ptr := func(n int) *int { return &n }
	yes := true
	tests := []struct {
		json string
		want everything
		err  string
	}{
		{json: `{"token":"t","learning_rate":3e-4,"samples":18446744073709551615,"workers":-128}`,
			want: everything{Token: "t", LearningRate: 0.0003, Samples: math.MaxUint64, Workers: -128}},
		{json: `{"token":"t","batch_size":32,"betas":[0.9,0.95],"fast":true,"recipe":{"batch_size":1e1}}`,
			want: everything{Token: "t", Fast: &yes, training: training{ptr(32), &[]float64{0.9, 0.95}}, Recipe: &training{BatchSize: ptr(10)}}},
		{json: `{"token":"t","windows":[{"every":5},{"every":7.0,"split":"dev"}],"weights":{"a":0.5},"extra":{"b":[1,null]},"fast":null}`,
			want: everything{Token: "t", Windows: []window{{5, ""}, {7, "dev"}}, Weights: map[string]float32{"a": 0.5}, Extra: json.RawMessage(`{"b":[1,null]}`)}},
		{json: ``, err: "attribute token: is required"},
		{json: `{"token":null}`, err: "attribute token: is required"},
		{json: `{"token":"t","recipes":{}}`, err: "attribute recipes: is no attribute of this stage"},
		{json: `{"token":"t","recipe":{"lr":1}}`, err: "attribute recipe.lr: is no attribute of this stage"},
		{json: `{"token":"t","windows":[{"every":1},{"split":"x"}]}`, err: "attribute windows[1].every: is required"},
		{json: `{"token":"t","weights":{"a b":"x"}}`, err: `attribute weights["a b"]: is a string, wanted a number`},
		{json: `{"token":7}`, err: "attribute token: is a number, wanted a string"},
		{json: `{"token":"t","samples":1.5}`, err: "attribute samples: 1.5 is not a whole number"},
		{json: `{"token":"t","samples":-1}`, err: "attribute samples: -1 is out of range"},
		{json: `{"token":"t","samples":18446744073709551616}`, err: "attribute samples: 18446744073709551616 is out of range"},
		{json: `{"token":"t","samples":1e999999999}`, err: "attribute samples: 1e999999999 is out of range"},
		{json: `{"token":"t","workers":128}`, err: "attribute workers: 128 is out of range"},
		{json: `{"token":"t","learning_rate":1e400}`, err: "attribute learning_rate: 1e400 is out of range"},
		{json: `{"token":"t","token":"u"}`, err: `configuration: is not JSON: key "token" is there twice`},
		{json: `{"token":"t"`, err: "configuration: is not JSON: unexpected EOF"},
		{json: `{"token":"t"} {}`, err: "configuration: is not JSON: more than one value"},
		{json: `[]`, err: "configuration: is a list, wanted an object"},
		{json: strings.Repeat("[", 200), err: "configuration: is not JSON: nested more than 100 deep"},
	}
	l := layoutOf[everything]("x")
	for _, tt := range tests {
		var got everything
		err := l.decode([]byte(tt.json), &got)
		if fmt.Sprint(err) != tt.err && !(err == nil && tt.err == "") {
			t.Errorf("%s: %v, want %s", tt.json, err, tt.err)
		}
		if err == nil {
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(everything{}, training{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.json, diff)
			}
		}
	}
}

func TestConfigurationTypesThatCannotBe(t *testing.T) {
	t.Parallel()
	type recursive struct {
		Next *struct{ A any } `jupiter:"next"`
	}
	for want, f := range map[string]func(){
		"is no struct":               func() { layoutOf[int]("x") },
		"field A has no jupiter tag": func() { layoutOf[struct{ A int }]("x") },
		`"A" is no attribute name`: func() {
			layoutOf[struct {
				A int `jupiter:"A"`
			}]("x")
		},
		`unknown option "requird"`: func() {
			layoutOf[struct {
				A int `jupiter:"a,requird"`
			}]("x")
		},
		"is required and has a default": func() {
			layoutOf[struct {
				A int `jupiter:"a,required" default:"1"`
			}]("x")
		},
		"1.5 is not a whole number": func() {
			layoutOf[struct {
				A int `jupiter:"a" default:"1.5"`
			}]("x")
		},
		`default "x" is not JSON`: func() {
			layoutOf[struct {
				A string `jupiter:"a" default:"x"`
			}]("x")
		},
		"has a default within an object": func() {
			layoutOf[struct {
				B struct {
					A int `jupiter:"a" default:"1"`
				} `jupiter:"b"`
			}]("x")
		},
		"a block is a pointer to a struct": func() {
			layoutOf[struct {
				A string `jupiter:"a,block"`
			}]("x")
		},
		"a block stands in no object": func() {
			layoutOf[struct {
				A *struct{} `jupiter:"a,block,sensitive"`
			}]("x")
		},
		"a secret, a variable": func() {
			layoutOf[struct {
				A *struct {
					B string `jupiter:"b,sensitive"`
				} `jupiter:"a,block"`
			}]("x")
		},
		"block a: default of b: 1.5 is not": func() {
			layoutOf[struct {
				A *struct {
					B int `jupiter:"b" default:"1.5"`
				} `jupiter:"a,block"`
			}]("x")
		},
		"names a variable of the environment is a string": func() {
			layoutOf[struct {
				A int `jupiter:"a,environment"`
			}]("x")
		},
		`attribute "a" is there twice`: func() {
			layoutOf[struct {
				A, B int `jupiter:"a"`
			}]("x")
		},
		"has a tag but is not exported": func() {
			layoutOf[struct {
				a int `jupiter:"a"`
			}]("x")
		},
		"func() cannot be configured": func() {
			layoutOf[struct {
				A func() `jupiter:"a"`
			}]("x")
		},
		"keys of map[int]string are no strings": func() {
			layoutOf[struct {
				A map[int]string `jupiter:"a"`
			}]("x")
		},
		"field Next: field A has no jupiter": func() { layoutOf[recursive]("x") },
		`stage name "A b" is no word`:        func() { Exporter[struct{}]("A b", Options{}, nil) },
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, want) {
					t.Errorf("panic %q, want %q in it", r, want)
				}
			}()
			f()
		}()
	}
}
