package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/lang"
)

// settings decodes the jupiter block of the root module, and what called modules say in theirs.
func (l *loader) settings(mod *module) {
	in := l.instance(mod, "", nil)
	if content := in.onlySettings(); content != nil {
		f := in.constants(content, settingsForm)
		var required, dir string
		f.str("required_version", &required)
		if required != "" {
			in.requireVersion(required, f.rng("required_version"))
		}
		if f.str("state_dir", &dir); dir != "" {
			l.cfg.StateDir = l.absolute(dir)
			if filepath.Clean(l.cfg.StateDir) == filepath.Clean(l.root) {
				f.fail("state_dir", "State beside the configuration", "state_dir must be a directory of its own.")
			}
		}
		f.flag("offline", &l.cfg.Offline)
		in.require(content)
	}
	in.requireOfCalled(map[*module]bool{mod: true})
	for _, p := range l.cfg.Plugins {
		if p.Source == "" {
			l.unresolved = true
			in.fail(p.Range, "Plugin without a source", "No module says where the plugin %q comes from: give its source here, or in the root module.", p.Name)
		}
	}
}

// onlySettings reads the jupiter block of a module. nil: it has none, or several.
func (in *instance) onlySettings() *hcl.BodyContent {
	blocks := in.mod.blocks["jupiter"]
	if len(blocks) == 0 {
		return nil
	}
	if len(blocks) > 1 {
		in.fail(blocks[1].DefRange, "Duplicate block", "There may be one jupiter block, and the first is at %s.", blocks[0].DefRange)
		return nil
	}
	content, diags := blocks[0].Body.Content(settingsForm.body())
	in.l.add(diags...)
	return content
}

// requireOfCalled adds what the modules that this one calls require, and those that they call. Nothing is evaluated: a
// module whose for_each is empty is called none the less. What is wrong with a call is reported as often as it is looked
// at, and shown once.
func (in *instance) requireOfCalled(seen map[*module]bool) {
	for _, b := range in.mod.blocks["module"] {
		content, _, diags := b.Body.PartialContent(moduleForm.body())
		if diags.HasErrors() {
			continue
		}
		mod := in.call(b).open(content.Attributes["source"])
		if mod == nil || seen[mod] {
			continue
		}
		seen[mod] = true
		child := in.l.instance(mod, "", in)
		if content := child.onlySettings(); content != nil {
			for _, a := range inOrder(content.Attributes) {
				child.fail(a.Range, "Settings in a called module", "%s concerns the whole program, so it belongs into the root module; a called module says only which plugins it requires.", a.Name)
			}
			child.require(content)
		}
		child.requireOfCalled(seen)
	}
}

// require decodes the required_plugins of a jupiter block: NAME = { source, version }.
func (in *instance) require(content *hcl.BodyContent) {
	for i, b := range content.Blocks {
		if i > 0 {
			in.fail(b.DefRange, "Duplicate block", "There may be one required_plugins block, and the first is at %s.", content.Blocks[0].DefRange)
			return
		}
		attrs, diags := b.Body.JustAttributes()
		in.l.add(diags...)
		f := in.constants(&hcl.BodyContent{Attributes: attrs}, pluginsForm)
		for _, a := range inOrder(attrs) {
			before := len(in.l.diags)
			in.requirePlugin(f, a)
			in.l.unresolved = in.l.unresolved || in.l.diags[before:].HasErrors()
		}
	}
}

func (in *instance) requirePlugin(f *fields, a *hcl.Attribute) {
	pluginsForm.attr(a.Name, pluginValue)
	if !hclsyntax.ValidIdentifier(a.Name) {
		in.fail(a.NameRange, "Invalid name", "%q cannot be a name: a name starts with a letter and has letters, digits, _ and -.", a.Name)
		return
	}
	names := []string{"source", "version"}
	raw, ok := f.raw(a.Name)
	if ok && raw.Type().IsObjectType() {
		for _, name := range slices.Sorted(maps.Keys(raw.Type().AttributeTypes())) {
			if !contains(names, name) {
				f.fail(a.Name, "Unsupported argument", "A required plugin has source and version, and no %s.%s", name, lang.DidYouMean(name, names))
				return
			}
		}
	}
	v, ok := f.value(a.Name, cty.ObjectWithOptionalAttrs(map[string]cty.Type{"source": cty.String, "version": cty.String}, names))
	if !ok {
		return
	}
	text := func(name string) string {
		if x := v.GetAttr(name); !x.IsNull() {
			return strings.TrimSpace(x.AsString())
		}
		return ""
	}
	p := in.l.cfg.requiredPlugin(a)
	if source := text("source"); p.Source == "" {
		p.Source = source
		if source != "" {
			p.Range = a.Range
		}
	} else if source != "" && source != p.Source {
		f.fail(a.Name, "Two sources of one plugin", "The plugin %q comes from %q here, and from %q at %s. There is one plugin of a name.", a.Name, source, p.Source, p.Range)
		return
	}
	constraint := text("version")
	if constraint == "" {
		return
	}
	if _, err := version.NewConstraint(constraint); err != nil {
		f.fail(a.Name, "Invalid version constraint", "%q is no version constraint. %s", constraint, constraintForm)
		return
	}
	p.Versions = append(p.Versions, Versions{constraint, a.Expr.Range()})
}

// requiredPlugin gives the plugin of an entry's name, and makes it where no module has named it before.
func (c *Config) requiredPlugin(a *hcl.Attribute) *RequiredPlugin {
	for _, p := range c.Plugins {
		if p.Name == a.Name {
			return p
		}
	}
	p := &RequiredPlugin{Name: a.Name, Range: a.Range}
	c.Plugins = append(c.Plugins, p)
	return p
}
