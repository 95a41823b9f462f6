package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	pluginv1 "jupiter/plugins/proto/pluginv1"
)

// configError says what is wrong with a configuration, and where.
type configError struct {
	path []*pluginv1.PathStep
	msg  string
}

func (e *configError) Error() string {
	s := ""
	for i, p := range e.path {
		switch p := p.Step.(type) {
		case *pluginv1.PathStep_Name:
			if i > 0 {
				s += "."
			}
			s += p.Name
		case *pluginv1.PathStep_Key:
			s += "[" + strconv.Quote(p.Key) + "]"
		case *pluginv1.PathStep_Index:
			s += "[" + strconv.FormatInt(p.Index, 10) + "]"
		}
	}
	if s == "" {
		return "configuration: " + e.msg
	}
	return "attribute " + s + ": " + e.msg
}

// configDiagnostic gives a decoding error as a diagnostic with its path.
func configDiagnostic(err error) *Diagnostic {
	text := err.Error()
	d := Error("Invalid configuration", strings.ToUpper(text[:1])+text[1:]+".")
	var ce *configError
	if errors.As(err, &ce) {
		d.Attribute = ce.path
	}
	return d
}

// decode fills the struct that into points to. An attribute that is absent or null keeps its zero value: the host has
// filled in the defaults. Empty JSON is the empty object.
func (l *layout) decode(config []byte, into any) error {
	if len(config) == 0 {
		config = []byte("{}")
	}
	return l.decodeJSON(config, reflect.ValueOf(into).Elem())
}

func (l *layout) decodeJSON(b []byte, into reflect.Value) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parse(d, 0)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			err = nil
		} else if err == nil {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return &configError{msg: fmt.Sprintf("is not JSON: %v", err)}
	}
	return l.assign(v, into, nil)
}

// parse reads one JSON value as nil, bool, string, json.Number, []any or map[string]any. Unlike encoding/json it
// refuses a key that is there twice.
func parse(d *json.Decoder, depth int) (any, error) {
	if depth > 100 {
		return nil, errors.New("nested more than 100 deep")
	}
	t, err := d.Token()
	if err != nil {
		return nil, noEOF(err)
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parse(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, noEOF(err)
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, noEOF(err)
			}
			if _, ok := object[k.(string)]; ok {
				return nil, fmt.Errorf("key %q is there twice", k)
			}
			if object[k.(string)], err = parse(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, noEOF(err)
	}
	return t, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// assign stores a parsed JSON value where it belongs. into is settable and holds its zero value.
func (l *layout) assign(v any, into reflect.Value, path []*pluginv1.PathStep) error {
	if into.Type() == reflect.TypeFor[json.RawMessage]() {
		b, err := json.Marshal(v)
		if err != nil {
			return &configError{path, err.Error()}
		}
		into.SetBytes(b)
		return nil
	}
	if v == nil {
		return nil
	}
	if into.Kind() == reflect.Pointer {
		p := reflect.New(into.Type().Elem())
		if err := l.assign(v, p.Elem(), path); err != nil {
			return err
		}
		into.Set(p)
		return nil
	}
	switch v := v.(type) {
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return nil
		}
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return nil
		}
	case json.Number:
		if isNumber(into.Kind()) {
			if msg := assignNumber(string(v), into); msg != "" {
				return &configError{path, msg}
			}
			return nil
		}
	case []any:
		if into.Kind() == reflect.Slice {
			return l.assignList(v, into, path)
		}
	case map[string]any:
		switch into.Kind() {
		case reflect.Map:
			return l.assignMap(v, into, path)
		case reflect.Struct:
			return l.assignStruct(v, into, path)
		}
	}
	return &configError{path, fmt.Sprintf("is %s, wanted %s", jsonKind(v), goKind(into.Type()))}
}

func isNumber(k reflect.Kind) bool {
	return k >= reflect.Int && k <= reflect.Float64 && k != reflect.Uintptr
}

// assignNumber stores a JSON number: into an integer exactly or not at all, into a float as the nearest one.
func assignNumber(s string, into reflect.Value) (msg string) {
	if into.CanFloat() {
		f, err := strconv.ParseFloat(s, into.Type().Bits())
		if err != nil || math.IsInf(f, 0) {
			return fmt.Sprintf("%s is out of range", s)
		}
		into.SetFloat(f)
		return ""
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil && into.CanInt() && !into.OverflowInt(i) {
		into.SetInt(i)
		return ""
	}
	n, _, err := big.ParseFloat(s, 10, 512, big.ToNearestEven)
	if err != nil {
		return fmt.Sprintf("%s is no number", s)
	}
	if n.IsInf() {
		return fmt.Sprintf("%s is out of range", s)
	}
	if !n.IsInt() {
		return fmt.Sprintf("%s is not a whole number", s)
	}
	if into.CanInt() {
		i, acc := n.Int64()
		if acc != big.Exact || into.OverflowInt(i) {
			return fmt.Sprintf("%s is out of range", s)
		}
		into.SetInt(i)
		return ""
	}
	u, acc := n.Uint64()
	if acc != big.Exact || into.OverflowUint(u) {
		return fmt.Sprintf("%s is out of range", s)
	}
	into.SetUint(u)
	return ""
}

func (l *layout) assignList(v []any, into reflect.Value, path []*pluginv1.PathStep) error {
	list := reflect.MakeSlice(into.Type(), len(v), len(v))
	for i, e := range v {
		if err := l.assign(e, list.Index(i), join(path, indexStep(i))); err != nil {
			return err
		}
	}
	into.Set(list)
	return nil
}

func (l *layout) assignMap(v map[string]any, into reflect.Value, path []*pluginv1.PathStep) error {
	m := reflect.MakeMapWithSize(into.Type(), len(v))
	for _, k := range slices.Sorted(maps.Keys(v)) {
		e := reflect.New(into.Type().Elem()).Elem()
		if err := l.assign(v[k], e, join(path, keyStep(k))); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(k).Convert(into.Type().Key()), e)
	}
	into.Set(m)
	return nil
}

func (l *layout) assignStruct(v map[string]any, into reflect.Value, path []*pluginv1.PathStep) error {
	if into.Type() != l.typ { // an object in the configuration, or the value of a default
		var err error
		if l, err = newLayout(into.Type(), 0); err != nil {
			return &configError{path, err.Error()}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(v)) {
		f := l.byName[k]
		if f == nil {
			return &configError{join(path, nameStep(k)), "is no attribute of this stage"}
		}
		if err := l.assign(v[k], into.FieldByIndex(f.index), join(path, nameStep(k))); err != nil {
			return err
		}
	}
	for _, f := range l.fields {
		if f.required && len(f.accepts) == 0 && v[f.name] == nil {
			return &configError{join(path, nameStep(f.name)), "is required"}
		}
	}
	return nil
}

func join(path []*pluginv1.PathStep, s *pluginv1.PathStep) []*pluginv1.PathStep {
	return append(slices.Clip(path), s)
}

func jsonKind(v any) string {
	switch v.(type) {
	case bool:
		return "a bool"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}

func goKind(t reflect.Type) string {
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return "a bool"
	case k == reflect.String:
		return "a string"
	case isNumber(k):
		return "a number"
	case k == reflect.Slice:
		return "a list"
	case k == reflect.Map:
		return "a map"
	}
	return "an object"
}
