package schema

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plugins/proto/pluginv1"
)

// What a plugin's schema may hold. A schema comes from another program: it is bounded before it is believed.
const (
	maxAttributes = 512     // of a stage, its blocks included
	maxDepth      = 8       // of blocks in blocks, and of types in types
	maxJSON       = 1 << 18 // bytes of a type or a default
	maxText       = 1 << 14 // bytes of a description
	maxList       = 64      // media types and features
	maxWord       = 200     // bytes of one
)

var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// FromProto reads the stage that a plugin of a name and version describes. It refuses what the language cannot express:
// names that are no identifiers, are there twice or belong to the core, types that are not cty's, defaults of another
// type.
func FromProto(plugin, version string, p *pluginv1.Stage) (*Stage, error) {
	kind, ok := KindName(p.GetKind())
	if !ok {
		return nil, fmt.Errorf("plugin %s: stage %.40q is of a kind that this version does not know (%d)", plugin, p.GetName(), p.GetKind())
	}
	s, err := fromProto(plugin, version, kind, p)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: schema of %s %.40q: %w", plugin, kind, p.GetName(), err)
	}
	return s, nil
}

func fromProto(plugin, version, kind string, p *pluginv1.Stage) (*Stage, error) {
	if !name.MatchString(p.Name) {
		return nil, errors.New("its name is no identifier")
	}
	for _, list := range [][]string{p.Consumes, p.Produces, p.Features} {
		if err := words(list); err != nil {
			return nil, fmt.Errorf("media types and features: %w", err)
		}
	}
	description, err := text(p.GetSchema().GetDescription())
	if err != nil {
		return nil, err
	}
	r := reader{left: maxAttributes, reserved: Reserved(kind)}
	attrs, blocks, err := r.body(p.GetSchema(), 0)
	if err != nil {
		return nil, err
	}
	return &Stage{
		Plugin: plugin, Version: version, Kind: kind, Type: p.Name, Revision: p.Revision,
		Deterministic: p.Deterministic, Resumable: p.Resumable, NeedsNetwork: p.NeedsNetwork, Concurrent: p.Concurrent,
		Consumes: p.Consumes, Produces: p.Produces, Features: p.Features,
		Description: description, Attributes: attrs, Blocks: blocks,
	}, nil
}

type reader struct {
	left     int      // attributes and blocks that may still come
	reserved []string // at the top
}

func (r *reader) body(p *pluginv1.Schema, depth int) ([]Attribute, []Block, error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("blocks are nested more than %d deep", maxDepth)
	}
	seen := map[string]bool{}
	declare := func(n string) error {
		switch r.left--; {
		case r.left < 0:
			return fmt.Errorf("more than %d attributes and blocks", maxAttributes)
		case !name.MatchString(n):
			return fmt.Errorf("%.40q is no identifier", n)
		case seen[n]:
			return fmt.Errorf("%q is there twice", n)
		case depth == 0 && slices.Contains(r.reserved, n):
			return fmt.Errorf("%q belongs to the core: the stage has to call it otherwise", n)
		}
		seen[n] = true
		return nil
	}
	var attrs []Attribute
	for _, pa := range p.GetAttributes() {
		if err := declare(pa.GetName()); err != nil {
			return nil, nil, err
		}
		a, err := attribute(pa)
		if err != nil {
			return nil, nil, fmt.Errorf("attribute %q: %w", pa.Name, err)
		}
		attrs = append(attrs, a)
	}
	var blocks []Block
	for _, pb := range p.GetBlocks() {
		if err := declare(pb.GetType()); err != nil {
			return nil, nil, err
		}
		b, err := r.block(pb, depth)
		if err != nil {
			return nil, nil, fmt.Errorf("block %q: %w", pb.Type, err)
		}
		blocks = append(blocks, b)
	}
	slices.SortFunc(attrs, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(blocks, func(a, b Block) int { return strings.Compare(a.Type, b.Type) })
	return attrs, blocks, nil
}

func (r *reader) block(p *pluginv1.NestedBlock, depth int) (Block, error) {
	b := Block{Type: p.Type, MinItems: p.MinItems, MaxItems: p.MaxItems}
	switch p.Nesting {
	case pluginv1.NestedBlock_NESTING_SINGLE:
		b.Nesting = "single"
		if p.MinItems > 1 || p.MaxItems > 1 {
			return b, errors.New("a single block is there once at most")
		}
	case pluginv1.NestedBlock_NESTING_LIST:
		b.Nesting = "list"
	case pluginv1.NestedBlock_NESTING_MAP:
		b.Nesting = "map"
	default:
		return b, fmt.Errorf("unknown nesting %d", p.Nesting)
	}
	if p.MaxItems > 0 && p.MinItems > p.MaxItems {
		return b, fmt.Errorf("at least %d and at most %d items", p.MinItems, p.MaxItems)
	}
	var err error
	b.Attributes, b.Blocks, err = r.body(p.Schema, depth+1)
	return b, err
}

func attribute(p *pluginv1.Attribute) (Attribute, error) {
	a := Attribute{Name: p.Name, Required: p.Required, Sensitive: p.Sensitive, Accepts: p.Accepts, Environment: p.Environment}
	if err := words(p.Accepts); err != nil {
		return a, fmt.Errorf("accepts: %w", err)
	}
	var err error
	if a.Type, err = parseType(p.Type); err != nil {
		return a, fmt.Errorf("type: %w", err)
	}
	if a.Environment && (a.Type != cty.String || a.Sensitive) {
		return a, errors.New("what names a variable of the environment is a text, and no secret")
	}
	if a.Default, err = parseDefault(p, a.Type); err != nil {
		return a, fmt.Errorf("default: %w", err)
	}
	if a.Description, err = text(p.Description); err != nil {
		return a, err
	}
	if a.Deprecated, err = text(p.Deprecated); err != nil {
		return a, err
	}
	switch p.Effect {
	case pluginv1.Effect_EFFECT_UNSPECIFIED, pluginv1.Effect_EFFECT_RERUN:
		a.Effect = Rerun
	case pluginv1.Effect_EFFECT_ADVANCE:
		a.Effect = Advance
	case pluginv1.Effect_EFFECT_NONE:
		a.Effect = None
	default:
		return a, fmt.Errorf("unknown effect %d", p.Effect)
	}
	return a, nil
}

// parseDefault gives the default of an attribute, or NilVal.
func parseDefault(p *pluginv1.Attribute, t cty.Type) (cty.Value, error) {
	if len(p.Default) == 0 {
		return cty.NilVal, nil
	}
	switch {
	case len(p.Default) > maxJSON:
		return cty.NilVal, fmt.Errorf("%d bytes, at most %d are allowed", len(p.Default), maxJSON)
	case p.Required:
		return cty.NilVal, errors.New("the attribute is required")
	case len(p.Accepts) > 0:
		return cty.NilVal, errors.New("the attribute takes a reference")
	}
	var v ctyjson.SimpleJSONValue
	if err := v.UnmarshalJSON(p.Default); err != nil {
		return cty.NilVal, err
	}
	d, err := convert.Convert(v.Value, t)
	if err != nil {
		return cty.NilVal, err
	}
	if d.IsNull() {
		return cty.NilVal, nil
	}
	return d, nil
}

// words refuses a list that is long, or of what is no media type and no name of a feature.
func words(list []string) error {
	if len(list) > maxList {
		return fmt.Errorf("%d words, at most %d are allowed", len(list), maxList)
	}
	for _, w := range list {
		if w == "" || len(w) > maxWord || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			return fmt.Errorf("%.40q is no word", w)
		}
	}
	return nil
}

// text refuses what cannot be shown on a terminal.
func text(s string) (string, error) {
	if len(s) > maxText {
		return "", fmt.Errorf("a description of %d bytes, at most %d are allowed", len(s), maxText)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return Controls(r) && r != '\n' && r != '\t' }) {
		return "", errors.New("a description has control characters")
	}
	return s, nil
}
