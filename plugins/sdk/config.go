package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// Configuration types
//
// The configuration of a stage is a struct. Each exported field is an attribute, and has a tag
//
//	jupiter:"name[,required][,effect=rerun|advance|none][,sensitive][,environment][,block][,accepts=MEDIA-TYPE]…"
//
// with, where wanted, default:"JSON", desc:"Sentence." and deprecated:"What to do instead." beside it. `jupiter:"-"`
// leaves a field out. An embedded struct without a tag adds its fields to those of the struct around it.
//
//	Go                            attribute
//	string, bool                  string, bool
//	int…, uint…, float32, float64 number; an integer field takes whole numbers in its range only
//	[]T, map[string]T             list(T), map(T)
//	struct                        object; its fields are optional unless required, and have no defaults
//	*T                            T; nil where the user says nothing
//	json.RawMessage               any value, as JSON
//
// A string with environment names a variable of the user's environment: the stage's process has that variable in its own,
// which has few others. A pointer to a struct with block is a nested block, nil where there is none. Its fields are
// attributes like those of the configuration, with defaults and effects of their own.
//
// A field without default that is no pointer has its zero value where the user says nothing. A field with accepts takes
// a reference to a stage or a domain's data instead of a value: the artifact is in Call.Inputs under the attribute's
// name, and the field keeps its zero value.

// layout is what reflection found in a configuration type.
type layout struct {
	typ    reflect.Type
	fields []*field // in the order of the struct
	byName map[string]*field
}

type field struct {
	name       string
	index      []int // for reflect.Value.FieldByIndex
	typ        reflect.Type
	required   bool
	sensitive  bool
	environ    bool
	effect     pluginv1.Effect
	accepts    []string
	def        []byte // JSON; nil: null
	desc       string
	deprecated string
	block      *layout // of a nested block; nil: an attribute
}

const maxNesting = 8 // of types within a configuration type

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Decode reads the configuration of another stage of the same plugin, as Estimate is told of a ModelMaker's.
func Decode[C any](stage string, config []byte) (C, error) {
	var c C
	err := layoutOf[C](stage).decode(config, &c)
	return c, err
}

// layoutOf reads the configuration type C of a stage. It panics where C cannot be a configuration.
func layoutOf[C any](stage string) *layout {
	t := reflect.TypeFor[C]()
	l, err := newLayout(t, 0)
	if err == nil {
		err = l.checkDefaults()
	}
	if err != nil {
		panic(fmt.Sprintf("sdk: configuration %v of stage %q: %v", t, stage, err))
	}
	return l
}

// checkDefaults finds a default that its field does not take.
func (l *layout) checkDefaults() error {
	for _, f := range l.fields {
		if f.block != nil {
			if err := f.block.checkDefaults(); err != nil {
				return fmt.Errorf("block %s: %w", f.name, err)
			}
		}
		if f.def == nil {
			continue
		}
		if err := l.decodeJSON(f.def, reflect.New(f.typ).Elem()); err != nil {
			return fmt.Errorf("default of %s: %s", f.name, strings.TrimPrefix(err.Error(), "configuration: "))
		}
	}
	return nil
}

func newLayout(t reflect.Type, depth int) (*layout, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("is no struct")
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("types are nested more than %d deep", maxNesting)
	}
	l := &layout{typ: t, byName: map[string]*field{}}
	if err := l.add(t, nil, depth); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *layout) add(t reflect.Type, prefix []int, depth int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), prefix...), i)
		tag, tagged := sf.Tag.Lookup("jupiter")
		switch {
		case tag == "-":
			continue
		case sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct:
			if err := l.add(sf.Type, index, depth); err != nil {
				return err
			}
			continue
		case !sf.IsExported() && !tagged:
			continue
		case !sf.IsExported():
			return fmt.Errorf("field %s has a tag but is not exported", sf.Name)
		case !tagged:
			return fmt.Errorf("field %s has no jupiter tag: it needs one with its attribute's name, as in jupiter:\"max_share\", or jupiter:\"-\" where it is none", sf.Name)
		}
		f, err := newField(sf, tag, depth)
		if err != nil {
			return fmt.Errorf("field %s: %w", sf.Name, err)
		}
		if l.byName[f.name] != nil {
			return fmt.Errorf("field %s: attribute %q is there twice", sf.Name, f.name)
		}
		f.index = index
		l.fields = append(l.fields, f)
		l.byName[f.name] = f
	}
	return nil
}

func newField(sf reflect.StructField, tag string, depth int) (*field, error) {
	name, rest, _ := strings.Cut(tag, ",")
	if !attributeName.MatchString(name) {
		return nil, fmt.Errorf("%q is no attribute name: one has letters of a-z, digits and _, and begins with a letter", name)
	}
	f := &field{name: name, typ: sf.Type, desc: sf.Tag.Get("desc"), deprecated: sf.Tag.Get("deprecated"), effect: pluginv1.Effect_EFFECT_RERUN}
	if rest != "" {
		for o := range strings.SplitSeq(rest, ",") {
			if err := f.option(o); err != nil {
				return nil, err
			}
		}
	}
	if def, ok := sf.Tag.Lookup("default"); ok {
		switch {
		case f.required:
			return nil, fmt.Errorf("is required and has a default")
		case depth > 0:
			return nil, fmt.Errorf("has a default within an object, where the schema has no place for one")
		}
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(def)); err != nil {
			return nil, fmt.Errorf("default %q is not JSON (%w): a text has quotes of its own, as in default:\"\\\"half\\\"\"", def, err)
		}
		f.def = b.Bytes()
	}
	isBlock := slices.Contains(strings.Split(rest, ","), "block")
	switch {
	case isBlock && (f.typ.Kind() != reflect.Pointer || f.typ.Elem().Kind() != reflect.Struct):
		return nil, fmt.Errorf("a block is a pointer to a struct")
	case isBlock && (depth > 0 || f.required || f.def != nil || f.sensitive || f.environ || len(f.accepts) > 0):
		return nil, fmt.Errorf("a block stands in no object, and has a name and nothing else")
	case isBlock:
		var err error
		if f.block, err = newLayout(f.typ.Elem(), 0); err != nil {
			return nil, err
		}
		for _, in := range f.block.fields {
			if in.sensitive || in.environ || len(in.accepts) > 0 {
				return nil, fmt.Errorf("%s: a secret, a variable of the environment or a reference stands in no block", in.name)
			}
		}
		return f, nil
	case f.environ && (f.typ.Kind() != reflect.String || f.sensitive || depth > 0):
		return nil, fmt.Errorf("what names a variable of the environment is a string, and no secret")
	}
	_, err := typeOf(f.typ, depth)
	return f, err
}

func (f *field) option(o string) error {
	key, value, _ := strings.Cut(o, "=")
	switch {
	case o == "required":
		f.required = true
	case o == "sensitive":
		f.sensitive = true
	case o == "environment":
		f.environ = true
	case o == "block": // newField sees to it
	case key == "effect" && value == "rerun":
		f.effect = pluginv1.Effect_EFFECT_RERUN
	case key == "effect" && value == "advance":
		f.effect = pluginv1.Effect_EFFECT_ADVANCE
	case key == "effect" && value == "none":
		f.effect = pluginv1.Effect_EFFECT_NONE
	case key == "accepts" && value != "":
		f.accepts = append(f.accepts, value)
	default:
		return fmt.Errorf("unknown option %q in the tag: there are required, sensitive, environment, block, effect=rerun, effect=advance, effect=none, and accepts= with a media type", o)
	}
	return nil
}

// schema gives the layout as it crosses the wire.
func (l *layout) schema(description string) *pluginv1.Schema {
	s := &pluginv1.Schema{Description: description}
	for _, f := range l.fields {
		if f.block != nil {
			s.Blocks = append(s.Blocks, &pluginv1.NestedBlock{
				Type: f.name, Nesting: pluginv1.NestedBlock_NESTING_SINGLE, MaxItems: 1, Schema: f.block.schema(f.desc),
			})
			continue
		}
		t, err := typeOf(f.typ, 0)
		if err != nil {
			panic(err) // newLayout has computed it before
		}
		b, err := json.Marshal(t)
		if err != nil {
			panic(err) // strings, slices and maps of them
		}
		s.Attributes = append(s.Attributes, &pluginv1.Attribute{
			Name: f.name, Type: b, Required: f.required, Default: f.def, Sensitive: f.sensitive,
			Description: f.desc, Effect: f.effect, Deprecated: f.deprecated, Accepts: f.accepts, Environment: f.environ,
		})
	}
	return s
}

// typeOf gives the cty type of a Go type as a value whose JSON is cty's own form: "string", ["list", T],
// ["object", {NAME: T}, [OPTIONAL NAMES]].
func typeOf(t reflect.Type, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("types are nested more than %d deep", maxNesting)
	}
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return "dynamic", nil
	case reflect.TypeFor[time.Duration]():
		return nil, fmt.Errorf("time.Duration would be nanoseconds; use a number of seconds")
	}
	switch t.Kind() {
	case reflect.String:
		return "string", nil
	case reflect.Bool:
		return "bool", nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return "number", nil
	case reflect.Pointer:
		return typeOf(t.Elem(), depth+1)
	case reflect.Slice:
		e, err := typeOf(t.Elem(), depth+1)
		return []any{"list", e}, err
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("keys of %v are no strings", t)
		}
		e, err := typeOf(t.Elem(), depth+1)
		return []any{"map", e}, err
	case reflect.Struct:
		return objectType(t, depth)
	}
	return nil, fmt.Errorf("%v cannot be configured: a text, a bool, a number, json.RawMessage, and slices, maps, pointers and structs of these can", t)
}

func objectType(t reflect.Type, depth int) (any, error) {
	l, err := newLayout(t, depth+1)
	if err != nil {
		return nil, err
	}
	attrs, optional := map[string]any{}, []string{}
	for _, f := range l.fields {
		if attrs[f.name], err = typeOf(f.typ, depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if !f.required {
			optional = append(optional, f.name)
		}
	}
	if len(optional) == 0 {
		return []any{"object", attrs}, nil
	}
	return []any{"object", attrs, optional}, nil
}
