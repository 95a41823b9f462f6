package conformance

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/schema"
)

// hostileTexts are values of string attributes that nobody expects.
var hostileTexts = []string{
	"", " ", "x", "\x00", "a\x1b[2Jb\r\n\x07", "\u202eabc\U0010FFFF\uFFFD", "../../../../../etc/passwd", "/", "%s%n%x${HOME}`id`$(id)",
	"[", "(*", "**/**/**/*", "{{.}}", strings.Repeat("x", 64<<10), strings.Repeat("\U0001F9EE/", 1000),
}

// hostileNumbers are values of number attributes, in JSON, that nobody expects.
var hostileNumbers = []string{
	"0", "-1", "1", "0.5", "-0.1", "1e308", "-1e308", "1e-300", "2147483648", "-2147483649", "9007199254740993", "18446744073709551616", "1e400",
	"0." + strings.Repeat("3", 300),
}

// hostile gives values of a type that nobody expects, in JSON: each fits the type.
func hostile(t cty.Type, depth int) (all []json.RawMessage) {
	raw := func(s string) { all = append(all, json.RawMessage(s)) }
	switch {
	case t == cty.String:
		for _, s := range hostileTexts {
			b, _ := json.Marshal(s) // a string never fails
			all = append(all, b)
		}
	case t == cty.Number:
		for _, n := range hostileNumbers {
			raw(n)
		}
	case t == cty.Bool:
		raw("true")
		raw("false")
	case t == cty.DynamicPseudoType:
		raw(`""`)
		raw(nest(60))
		raw(`{"":{"":{"":null}}}`)
		raw("-1e308")
	case t.IsListType() || t.IsSetType():
		raw("[]")
		elements := hostile(t.ElementType(), depth+1)
		for _, e := range elements {
			raw("[" + string(e) + "]")
		}
		if depth == 0 {
			raw("[" + strings.Repeat(string(elements[0])+",", 2000) + string(elements[0]) + "]")
		}
	case t.IsMapType():
		raw("{}")
		for _, e := range hostile(t.ElementType(), depth+1) {
			raw(`{"":` + string(e) + `,"\u0000 .[":` + string(e) + `}`)
		}
	case t.IsObjectType():
		all = hostileObjects(t, depth)
	default:
		raw("null") // a tuple: no constructor of a schema makes one
	}
	return all
}

// hostileBlocks gives what may be written for a block type, in JSON, with bodies of which one value is hostile and the others
// are what the first hostile value of their type is, where they are required, and absent else.
func hostileBlocks(b schema.Block, depth int) (all []json.RawMessage) {
	whole := func(body json.RawMessage) {
		switch b.Nesting {
		case "list":
			body = slices.Concat(json.RawMessage("["), body, json.RawMessage("]"))
		case "map":
			body = slices.Concat(json.RawMessage(`{"a b\u0000":`), body, json.RawMessage("}"))
		}
		all = append(all, body)
	}
	body := func(name string, v json.RawMessage) json.RawMessage {
		m := map[string]json.RawMessage{}
		for _, a := range b.Attributes {
			if a.Required {
				m[a.Name] = hostile(a.Type, 1)[0]
			}
		}
		if name != "" {
			m[name] = v
		}
		raw, _ := json.Marshal(m) // of raw messages that are JSON
		return raw
	}
	plain := body("", nil)
	whole(plain)
	if n := min(b.MaxItems, 1000); b.Nesting == "list" {
		if n == 0 {
			n = 1000
		}
		all = append(all, slices.Concat(json.RawMessage("["), bytes.Repeat(append(slices.Clone(plain), ','), int(n)-1), plain, json.RawMessage("]")))
	}
	for _, a := range b.Attributes {
		if len(a.Accepts) > 0 {
			continue
		}
		for _, v := range hostile(a.Type, 1) {
			whole(body(a.Name, v))
		}
	}
	if depth > 2 {
		return all
	}
	for _, inner := range b.Blocks {
		for _, v := range hostileBlocks(inner, depth+1) {
			whole(body(inner.Type, v))
		}
	}
	return all
}

// hostileObjects gives objects of which one attribute is hostile and the others are null.
func hostileObjects(t cty.Type, depth int) []json.RawMessage {
	all := []json.RawMessage{}
	names := make([]string, 0, len(t.AttributeTypes()))
	for n := range t.AttributeTypes() {
		names = append(names, n)
	}
	slices.Sort(names)
	object := func(name string, v json.RawMessage) json.RawMessage {
		m := map[string]json.RawMessage{}
		for _, n := range names {
			m[n] = json.RawMessage("null")
		}
		if name != "" {
			m[name] = v
		}
		b, _ := json.Marshal(m) // of raw messages that are JSON
		return b
	}
	all = append(all, object("", nil))
	if depth > 2 {
		return all
	}
	for _, n := range names {
		for _, v := range hostile(t.AttributeType(n), depth+1) {
			all = append(all, object(n, v))
		}
	}
	return all
}
