package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"jupiter/plan/lang"
)

// A conversion drops what an object's type has no attribute for, and says what is wrong with a part without saying
// with which. Here is what a user needs to know of both.

// surplus is a key that a value has and its type does not.
type surplus struct {
	path  cty.Path // of the object
	key   string
	known []string // the keys that there are
}

// findSurplus looks for such keys all through v.
func findSurplus(v cty.Value, ty cty.Type, path cty.Path) *surplus {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return nil
	}
	keyed := v.Type().IsObjectType() || v.Type().IsMapType()
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		var inner cty.Type
		switch {
		case ty.IsObjectType() && keyed:
			if !ty.HasAttribute(k.AsString()) {
				return &surplus{path, k.AsString(), slices.Sorted(maps.Keys(ty.AttributeTypes()))}
			}
			inner = ty.AttributeType(k.AsString())
		case ty.IsCollectionType():
			inner = ty.ElementType()
		default:
			return nil
		}
		if s := findSurplus(e, inner, path.Copy().Index(k)); s != nil {
			return s
		}
	}
	return nil
}

// noSurplus refuses keys of an attribute's value that would be dropped.
func (in *instance) noSurplus(a *hcl.Attribute, ty cty.Type, ctx *hcl.EvalContext) bool {
	v, diags := a.Expr.Value(ctx)
	if diags.HasErrors() || v.ContainsMarked() {
		return true // reported, or not to be shown
	}
	s := findSurplus(v, ty, nil)
	if s == nil {
		return true
	}
	rng, hint := a.Expr.Range(), " It may have "+strings.Join(s.known, ", ")+"."
	if key := keyRange(a.Expr, s); key != nil {
		rng = *key
		if near := lang.DidYouMean(s.key, s.known); near != "" {
			hint = near
		}
	}
	in.fail(rng, "Unknown key", "%s has no %q.%s", a.Name+pathText(s.path), s.key, hint)
	return false
}

// keyRange is where the key stands; nil: not in expr, which refers to the object, or deep in it.
func keyRange(expr hcl.Expression, s *surplus) *hcl.Range {
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() || len(s.path) > 0 {
		return nil
	}
	for _, p := range pairs {
		if k, diags := p.Key.Value(nil); !diags.HasErrors() && k.Type() == cty.String && k.IsKnown() && !k.IsNull() && k.AsString() == s.key {
			return p.Key.Range().Ptr()
		}
	}
	return nil
}

// conversion says why v is no ty, and which part of it: at recipe.batch_size, a number is required. "" where it is one.
func conversion(name string, v cty.Value, ty cty.Type) string {
	_, err := convert.Convert(v, ty)
	if err == nil {
		return ""
	}
	var at cty.PathError
	if errors.As(err, &at) && len(at.Path) > 0 && !v.ContainsMarked() {
		return fmt.Sprintf("at %s%s, %s", name, pathText(at.Path), err)
	}
	return err.Error()
}

// pathText writes a path as an expression would: .recipe.betas[0].
func pathText(path cty.Path) string {
	b := &strings.Builder{}
	for _, step := range path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			b.WriteString("." + s.Name)
		case cty.IndexStep:
			switch {
			case !s.Key.IsKnown() || s.Key.IsNull():
				b.WriteString("[…]")
			case s.Key.Type() == cty.String:
				fmt.Fprintf(b, ".%s", s.Key.AsString())
			case s.Key.Type() == cty.Number:
				fmt.Fprintf(b, "[%s]", s.Key.AsBigFloat().Text('f', -1))
			}
		}
	}
	return b.String()
}
