package schema

import (
	"fmt"
	"math"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"
)

// Spec gives what decodes a stage's body to an object with every attribute and block type of the schema: converted to
// its type, with defaults where nothing or null is said. An absent attribute without default is null; a block that is
// absent is null (single) or empty (list, map).
//
// The result is an hcldec.ObjectSpec, one entry a name, so that a caller can replace the entries of attributes that take
// references (Attribute.Accepts) by its own.
func (s *Stage) Spec() hcldec.Spec { return bodySpec(s.Attributes, s.Blocks) }

func bodySpec(attrs []Attribute, blocks []Block) hcldec.ObjectSpec {
	spec := make(hcldec.ObjectSpec, len(attrs)+len(blocks))
	for _, a := range attrs {
		spec[a.Name] = a.Spec()
	}
	for _, b := range blocks {
		spec[b.Type] = b.spec()
	}
	return spec
}

// Spec gives what decodes the attribute.
func (a Attribute) Spec() hcldec.Spec {
	var spec hcldec.Spec = &hcldec.AttrSpec{Name: a.Name, Type: a.Type, Required: a.Required}
	if a.Default != cty.NilVal {
		spec = &hcldec.DefaultSpec{Primary: spec, Default: &hcldec.LiteralSpec{Value: a.Default}}
	}
	if a.Required {
		spec = &hcldec.ValidateSpec{Wrapped: spec, Func: func(v cty.Value) hcl.Diagnostics {
			if v.IsKnown() && v.IsNull() {
				return hcl.Diagnostics{{
					Severity: hcl.DiagError,
					Summary:  "Missing required argument",
					Detail:   fmt.Sprintf("The argument %q is required, and its value is null.", a.Name),
				}}
			}
			return nil
		}}
	}
	return spec
}

func (b Block) spec() hcldec.Spec {
	nested := bodySpec(b.Attributes, b.Blocks)
	limit := int(b.MaxItems)
	if b.MaxItems > math.MaxInt32 {
		limit = 0
	}
	switch b.Nesting {
	case "single":
		return &hcldec.BlockSpec{TypeName: b.Type, Nested: nested, Required: b.MinItems > 0}
	case "map":
		return &hcldec.BlockObjectSpec{TypeName: b.Type, LabelNames: []string{"name"}, Nested: nested}
	}
	return &hcldec.BlockTupleSpec{TypeName: b.Type, Nested: nested, MinItems: int(b.MinItems), MaxItems: limit}
}

// Effect says what a change of an attribute does to work already done. path is the attribute's name, or the names of
// the blocks around it and its own with dots between: "select.every". A change of anything else starts the stage over.
func (s *Stage) Effect(path string) Effect {
	attrs, blocks := s.Attributes, s.Blocks
	for {
		first, rest, nested := strings.Cut(path, ".")
		for _, a := range attrs {
			if a.Name == first {
				return a.Effect // of the whole attribute, whatever in it changed
			}
		}
		if !nested {
			return Rerun
		}
		found := false
		for _, b := range blocks {
			if b.Type == first {
				attrs, blocks, path, found = b.Attributes, b.Blocks, rest, true
				break
			}
		}
		if !found {
			return Rerun
		}
	}
}

// Attribute gives the attribute of a name at the top of the body.
func (s *Stage) Attribute(name string) (Attribute, bool) {
	for _, a := range s.Attributes {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

func (e Effect) String() string {
	switch e {
	case Advance:
		return "advance"
	case None:
		return "none"
	}
	return "rerun"
}
