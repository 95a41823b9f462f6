package config

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// defaultCycle has the defaults that the language documents.
func defaultCycle() Cycle {
	return Cycle{
		EvalEverySteps: 5000, ImprovementThreshold: 0.05, MinStepsBeforeReplace: 10000, BenchmarkSamples: 500, GuardSamples: 1000,
		KeepLastNCheckpoints: 3, AlwaysKeepBaseGenerator: true, ThresholdKind: "relative", Patience: 5, Promotion: "auto",
		Regenerate: "promotion", Pool: "accumulate", PoolCap: 10, Verify: true,
		Weights: Weights{Accuracy: 0.40, Coherence: 0.30, Domain: 0.30}, Alpha: 0.05, Guard: map[string]Limit{},
	}
}

// decodeCycle decodes a self_improvement block. An empty label is a block without one.
func (in *instance) decodeCycle(b *hcl.Block) *Cycle {
	content, diags := b.Body.Content(cycleForm.body())
	in.l.add(diags...)
	c := defaultCycle()
	c.Name, c.Range = b.Labels[0], b.DefRange
	c.Addr = addr.Block(in.at, "self_improvement", b.Labels...)
	f := in.fields(content, cycleForm, nil)
	c.Attrs = f.ranges()
	in.cycleSettings(&c, f)
	for typ, nested := range in.once(content.Blocks) {
		c.Attrs[typ] = Attr{Range: nested.DefRange}
		switch typ {
		case "gate":
			g := in.block(nested, gateForm, nil, c.Attrs)
			g.within("alpha", &c.Alpha)
			g.flag("strict", &c.Strict)
		case "guard":
			in.decodeGuard(&c, nested)
		case "budget":
			in.budget(nested, nil, c.Attrs, &c.Budget)
		}
	}
	in.cycleParts(&c, f)
	return &c
}

// cycleSettings decodes the numbers and words of a cycle.
func (in *instance) cycleSettings(c *Cycle, f *fields) {
	f.count("eval_every_steps", &c.EvalEverySteps)
	f.within("improvement_threshold", &c.ImprovementThreshold)
	f.choice("threshold_kind", &c.ThresholdKind)
	f.count("min_steps_before_replace", &c.MinStepsBeforeReplace)
	f.count("benchmark_samples", &c.BenchmarkSamples)
	f.count("guard_samples", &c.GuardSamples)
	f.count("keep_last_n_checkpoints", &c.KeepLastNCheckpoints)
	f.flag("always_keep_base_generator", &c.AlwaysKeepBaseGenerator)
	f.count("patience", &c.Patience)
	f.count("max_cycles", &c.MaxCycles)
	f.choice("promotion", &c.Promotion)
	f.count("pin_generator", &c.PinGenerator)
	f.choice("regenerate", &c.Regenerate)
	f.choice("pool", &c.Pool)
	f.positive("pool_cap", &c.PoolCap)
	f.count("max_repeats", &c.MaxRepeats)
	f.flag("verify", &c.Verify)
	if f.attrs["mix_ratio"] != nil {
		c.MixRatio = f.shares("mix_ratio")
	}
	w, ok := f.parts("weights")
	if !ok {
		return
	}
	c.Weights = Weights{} // what a weights object leaves out counts nothing
	for name, into := range map[string]*float64{"accuracy": &c.Weights.Accuracy, "coherence": &c.Weights.Coherence, "domain": &c.Weights.Domain} {
		if v := w.GetAttr(name); !v.IsNull() {
			*into, _ = v.AsBigFloat().Float64()
		}
		if *into < 0 || *into > 1 {
			f.fail("weights", "Weight out of range", "The weight of %s is %g; a weight lies between 0 and 1.", name, *into)
		}
	}
	for name := range objectKeys(f, "weights") {
		if !w.Type().HasAttribute(name) {
			f.fail("weights", "Unknown component", "A score has the components accuracy, coherence and domain, and no %q.", name)
		}
	}
}

// objectKeys are the keys of an attribute that is written as an object.
func objectKeys(f *fields, name string) map[string]bool {
	keys := map[string]bool{}
	if v, ok := f.raw(name); ok && !v.IsMarked() && (v.Type().IsObjectType() || v.Type().IsMapType()) {
		for k := range v.AsValueMap() {
			keys[k] = true
		}
	}
	return keys
}

// decodeGuard decodes overrides of the guard's thresholds: MEASURE = { warn, halt }.
func (in *instance) decodeGuard(c *Cycle, b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	in.l.add(diags...)
	f := in.fields(&hcl.BodyContent{Attributes: attrs}, guardForm, nil)
	measures := guardForm.own()
	for _, a := range inOrder(attrs) {
		c.Attrs["guard."+a.Name] = Attr{Range: a.Range}
		if !contains(measures, a.Name) {
			in.fail(a.NameRange, "Unknown measure", "The guard measures %s, and no %q.%s", quoted(measures), a.Name, lang.DidYouMean(a.Name, measures))
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(objectKeys(f, a.Name))) {
			if key != "warn" && key != "halt" {
				f.fail(a.Name, "Unknown limit", "A measure has the limits warn and halt, and no %q.", key)
			}
		}
		v, ok := f.parts(a.Name)
		if !ok {
			continue
		}
		l := Limit{Warn: math.NaN(), Halt: math.NaN()}
		for name, into := range map[string]*float64{"warn": &l.Warn, "halt": &l.Halt} {
			if x := v.GetAttr(name); !x.IsNull() {
				*into, _ = x.AsBigFloat().Float64()
			}
			if *into <= 0 {
				f.fail(a.Name, "Number out of range", "A limit of the guard is above 0, and %s is %g.", name, *into)
			}
		}
		c.Guard[a.Name] = l
	}
}

// part is one of the stages that a cycle is made of.
type part struct {
	kind string
	into func(*Cycle) **Stage
}

func cycleStages() []part {
	return []part{
		{"generator", func(c *Cycle) **Stage { return &c.Generator }},
		{"trainer", func(c *Cycle) **Stage { return &c.Trainer }},
		{"exporter", func(c *Cycle) **Stage { return &c.Exporter }},
		{"evaluator", func(c *Cycle) **Stage { return &c.Evaluator }},
	}
}

// cycleParts finds what a cycle is made of. A block with a label names its parts; one without takes what it does not
// name where there is only one.
func (in *instance) cycleParts(c *Cycle, f *fields) {
	l, named := in.l, c.Name != ""
	if a, ok := f.domain("domain"); ok {
		l.link(func() {
			for _, d := range l.cfg.Domains {
				if d.Addr == a {
					c.Domain = d
				}
			}
		})
	} else if f.attrs["domain"] == nil {
		if named {
			in.missingPart(c, "domain", "domain = module.NAME.domain")
		}
		l.link(func() { in.onlyDomain(c) })
	}
	for _, p := range cycleStages() {
		if r, ok := f.ref(p.kind); ok {
			l.link(func() { *p.into(c) = l.stages[string(r.Addr)] })
		} else if f.attrs[p.kind] == nil {
			if named {
				in.missingPart(c, p.kind, p.kind+" = "+p.kind+".TYPE.NAME")
				continue
			}
			l.link(func() { *p.into(c) = in.onlyStage(c, p.kind) })
		}
	}
	if f.attrs["filters"] != nil {
		for _, r := range f.refList("filters") {
			l.link(func() {
				if s := l.stages[string(r.Addr)]; s != nil {
					c.Filters = append(c.Filters, s)
				}
			})
		}
	} else if !named {
		l.link(func() { in.onlyFilter(c) })
	}
	successor, hasSuccessor := f.ref("successor")
	cluster, hasCluster := f.ref("cluster")
	l.link(func() {
		if c.Successor = c.Generator; hasSuccessor {
			c.Successor = l.stages[string(successor.Addr)]
		}
		if c.Generator != nil && c.Generator.Model != "" {
			c.Base = l.stages[string(c.Generator.Model)]
		}
		if hasCluster {
			c.Cluster = l.resolveCluster(cluster)
		} else if !named && f.attrs["cluster"] == nil {
			in.onlyCluster(c)
		}
	})
}

func (in *instance) missingPart(c *Cycle, name, example string) {
	in.fail(c.Range, "Missing required argument", "A cycle with a name says what it is made of: add %s. (A self_improvement block without a name takes the only one that there is.)", example)
}

// onlyDomain gives a cycle without a name the only domain and its name.
func (in *instance) onlyDomain(c *Cycle) {
	ds := in.l.cfg.Domains
	if c.Name != "" {
		return
	}
	if len(ds) != 1 {
		var names []string
		for _, d := range ds {
			names = append(names, string(d.Addr))
		}
		in.choose(c, "domain", names)
		return
	}
	c.Domain = ds[0]
	in.nameAfterDomain(c)
}

// nameAfterDomain names a cycle without a label.
func (in *instance) nameAfterDomain(c *Cycle) {
	if c.Name == "" && c.Domain != nil {
		c.Name = c.Domain.Name()
		c.Addr = addr.Block(in.at, "self_improvement", c.Name)
	}
}

// onlyStage finds the only stage of a kind. A trainer with a data set of its own stands alone and is no candidate, and neither is
// a generator that is the teacher of a benchmark.
func (in *instance) onlyStage(c *Cycle, kind string) *Stage {
	var found []*Stage
	var names []string
	teaches := map[*Stage]bool{}
	builds(in.l.cfg, func(_ *Domain, b *Build) { teaches[b.Teacher] = true })
	for _, s := range in.l.cfg.Stages {
		if s.Kind == kind && s.Dataset.Domain == "" && !teaches[s] {
			found, names = append(found, s), append(names, string(s.Addr))
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	in.choose(c, kind, names)
	return nil
}

func (in *instance) onlyFilter(c *Cycle) {
	var found []*Stage
	var names []string
	for _, s := range in.l.cfg.Stages {
		if s.Kind == "filter" {
			found, names = append(found, s), append(names, string(s.Addr))
		}
	}
	if len(found) > 1 {
		in.choose(c, "filters", names)
		return
	}
	c.Filters = found
}

func (in *instance) onlyCluster(c *Cycle) {
	switch cs := in.l.cfg.Clusters; len(cs) {
	case 0:
	case 1:
		c.Cluster = cs[0]
	default:
		var names []string
		for _, k := range cs {
			names = append(names, string(k.Addr))
		}
		in.choose(c, "cluster", names)
	}
}

// choose says that a block without a name found none or several candidates.
func (in *instance) choose(c *Cycle, what string, names []string) {
	if len(names) == 0 {
		in.fail(c.Range, "Nothing to choose", "This self_improvement block does not say its %s, and the configuration has none.", what)
		return
	}
	in.fail(c.Range, "Ambiguous choice", "This self_improvement block does not say its %s, and there are several: %s. Name one in the block.", what, strings.Join(names, ", "))
}
