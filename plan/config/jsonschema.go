package config

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plugins/schema"
)

// SchemaID names the JSON Schema of the YAML form. The number changes when a file that was good may be no longer.
const SchemaID = "urn:jupiter:schema:configuration:v1"

// JSONSchema is the JSON Schema (draft 2020-12) of a file in YAML, for editors. It is made from the tables that the
// decoder reads and from the schemas of stages, so it knows what the decoder knows, with these exceptions: what
// concerns several attributes or blocks is left to the rules; a template may give any type; a number or a truth value in
// quotes, which would be converted, is refused; and so is a list around a block that may stand once.
func JSONSchema(stages []*schema.Stage) ([]byte, error) {
	d := &drawing{stages: stages, defs: object{}, names: map[*form]string{}}
	top := d.body(fileForm(), nil)
	top["type"] = []string{"object", "null"}
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["$id"] = SchemaID
	top["title"] = "Jupiter configuration"
	d.defs["value.template"] = object{"description": "A template: a text with ${…}.", "type": "string", "pattern": `[$%]\{`}
	d.defs["value.reference"] = object{"description": "A reference: ${KIND.TYPE.NAME}.", "type": "string", "pattern": `^\$\{[\s\S]+\}$`}
	top["$defs"] = d.defs
	b, err := json.MarshalIndent(top, "", "  ")
	return append(b, '\n'), err
}

type object = map[string]any

// drawing is one call of JSONSchema.
type drawing struct {
	stages []*schema.Stage
	defs   object
	names  map[*form]string // definitions that are there
}

var (
	template  = object{"$ref": "#/$defs/value.template"}
	reference = object{"$ref": "#/$defs/value.reference"}
	null      = object{"type": "null"}

	// A name, as far as an expression can say it that every dialect reads the same: \p{L} stops a validator in Python.
	label = object{"pattern": "^[^\\s!-@\\[-^`{-~][^\\s!-,./:-@\\[-^`{-~]*$"}

	span = object{"type": "string", "pattern": `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`}
)

// define gives a reference to the definition of a form, and makes it where it is not there.
func (d *drawing) define(name string, g *form) object {
	if d.names[g] == "" {
		d.names[g] = name
		d.defs[name] = d.body(g, nil)
	}
	return object{"$ref": "#/$defs/" + d.names[g]}
}

// body draws the mapping that a form is, with the rest that a plugin reads.
func (d *drawing) body(g *form, s *schema.Stage) object {
	props, required := object{}, []string{}
	for _, a := range g.attrs {
		props[a.name] = property(a)
		if a.required {
			required = append(required, a.name)
		}
	}
	for _, b := range g.blocks {
		props[b.typ] = d.block(b)
	}
	out := object{"description": g.doc, "properties": props, "additionalProperties": false}
	if g.names != nil {
		out["additionalProperties"] = property(*g.names)
	}
	if s != nil {
		if s.Description != "" {
			out["description"] = s.Description
		}
		required = append(required, d.plugin(s.Attributes, s.Blocks, props)...)
	}
	closed(out, required)
	return out
}

// closed says which keys a mapping needs. One that needs none may be left empty, which YAML reads as null.
func closed(out object, required []string) {
	out["type"] = []string{"object", "null"}
	if len(required) > 0 {
		slices.Sort(required)
		out["type"], out["required"] = "object", required
	}
}

// block draws what stands below a type of block.
func (d *drawing) block(b nested) object {
	switch {
	case len(b.labels) == 2:
		return d.stagesOf(b)
	case len(b.labels) == 0:
		one := d.define(b.typ, b.form)
		if !b.many {
			return one
		}
		return object{"description": b.form.doc, "anyOf": []any{one, object{"type": "array", "items": one}}}
	}
	one := d.define(b.typ, b.form)
	out := object{"description": b.form.doc, "type": "object", "propertyNames": label, "additionalProperties": one}
	if b.only != nil {
		out["propertyNames"] = object{"enum": b.only}
		out["properties"] = each(b.only, one)
		out["additionalProperties"] = false
	}
	if !b.bare {
		return out
	}
	// A block with a name is a mapping from names to mappings; if all keys are the block's own, it has no name.
	named := object{"if": object{
		"type": "object", "additionalProperties": object{"type": "object"}, "not": object{"propertyNames": object{"enum": b.form.own()}},
	}, "then": out, "else": one}
	out["additionalProperties"] = object{"$ref": one["$ref"], "type": "object", "required": b.need}
	return named
}

// stagesOf draws type and name of what a plugin reads.
func (d *drawing) stagesOf(b nested) object {
	types := object{}
	for _, s := range d.stages {
		if s.Kind != b.form.plugin {
			continue
		}
		name := b.typ + "_" + s.Type
		d.defs[name] = d.body(b.form, s)
		types[s.Type] = object{"description": s.Description, "type": "object", "propertyNames": label, "additionalProperties": object{"$ref": "#/$defs/" + name}}
	}
	return object{"description": b.form.doc, "type": "object", "properties": types, "additionalProperties": false}
}

// plugin adds the attributes and blocks of a plugin's schema, and gives the names of those that are required.
func (d *drawing) plugin(attrs []schema.Attribute, blocks []schema.Block, props object) (required []string) {
	for _, a := range attrs {
		props[a.Name] = pluginProperty(a)
		if a.Required {
			required = append(required, a.Name)
		}
	}
	for _, b := range blocks {
		own := object{}
		one := object{"properties": own, "additionalProperties": false}
		closed(one, d.plugin(b.Attributes, b.Blocks, own))
		switch b.Nesting {
		case "single":
			props[b.Type] = one
		case "map":
			props[b.Type] = object{"type": "object", "additionalProperties": one}
		default:
			props[b.Type] = object{"anyOf": []any{one, object{"type": "array", "items": one}}}
		}
		if b.MinItems > 0 {
			required = append(required, b.Type)
		}
	}
	return required
}

// property draws an attribute of the core's.
func property(a attribute) object {
	out := alternatives(valueOf(a), a.required)
	doc := a.doc
	if a.otherwise != "" {
		doc += " By default: " + a.otherwise + "."
	}
	out["description"] = doc
	if a.def != nil {
		out["default"] = a.def
	}
	return out
}

// alternatives lets a template stand for a value, and null for one that may be left out. nil: anything goes.
func alternatives(value object, required bool) object {
	if value == nil {
		return object{}
	}
	all := []any{value}
	if value["$ref"] != reference["$ref"] {
		all = append(all, template)
	}
	if !required {
		all = append(all, null)
	}
	if len(all) == 1 {
		return maps.Clone(value)
	}
	return object{"anyOf": all}
}

// valueOf draws what a kind of value is when it is written out.
func valueOf(a attribute) object {
	switch a.kind {
	case textValue:
		return scalar()
	case spanValue:
		return span
	case typeValue, stageValue, modelValue:
		return object{"type": "string"}
	case flagValue:
		return object{"type": "boolean"}
	case numberValue:
		return bounded(a)
	case countValue:
		return object{"type": "integer", "minimum": a.lo}
	case textsValue, namesValue:
		return listOf(scalar())
	case choiceValue:
		return object{"enum": a.words}
	case wordsValue:
		return listOf(object{"enum": a.words})
	case headersValue:
		return object{"type": "object", "additionalProperties": alternatives(scalar(), true)}
	case sharesValue:
		return object{"type": "object", "additionalProperties": alternatives(object{"type": "number", "minimum": 0, "maximum": 1}, true)}
	case partsValue:
		return object{"type": "object", "properties": each(a.words, alternatives(bounded(a), false)), "additionalProperties": false}
	case listsValue:
		return object{"type": "object", "additionalProperties": alternatives(listOf(scalar()), true)}
	case refValue, domainValue:
		return reference
	case refsValue:
		return listOf(reference)
	case pluginValue:
		return object{"type": "object", "properties": each([]string{"source", "version"}, scalar()), "additionalProperties": false}
	}
	return nil
}

// scalar is what stands for a text: numbers and truth values are written as one.
func scalar() object { return object{"type": []string{"string", "number", "boolean"}} }

func listOf(element object) object {
	return object{"type": "array", "items": alternatives(element, true)}
}

// each gives every name the same schema.
func each(names []string, value object) object {
	out := object{}
	for _, n := range names {
		out[n] = value
	}
	return out
}

func bounded(a attribute) object {
	out := object{"type": "number", "minimum": a.lo}
	if a.above {
		out = object{"type": "number", "exclusiveMinimum": a.lo}
	}
	if a.hi > 0 {
		out["maximum"] = a.hi
	}
	return out
}

// pluginProperty draws an attribute of a plugin's.
func pluginProperty(a schema.Attribute) object {
	value := typed(a.Type)
	if len(a.Accepts) > 0 {
		value = reference
	}
	out := alternatives(value, a.Required)
	doc := []string{}
	if a.Description != "" {
		doc = append(doc, a.Description)
	}
	if a.Deprecated != "" {
		out["deprecated"] = true
		doc = append(doc, "Deprecated: "+a.Deprecated)
	}
	if a.Sensitive {
		doc = append(doc, "Its value is shown nowhere.")
	}
	out["description"] = strings.Join(doc, " ")
	if a.Default != cty.NilVal && !a.Default.IsNull() {
		if raw, err := ctyjson.Marshal(a.Default, a.Default.Type()); err == nil {
			out["default"] = json.RawMessage(raw)
		}
	}
	return out
}

// typed draws a type. nil: anything goes.
func typed(ty cty.Type) object {
	inner := func(t cty.Type, required bool) object { return alternatives(typed(t), required) }
	switch {
	case ty == cty.String:
		return scalar()
	case ty == cty.Number:
		return object{"type": "number"}
	case ty == cty.Bool:
		return object{"type": "boolean"}
	case ty.IsListType() || ty.IsSetType():
		return object{"type": "array", "items": inner(ty.ElementType(), true)}
	case ty.IsMapType():
		return object{"type": "object", "additionalProperties": inner(ty.ElementType(), true)}
	case ty.IsTupleType():
		items := []any{}
		for _, t := range ty.TupleElementTypes() {
			items = append(items, inner(t, true))
		}
		return object{"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
	case ty.IsObjectType():
		props, required := object{}, []string{}
		for name, t := range ty.AttributeTypes() {
			props[name] = inner(t, !ty.AttributeOptional(name))
			if !ty.AttributeOptional(name) {
				required = append(required, name)
			}
		}
		slices.Sort(required)
		return object{"type": "object", "properties": props, "required": required, "additionalProperties": false}
	}
	return nil
}
