package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/host"
	"jupiter/plugins/schema"
)

// validate asks about one configuration.
func (s *subject) validate(ctx context.Context, config []byte) ([]schema.Diagnostic, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	st, err := s.on(ctx, s.host)
	if err != nil {
		return nil, err
	}
	return st.Validate(ctx, config)
}

// refused is the first error among diagnostics, or "".
func refused(diags []schema.Diagnostic) string {
	for _, d := range diags {
		if d.IsError() {
			return d.Summary + ": " + d.Detail
		}
	}
	return ""
}

func validatePlain(ctx context.Context, s *subject) error {
	config, err := s.configuration()
	if err != nil {
		return err
	}
	first, err := s.validate(ctx, config)
	if err != nil {
		return err
	}
	again, err := s.validate(ctx, config)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(first, again) {
		return fmt.Errorf("it has other diagnostics the second time: %v, then %v", first, again)
	}
	if why := refused(first); why != "" {
		return notChecked("it refuses the configuration (%s): give another one with --config", why)
	}
	return nil
}

// trial is a hostile value for one attribute or block.
type trial struct {
	name   string
	config []byte
}

// trials give each attribute each hostile value, with all others as they are, and each block bodies of such values.
func (s *subject) trials() (all []trial, err error) {
	plain, err := s.configuration()
	var needs *open
	if errors.As(err, &needs) { // what is required has no value: then a hostile one has to do
		plain = []byte("{}")
	} else if err != nil {
		return nil, err
	}
	with := func(name string, v json.RawMessage) error {
		given := map[string]json.RawMessage{}
		if err := json.Unmarshal(plain, &given); err != nil {
			return err
		}
		for _, other := range s.schema.Attributes {
			if other.Required && given[other.Name] == nil {
				given[other.Name] = hostile(other.Type, 0)[0]
			}
		}
		given[name] = v
		b, err := json.Marshal(given)
		all = append(all, trial{name, b})
		return err
	}
	for _, a := range s.schema.Attributes {
		if len(a.Accepts) > 0 {
			continue // a reference, which the host resolves
		}
		for _, v := range hostile(a.Type, 0) {
			if err := with(a.Name, v); err != nil {
				return nil, err
			}
		}
	}
	for _, block := range s.schema.Blocks {
		for _, v := range hostileBlocks(block, 0) {
			if err := with(block.Type, v); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func validateHostile(ctx context.Context, s *subject) error {
	all, err := s.trials()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return notChecked("its schema has neither attributes nor blocks")
	}
	for _, t := range all {
		if _, err := s.validate(ctx, t.config); err != nil {
			return fmt.Errorf("%s = %s: %w", t.name, clip(valueOf(t)), err)
		}
	}
	return nil
}

func valueOf(t trial) string {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(t.config, &m); err != nil {
		return "?"
	}
	return string(m[t.name])
}

func clip(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%.60s… (%d bytes)", s, len(s))
	}
	return s
}

// foreign has an attribute that no schema has.
const foreign = `{"no such attribute": 1}`

// malformed are configurations that no host sends. Each has a member that no schema has, so that none fits by chance.
var malformed = []string{
	`{`, `[]`, `"text"`, `null1`, "\x00\xff\xfe", foreign, `{"a":` + nest(2000) + `}`,
}

func nest(n int) string {
	b := make([]byte, 0, 2*n)
	for range n {
		b = append(b, '[')
	}
	for range n {
		b = append(b, ']')
	}
	return string(b)
}

// validateMalformed sends what no host does, and what an earlier or later version of the host might: a plugin is not the
// only thing that can be wrong.
func validateMalformed(ctx context.Context, s *subject) error {
	for _, m := range malformed {
		diags, err := s.validate(ctx, []byte(m))
		var se *host.StageError
		switch {
		case errors.As(err, &se) && se.Code == "InvalidArgument":
		case err != nil:
			return fmt.Errorf("the configuration %q: %w", clip(m), err)
		case refused(diags) == "":
			return fmt.Errorf("the configuration %q has no error", clip(m))
		}
	}
	if _, _, err := s.host.Describe(ctx, s.bench.name()); err != nil {
		return fmt.Errorf("after malformed configurations: %w", err)
	}
	return nil
}

func validatePaths(ctx context.Context, s *subject) error {
	all, err := s.trials()
	if err != nil {
		return err
	}
	said := 0
	for _, t := range all {
		diags, err := s.validate(ctx, t.config)
		if err != nil {
			return notChecked("validate fails, see validate-hostile")
		}
		for _, d := range diags {
			if said++; !leads(d.Path, s.schema.Attributes, s.schema.Blocks) {
				return fmt.Errorf("the diagnostic %q points to %s, which the schema does not have", d.Summary, spell(d.Path))
			}
		}
	}
	if said == 0 {
		return notChecked("no configuration that was tried has a diagnostic")
	}
	return nil
}

// validateItems asks about several configurations at once, as a plan does. What is said of each has to come under its
// address.
func validateItems(ctx context.Context, s *subject) error {
	plain, err := s.configuration()
	if err != nil {
		return err
	}
	all, err := s.trials()
	if err != nil {
		return err
	}
	for _, t := range append(all, trial{config: []byte(foreign)}) { // the last is wrong in any case, but may be an error
		bad, err := s.validate(ctx, t.config)
		var se *host.StageError
		if errors.As(err, &se) || err == nil && len(bad) == 0 {
			continue
		}
		if err != nil {
			return err
		}
		good, err := s.validate(ctx, plain)
		if err != nil {
			return err
		}
		ctx, cancel := s.within(ctx)
		defer cancel()
		item := func(config []byte) host.Item {
			return host.Item{Kind: s.schema.Kind, Type: s.schema.Type, Config: config}
		}
		got, err := s.host.Validate(ctx, []host.Item{item(plain), item(t.config), item(plain), item(t.config)})
		if err != nil {
			return err
		}
		for i, want := range [][]schema.Diagnostic{good, bad, good, bad} {
			if !reflect.DeepEqual(got[i], want) {
				return fmt.Errorf("of %d configurations in a request number %d has the diagnostics %v, and %v alone", len(got), i+1, got[i], want)
			}
		}
		return nil
	}
	return notChecked("no configuration that was tried has a diagnostic")
}

// leads says whether a path leads somewhere in a body of a schema.
func leads(path cty.Path, attrs []schema.Attribute, blocks []schema.Block) bool {
	if len(path) == 0 {
		return true
	}
	name, ok := path[0].(cty.GetAttrStep)
	if !ok {
		return false
	}
	if i := slices.IndexFunc(attrs, func(a schema.Attribute) bool { return a.Name == name.Name }); i >= 0 {
		return within(path[1:], attrs[i].Type)
	}
	i := slices.IndexFunc(blocks, func(b schema.Block) bool { return b.Type == name.Name })
	if i < 0 {
		return false
	}
	rest := path[1:]
	if len(rest) > 0 {
		if _, index := rest[0].(cty.IndexStep); index {
			rest = rest[1:]
		}
	}
	return leads(rest, blocks[i].Attributes, blocks[i].Blocks)
}

// within says whether a path leads somewhere in a value of a type.
func within(path cty.Path, t cty.Type) bool {
	for _, step := range path {
		name, named := step.(cty.GetAttrStep)
		switch {
		case t == cty.DynamicPseudoType:
			return true
		case named && t.IsObjectType() && t.HasAttribute(name.Name):
			t = t.AttributeType(name.Name)
		case t.IsMapType() || !named && (t.IsListType() || t.IsSetType()):
			t = t.ElementType()
		case !named && t.IsTupleType() && t.Length() > 0:
			return true // elements differ in type, and no constructor of a schema makes one
		default:
			return false
		}
	}
	return true
}

func spell(path cty.Path) string {
	s := ""
	for _, step := range path {
		switch step := step.(type) {
		case cty.GetAttrStep:
			s += "." + step.Name
		case cty.IndexStep:
			s += fmt.Sprintf("[%#v]", step.Key)
		}
	}
	return s
}
