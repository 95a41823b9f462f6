package main

import (
	"bytes"
	"encoding/json"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plan/config"
	"jupiter/plan/lang"
)

// spelled gives a value in HCL's syntax: an address as an address, a domain as its own, a sensitive part as (sensitive).
// figure gives the figures of the state.
func spelled(v cty.Value, figure func(lang.Ref) (cty.Value, error)) (string, error) {
	toks, err := tokensOf(v, figure)
	if err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(hclwrite.Format(toks.Bytes()))), nil
}

// digits of a number that is not whole: what a person wants of 1/3.
const digits = 15

func tokensOf(v cty.Value, figure func(lang.Ref) (cty.Value, error)) (hclwrite.Tokens, error) {
	if config.Secret(v) {
		return word("(sensitive)"), nil
	}
	v, _ = v.Unmark()
	if r, ok := lang.AsRef(v); ok {
		if r.Kind != "state" {
			return word(r.Path()), nil
		}
		f, err := figure(r)
		if err != nil {
			return nil, err
		}
		return tokensOf(f, figure)
	}
	if a, ok := lang.AsDomain(v); ok {
		return word(string(a)), nil
	}
	ty := v.Type()
	switch {
	case !v.IsKnown():
		return word("(not known)"), nil
	case ty == cty.Number && !v.IsNull() && v.AsBigFloat().IsInf():
		return word("(infinite)"), nil
	case ty == cty.Number && !v.IsNull() && !v.AsBigFloat().IsInt():
		return word(v.AsBigFloat().Text('g', digits)), nil
	case v.IsNull() || ty.IsPrimitiveType():
		return hclwrite.TokensForValue(v), nil
	case ty.IsObjectType() || ty.IsMapType():
		var attrs []hclwrite.ObjectAttrTokens
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			value, err := tokensOf(e, figure)
			if err != nil {
				return nil, err
			}
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: keyTokens(k), Value: value})
		}
		return hclwrite.TokensForObject(attrs), nil
	}
	var elems []hclwrite.Tokens
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		value, err := tokensOf(e, figure)
		if err != nil {
			return nil, err
		}
		elems = append(elems, value)
	}
	if ty.IsSetType() {
		return hclwrite.TokensForFunctionCall("toset", hclwrite.TokensForTuple(elems)), nil
	}
	return hclwrite.TokensForTuple(elems), nil
}

// word is text that stands in HCL as it is.
func word(text string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(text)}}
}

// keyTokens is a key of an object, in quotes where it is no name.
func keyTokens(k cty.Value) hclwrite.Tokens {
	if name := k.AsString(); hclsyntax.ValidIdentifier(name) {
		return word(name)
	}
	return hclwrite.TokensForValue(k)
}

// jsonOf is a value as encoding/json takes it: an address is a text, and what is sensitive is null.
func jsonOf(v cty.Value, figure func(lang.Ref) (cty.Value, error)) (any, error) {
	if config.Secret(v) {
		return nil, nil
	}
	v, _ = v.Unmark()
	if r, ok := lang.AsRef(v); ok {
		if r.Kind != "state" {
			return r.Path(), nil
		}
		f, err := figure(r)
		if err != nil {
			return nil, err
		}
		return jsonOf(f, figure)
	}
	if a, ok := lang.AsDomain(v); ok {
		return string(a), nil
	}
	ty := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil, nil
	case ty == cty.Number && v.AsBigFloat().IsInf():
		return nil, nil // JSON has no such number
	case ty.IsPrimitiveType():
		b, err := ctyjson.Marshal(v, ty)
		return json.RawMessage(b), err
	case ty.IsObjectType() || ty.IsMapType():
		m := map[string]any{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			value, err := jsonOf(e, figure)
			if err != nil {
				return nil, err
			}
			m[k.AsString()] = value
		}
		return m, nil
	}
	list := []any{}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		value, err := jsonOf(e, figure)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}
