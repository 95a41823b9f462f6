package lang

import (
	"reflect"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
)

// Ref is the address of something that expressions can name but not read.
type Ref struct {
	Addr addr.Address
	Kind string // generator, filter, verifier, trainer, evaluator, exporter, cluster, data, state
	Type string // of a stage: the plugin's type
	Side string // of data: real, synthetic, mix; of state: current, version, score, step
}

// What names the reference in a diagnostic.
func (r Ref) What() string {
	switch r.Kind {
	case "data":
		return "the " + r.Side + " data of " + string(r.Addr)
	case "state":
		return "the state's " + r.Path()
	}
	return r.Kind + " " + string(r.Addr)
}

// Path is the address with the side: module.x.domain.y.real.
func (r Ref) Path() string {
	if r.Side == "" {
		return string(r.Addr)
	}
	return string(r.Addr.Child(r.Side))
}

// RefType is the type of a reference in expressions.
var RefType = cty.CapsuleWithOps("reference", reflect.TypeOf(Ref{}), &cty.CapsuleOps{
	GoString:     func(v any) string { return "lang.RefVal(" + v.(*Ref).Path() + ")" },
	TypeGoString: func(reflect.Type) string { return "lang.RefType" },
	Equals:       func(a, b any) cty.Value { return cty.BoolVal(*a.(*Ref) == *b.(*Ref)) },
	RawEquals:    func(a, b any) bool { return *a.(*Ref) == *b.(*Ref) },
	HashKey:      func(v any) string { return v.(*Ref).Kind + ":" + v.(*Ref).Path() },
})

// RefVal wraps a reference for expressions.
func RefVal(r Ref) cty.Value { return cty.CapsuleVal(RefType, &r) }

// AsRef gives the reference that v is, if it is one.
func AsRef(v cty.Value) (Ref, bool) {
	v, _ = v.Unmark()
	if v == cty.NilVal || v.Type() != RefType || v.IsNull() || !v.IsKnown() {
		return Ref{}, false
	}
	return *v.EncapsulatedValue().(*Ref), true
}

// domainType is the type of a domain in expressions.
var domainType = cty.Object(map[string]cty.Type{"real": RefType, "synthetic": RefType, "verifier": RefType, "mix": RefType})

// DomainVal is the value of the domain at a. verifier is null where the domain has none.
func DomainVal(a addr.Address, verifier cty.Value) cty.Value {
	side := func(s string) cty.Value { return RefVal(Ref{Addr: a, Kind: "data", Side: s}) }
	return cty.ObjectVal(map[string]cty.Value{
		"real": side("real"), "synthetic": side("synthetic"), "mix": side("mix"), "verifier": verifier,
	})
}

// AsDomain gives the address of the domain that v is, if it is one.
func AsDomain(v cty.Value) (addr.Address, bool) {
	v, _ = v.Unmark()
	if v == cty.NilVal || !v.Type().Equals(domainType) || v.IsNull() || !v.IsKnown() {
		return "", false
	}
	r, ok := AsRef(v.GetAttr("real"))
	return r.Addr, ok
}

// HasRef says whether a value of type t can hold a reference.
func HasRef(t cty.Type) bool {
	switch {
	case t == RefType:
		return true
	case t.IsPrimitiveType(), t == cty.DynamicPseudoType:
		return false
	case t.IsCollectionType():
		return HasRef(t.ElementType())
	case t.IsTupleType():
		for _, e := range t.TupleElementTypes() {
			if HasRef(e) {
				return true
			}
		}
	case t.IsObjectType():
		for _, e := range t.AttributeTypes() {
			if HasRef(e) {
				return true
			}
		}
	}
	return false
}

// Spell replaces each reference in v by its address as a string, for people.
func Spell(v cty.Value) cty.Value {
	if !HasRef(v.Type()) {
		return v
	}
	v, marks := v.Unmark()
	switch {
	case v.Type() == RefType:
		r, ok := AsRef(v)
		if !ok {
			return cty.NullVal(cty.String)
		}
		return cty.StringVal(r.Path()).WithMarks(marks)
	case v.IsNull() || !v.IsKnown():
		return cty.NullVal(cty.DynamicPseudoType)
	case v.Type().IsObjectType() || v.Type().IsMapType():
		m := map[string]cty.Value{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			m[k.AsString()] = Spell(e)
		}
		return cty.ObjectVal(m).WithMarks(marks)
	}
	var list []cty.Value
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		list = append(list, Spell(e))
	}
	return cty.TupleVal(list).WithMarks(marks)
}
