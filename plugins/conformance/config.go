package conformance

import (
	"encoding/json"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plugins/schema"
)

// complete fills the defaults into an object of attributes and blocks, as the host's configuration language does, and holds
// the values to their types: garbage never reaches a plugin from a plan.
func complete(given map[string]json.RawMessage, attrs []schema.Attribute, blocks []schema.Block, at string) error {
	known := map[string]bool{}
	for _, a := range attrs {
		known[a.Name] = true
		raw := given[a.Name]
		absent := len(raw) == 0 || string(raw) == "null"
		switch {
		case absent && a.Required:
			return notChecked("attribute %s%s is required and has no default: give it a value with --config", at, a.Name)
		case absent && a.Default != cty.NilVal:
			b, err := ctyjson.Marshal(a.Default, a.Type)
			if err != nil {
				return fmt.Errorf("default of %s%s: %w", at, a.Name, err)
			}
			given[a.Name] = b
		case absent:
			delete(given, a.Name)
		default:
			v, err := ctyjson.Unmarshal(raw, a.Type)
			if err != nil {
				return notChecked("--config, attribute %s%s: %v", at, a.Name, err)
			}
			if given[a.Name], err = ctyjson.Marshal(v, a.Type); err != nil {
				return err
			}
		}
	}
	for _, b := range blocks {
		known[b.Type] = true
		if err := completeBlock(given, b, at); err != nil {
			return err
		}
	}
	for name := range given {
		if !known[name] {
			return notChecked("--config: there is no attribute or block %s%s", at, name)
		}
	}
	return nil
}

func completeBlock(given map[string]json.RawMessage, b schema.Block, at string) error {
	raw := given[b.Type]
	if len(raw) == 0 || string(raw) == "null" {
		switch {
		case b.MinItems > 0:
			return notChecked("block %s%s has to be there: give it with --config", at, b.Type)
		case b.Nesting == "list":
			given[b.Type] = json.RawMessage("[]")
		case b.Nesting == "map":
			given[b.Type] = json.RawMessage("{}")
		default:
			delete(given, b.Type)
		}
		return nil
	}
	var one map[string]json.RawMessage
	var many []map[string]json.RawMessage
	var named map[string]map[string]json.RawMessage
	var whole any = &one
	switch b.Nesting {
	case "list":
		whole = &many
	case "map":
		whole = &named
	}
	if err := json.Unmarshal(raw, whole); err != nil {
		return notChecked("--config, block %s%s: %v", at, b.Type, err)
	}
	all := many
	if one != nil {
		all = append(all, one)
	}
	for _, n := range named {
		all = append(all, n)
	}
	for _, o := range all {
		if err := complete(o, b.Attributes, b.Blocks, at+b.Type+"."); err != nil {
			return err
		}
	}
	out, err := json.Marshal(whole)
	given[b.Type] = out
	return err
}
