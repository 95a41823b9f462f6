package config

import (
	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// decodeStage decodes a stage's block, once for each instance.
func (in *instance) decodeStage(b *hcl.Block) []*Stage {
	rep := in.repetition(b)
	if rep.failed {
		return nil
	}
	content, rest, diags := b.Body.PartialContent(stageForm(b.Type).body())
	in.l.add(diags...)
	d := in.decoder(b.Type, b.Labels[0], b.LabelRanges[0])
	var out []*Stage
	for _, each := range rep.instances() {
		s := &Stage{
			Addr: instanceAt(addr.Block(in.at, b.Type, b.Labels...), each),
			Kind: b.Type, Type: b.Labels[0], Name: b.Labels[1], Range: b.DefRange,
		}
		f := in.fields(content, stageForm(b.Type), each)
		s.Attrs = f.ranges()
		in.stageFields(s, f)
		in.stageBlocks(s, content, each)
		if d != nil {
			s.Body = d.decode(in, rest, each)
		}
		in.l.link(func() { in.l.atEndpoint(s) })
		in.l.stages[string(s.Addr)] = s
		out = append(out, s)
	}
	return out
}

// stageFields decodes the core's own attributes.
func (in *instance) stageFields(s *Stage, f *fields) {
	for _, r := range f.refList("depends_on") {
		s.DependsOn = append(s.DependsOn, r.Addr)
	}
	f.str("node", &s.Node)
	switch s.Kind {
	case "generator":
		if r, from, ok := f.trainerOrPath("model"); ok {
			s.Model, s.Import = r.Addr, from
		}
		f.count("samples", &s.Samples)
		f.count("seed", &s.Seed)
	case "trainer":
		if r, ok := f.ref("dataset"); ok {
			s.Dataset = DatasetRef{Domain: r.Addr, Side: r.Side}
		}
		if r, from, ok := f.trainerOrPath("start"); ok {
			s.Import = from
			in.l.link(func() { s.Start = in.l.stages[string(r.Addr)] })
		}
		f.count("max_steps", &s.MaxSteps)
		f.count("schedule_steps", &s.ScheduleSteps)
		f.count("save_every_steps", &s.SaveEverySteps)
		f.count("seed", &s.Seed)
	}
}

// stageBlocks decodes the core's own blocks. Each may stand once.
func (in *instance) stageBlocks(s *Stage, content *hcl.BodyContent, each *lang.Each) {
	for typ, b := range in.once(content.Blocks) {
		s.Attrs[typ] = Attr{Range: b.DefRange}
		switch typ {
		case "select":
			s.Select = &Select{}
			f := in.block(b, selectForm, each, s.Attrs)
			f.str("split", &s.Select.Split)
			f.count("every", &s.Select.Every)
		case "lifecycle":
			f := in.block(b, lifecycleForm, each, s.Attrs)
			f.flag("prevent_destroy", &s.Lifecycle.PreventDestroy)
			s.Lifecycle.IgnoreChanges = f.names("ignore_changes")
		case "timeouts":
			f := in.block(b, timeoutsForm, each, s.Attrs)
			f.duration("run", &s.Timeouts.Run)
			f.duration("stop", &s.Timeouts.Stop)
			f.duration("stall", &s.Timeouts.Stall)
		case "limits":
			f := in.block(b, limitsForm, each, s.Attrs)
			f.positive("memory_gb", &s.Limits.MemoryGB)
			f.count("processes", &s.Limits.Processes)
		case "budget":
			in.budget(b, each, s.Attrs, &s.Budget)
		case "prices":
			s.Prices = &Prices{}
			f := in.block(b, pricesForm, each, s.Attrs)
			f.str("version", &s.Prices.Version)
			f.within("usd_per_million_input", &s.Prices.Input)
			f.within("usd_per_million_output", &s.Prices.Output)
		}
	}
}

// budget decodes a budget block.
func (in *instance) budget(b *hcl.Block, each *lang.Each, attrs map[string]Attr, into *Budget) {
	f := in.block(b, budgetForm, each, attrs)
	f.count("tokens", &into.Tokens)
	f.positive("hours", &into.Hours)
	f.positive("usd", &into.USD)
	f.positive("disk_gb", &into.DiskGB)
}

// block opens a nested block that has attributes only. Their places are added to attrs under the block's type:
// "select.split".
func (in *instance) block(b *hcl.Block, g *form, each *lang.Each, attrs map[string]Attr) *fields {
	content, diags := b.Body.Content(g.body())
	in.l.add(diags...)
	for name, a := range content.Attributes {
		attrs[b.Type+"."+name] = Attr{Range: a.Range}
	}
	return in.fields(content, g, each)
}

// once gives the blocks by type and reports a type that stands twice.
func (in *instance) once(blocks hcl.Blocks) map[string]*hcl.Block {
	m := map[string]*hcl.Block{}
	for _, b := range blocks {
		if len(b.Labels) > 0 {
			continue
		}
		if first := m[b.Type]; first != nil {
			in.fail(b.DefRange, "Duplicate block", "There may be one %s block, and the first is at %s.", b.Type, first.DefRange)
			continue
		}
		m[b.Type] = b
	}
	return m
}
