package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// parseType reads a cty type constraint in its JSON form:
//
//	"string" | "number" | "bool" | "dynamic" | ["list", T] | ["set", T] | ["map", T] | ["tuple", [T, …]]
//	| ["object", {NAME: T, …}] | ["object", {NAME: T, …}, [OPTIONAL NAME, …]]
//
// cty's own reader panics on an optional name that the object does not have, and bounds nothing.
func parseType(b []byte) (cty.Type, error) {
	if len(b) > maxJSON {
		return cty.NilType, fmt.Errorf("%d bytes, at most %d are allowed", len(b), maxJSON)
	}
	return parseTypeAt(b, 0)
}

func parseTypeAt(b []byte, depth int) (cty.Type, error) {
	if depth > maxDepth {
		return cty.NilType, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return cty.NilType, errors.New("is empty")
	}
	if b[0] == '"' {
		return primitive(b)
	}
	var parts []json.RawMessage
	var kind string
	if err := json.Unmarshal(b, &parts); err != nil {
		return cty.NilType, fmt.Errorf("is no type: %w", err)
	}
	if len(parts) < 2 || len(parts) > 3 || json.Unmarshal(parts[0], &kind) != nil || len(parts) == 3 && kind != "object" {
		return cty.NilType, fmt.Errorf("%.40q is no type", b)
	}
	switch kind {
	case "list", "set", "map":
		e, err := parseTypeAt(parts[1], depth+1)
		if err != nil {
			return cty.NilType, err
		}
		switch kind {
		case "list":
			return cty.List(e), nil
		case "set":
			return cty.Set(e), nil
		}
		return cty.Map(e), nil
	case "tuple":
		var elems []json.RawMessage
		if err := json.Unmarshal(parts[1], &elems); err != nil {
			return cty.NilType, fmt.Errorf("is no tuple: %w", err)
		}
		types := make([]cty.Type, len(elems))
		for i, e := range elems {
			var err error
			if types[i], err = parseTypeAt(e, depth+1); err != nil {
				return cty.NilType, err
			}
		}
		return cty.Tuple(types), nil
	case "object":
		return object(parts[1:], depth)
	}
	return cty.NilType, fmt.Errorf("%.40q is no type", kind)
}

func primitive(b []byte) (cty.Type, error) {
	switch string(b) {
	case `"string"`:
		return cty.String, nil
	case `"number"`:
		return cty.Number, nil
	case `"bool"`:
		return cty.Bool, nil
	case `"dynamic"`:
		return cty.DynamicPseudoType, nil
	}
	return cty.NilType, fmt.Errorf("%.40s is no type", b)
}

func object(parts []json.RawMessage, depth int) (cty.Type, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(parts[0], &raw); err != nil {
		return cty.NilType, fmt.Errorf("is no object: %w", err)
	}
	names := make([]string, 0, len(raw))
	for n := range raw {
		names = append(names, n)
	}
	slices.Sort(names)
	attrs := make(map[string]cty.Type, len(raw))
	for _, n := range names {
		if !name.MatchString(n) {
			return cty.NilType, fmt.Errorf("%.40q is no identifier", n)
		}
		t, err := parseTypeAt(raw[n], depth+1)
		if err != nil {
			return cty.NilType, fmt.Errorf("%s: %w", n, err)
		}
		attrs[n] = t
	}
	if len(parts) == 1 {
		return cty.Object(attrs), nil
	}
	var optional []string
	if err := json.Unmarshal(parts[1], &optional); err != nil {
		return cty.NilType, fmt.Errorf("is no object: %w", err)
	}
	for _, n := range optional {
		if _, ok := attrs[n]; !ok {
			return cty.NilType, fmt.Errorf("optional attribute %.40q is not in the object", n)
		}
	}
	return cty.ObjectWithOptionalAttrs(attrs, optional), nil
}
