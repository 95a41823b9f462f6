package config

import (
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// collect decodes the blocks of a module and of the modules that it calls, which come first.
func (in *instance) collect() {
	for _, c := range in.calls {
		for _, child := range c.children {
			child.collect()
		}
	}
	cfg := in.l.cfg
	unique := map[string]bool{}
	once := func(b *hcl.Block) bool { // a second one was reported when it was declared
		key := b.Type + "." + strings.Join(b.Labels, ".")
		ok := !unique[key]
		unique[key] = true
		return ok
	}
	for _, kind := range lang.StageKinds {
		blocks := append(hcl.Blocks(nil), in.mod.blocks[kind]...)
		sort.SliceStable(blocks, func(i, j int) bool { return blocks[i].Labels[0] < blocks[j].Labels[0] })
		for _, b := range blocks {
			if once(b) {
				cfg.Stages = append(cfg.Stages, in.decodeStage(b)...)
			}
		}
	}
	for _, b := range in.mod.blocks["domain"] {
		if once(b) {
			cfg.Domains = append(cfg.Domains, in.decodeDomain(b))
		}
	}
	for _, b := range in.mod.blocks["cluster"] {
		if once(b) {
			cfg.Clusters = append(cfg.Clusters, in.decodeCluster(b))
		}
	}
	for _, b := range in.mod.blocks["self_improvement"] {
		if once(b) {
			c := in.decodeCycle(b)
			cfg.Cycles = append(cfg.Cycles, c)
			in.l.link(func() { in.nameAfterDomain(c) })
		}
	}
	for _, b := range in.mod.blocks["moved"] {
		in.decodeMoved(b)
	}
	in.collectNotify()
	if in.parent == nil {
		for _, b := range in.outputs {
			in.publish(b)
		}
	}
}

// collectNotify decodes the notify blocks. No expression refers to one, so they are no names of the module.
func (in *instance) collectNotify() {
	first := map[string]hcl.Range{}
	for _, b := range in.mod.blocks["notify"] {
		if at, dup := first[b.Labels[0]]; dup {
			in.fail(b.DefRange, "Duplicate name", "notify %q was already declared at %s.", b.Labels[0], at)
			continue
		}
		first[b.Labels[0]] = b.DefRange
		in.l.cfg.Notify = append(in.l.cfg.Notify, in.decodeNotify(b))
	}
}

// outputValue evaluates an output where another module, or the root's caller, can see it.
func (in *instance) outputValue(b *hcl.Block) func() (cty.Value, hcl.Diagnostics) {
	return func() (cty.Value, hcl.Diagnostics) {
		content, diags := b.Body.Content(outputForm.body())
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		v, diags := in.scope.Eval(content.Attributes["value"].Expr, nil)
		sensitive := false
		in.constants(content, outputForm).flag("sensitive", &sensitive)
		if sensitive {
			v = v.Mark(secret{})
		}
		return v, diags
	}
}

// publish makes an Output of the root module.
func (in *instance) publish(b *hcl.Block) {
	content, _, diags := b.Body.PartialContent(outputForm.body())
	if diags.HasErrors() {
		return
	}
	o := &Output{Name: b.Labels[0], Range: b.DefRange}
	f := in.constants(content, outputForm)
	f.str("description", &o.Description)
	f.flag("sensitive", &o.Sensitive)
	v := in.scope.Value("output." + b.Labels[0])
	rng := content.Attributes["value"].Expr.Range()
	if v.ContainsMarked() && !o.Sensitive {
		in.fail(rng, "Sensitive value", "The output %q shows the value of a sensitive variable. Add sensitive = true to keep it hidden.", o.Name)
		return
	}
	v, _ = v.UnmarkDeep()
	if r, ok := lang.AsRef(v); ok && r.Kind == "state" {
		o.Ref, o.Value = r.Path(), cty.UnknownVal(lang.StateSides[r.Side])
	} else if hasState(v) {
		in.fail(rng, "Output mixes state with other values", "A figure of the state is known only when the output is shown, so an output is that figure and nothing else: value = self_improvement.NAME.current.")
		return
	} else {
		o.Value = lang.Spell(v)
	}
	in.l.cfg.Outputs = append(in.l.cfg.Outputs, o)
}

// hasState says whether v holds a figure of the state.
func hasState(v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if r, ok := lang.AsRef(e); ok && r.Kind == "state" {
			found = true
		}
		return !found, nil
	})
	return found
}

// decodeMoved decodes a moved block. Its two addresses are not evaluated: one of them does not exist any more.
func (in *instance) decodeMoved(b *hcl.Block) {
	content, diags := b.Body.Content(movedForm.body())
	in.l.add(diags...)
	if diags.HasErrors() {
		return
	}
	m := &Moved{Range: b.DefRange}
	for name, into := range map[string]*addr.Address{"from": &m.From, "to": &m.To} {
		a, ok := in.address(content.Attributes[name])
		if !ok {
			return
		}
		*into = a
	}
	to := content.Attributes["to"].Expr.Range()
	if m.From == m.To {
		in.fail(to, "Moved to itself", "from and to are the same address, %s.", m.From)
		return
	}
	for _, other := range in.l.cfg.Moved {
		if other.From == m.From {
			in.fail(b.DefRange, "Moved twice", "%s was already moved to %s at %s.", m.From, other.To, other.Range)
			return
		}
	}
	in.l.cfg.Moved = append(in.l.cfg.Moved, m)
	in.l.link(func() {
		if in.l.cfg.declares(m.From) {
			in.fail(content.Attributes["from"].Expr.Range(), "Moved but still there", "%s is still declared, so what was recorded there belongs to it.", m.From)
		} else if end, ok := in.l.cfg.movedTo(m.To); !ok {
			in.fail(to, "Moved to nowhere", "%s is not declared.", end)
		}
	})
}

// movedTo follows an address through the moved blocks: who has renamed twice keeps both blocks, for states that saw
// neither. It says where that ends, and whether something is declared there.
func (c *Config) movedTo(a addr.Address) (end addr.Address, declared bool) {
	for range len(c.Moved) + 1 {
		if c.declares(a) {
			return a, true
		}
		next := slices.IndexFunc(c.Moved, func(m *Moved) bool { return a.Under(m.From) })
		if next < 0 {
			return a, false
		}
		a = a.Rebase(c.Moved[next].From, c.Moved[next].To)
	}
	return a, false // in a circle
}

// declares says whether a stage or a cycle of the configuration is under an address.
func (c *Config) declares(a addr.Address) bool {
	for _, s := range c.Stages {
		if s.Addr.Under(a) {
			return true
		}
	}
	for _, k := range c.Cycles {
		if k.Addr.Under(a) {
			return true
		}
	}
	return false
}

// address reads an attribute as the address of a stage, a cycle or a module, without evaluating it.
func (in *instance) address(a *hcl.Attribute) (addr.Address, bool) {
	t, diags := hcl.AbsTraversalForExpr(a.Expr)
	if diags.HasErrors() {
		return in.noAddress(a)
	}
	at, rest := in.at, t
	for rest[0].(hcl.TraverseRoot).Name == "module" && len(rest) > 1 {
		step, ok := rest[1].(hcl.TraverseAttr)
		if !ok {
			return in.noAddress(a)
		}
		at, rest = addr.Module(at, step.Name), rest[2:]
		if at, rest, ok = instanceKey(at, rest); !ok {
			return in.noAddress(a)
		}
		if len(rest) == 0 {
			return at, true
		}
		next, ok := rest[0].(hcl.TraverseAttr)
		if !ok {
			return in.noAddress(a)
		}
		rest = append(hcl.Traversal{hcl.TraverseRoot{Name: next.Name, SrcRange: next.SrcRange}}, rest[1:]...)
	}
	ref, diags := lang.ParseReference(rest)
	if diags.HasErrors() || !contains(lang.StageKinds, ref.Root) && ref.Root != "self_improvement" {
		return in.noAddress(a)
	}
	at, rest, ok := instanceKey(addr.Block(at, ref.Root, ref.Labels...), ref.Rest)
	if !ok || len(rest) > 0 {
		return in.noAddress(a)
	}
	return at, true
}

func (in *instance) noAddress(a *hcl.Attribute) (addr.Address, bool) {
	in.fail(a.Expr.Range(), "Address expected", "%s is the address of a stage, a cycle or a module, written without quotes and without ${ }: trainer.llama.old.", a.Name)
	return "", false
}

// instanceKey adds the key that a traversal begins with, if it does.
func instanceKey(a addr.Address, t hcl.Traversal) (addr.Address, hcl.Traversal, bool) {
	if len(t) == 0 {
		return a, t, true
	}
	ix, ok := t[0].(hcl.TraverseIndex)
	if !ok {
		return a, t, true
	}
	if ix.Key.Type() != cty.String || ix.Key.IsNull() {
		return a, t, false
	}
	return a.Instance(ix.Key.AsString()), t[1:], true
}
