package config

import (
	"math"
	"path/filepath"
	"sort"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// defaultAnchor bounds the real share of a domain without an anchor block.
func defaultAnchor() Anchor { return Anchor{Min: 0.30, Max: 0.40} }

// splitNames are the parts of a benchmark.
func splitNames() []string { return []string{"validation", "dev", "gate", "audit"} }

// decodeDomain decodes a domain's block.
func (in *instance) decodeDomain(b *hcl.Block) *Domain {
	content, diags := b.Body.Content(domainForm.body())
	in.l.add(diags...)
	d := &Domain{Addr: addr.Block(in.at, "domain", b.Labels...), Anchor: defaultAnchor(), Range: b.DefRange}
	f := in.fields(content, domainForm, nil)
	d.Attrs = f.ranges()
	f.str("description", &d.Description)
	f.str("language", &d.Language)
	f.strs("keywords", &d.Keywords)
	f.strs("negative_keywords", &d.NegativeKeywords)
	d.MixRatio = f.shares("mix_ratio")
	if r, ok := f.ref("verifier"); ok {
		in.l.link(func() { d.Verifier = in.l.stages[string(r.Addr)] })
	}
	for typ, nested := range in.once(content.Blocks) {
		d.Attrs[typ] = Attr{Range: nested.DefRange}
		switch typ {
		case "anchor":
			f := in.block(nested, anchorForm, nil, d.Attrs)
			f.within("min", &d.Anchor.Min)
			f.within("max", &d.Anchor.Max)
		case "licenses":
			in.block(nested, licensesForm, nil, d.Attrs).strs("deny", &d.Deny)
		case "evaluation":
			in.decodeEvaluation(d, nested)
		}
	}
	seen := map[string]hcl.Range{}
	for _, nested := range content.Blocks {
		if len(nested.Labels) == 0 {
			continue
		}
		key := nested.Type
		for i, label := range nested.Labels {
			key += "." + label
			if !labelled(in.l, &hcl.Block{Type: nested.Type, Labels: []string{label}, LabelRanges: nested.LabelRanges[i : i+1]}) {
				key = ""
				break
			}
		}
		if first, dup := seen[key]; dup {
			in.fail(nested.DefRange, "Duplicate name", "%s was already declared at %s.", key, first)
			continue
		}
		seen[key] = nested.DefRange
		switch {
		case key == "":
		case nested.Type == "source":
			d.Sources = append(d.Sources, in.decodeSource(d, nested)...)
		default:
			if t := in.decodeTemplate(d, nested); t != nil {
				d.Templates = append(d.Templates, t)
			}
		}
	}
	sort.SliceStable(d.Sources, func(i, j int) bool { return d.Sources[i].Type < d.Sources[j].Type })
	shareTemplates(d)
	return d
}

// decodeSource decodes a source's block, once for each instance.
func (in *instance) decodeSource(d *Domain, b *hcl.Block) []*Source {
	rep := in.repetition(b)
	if rep.failed {
		return nil
	}
	content, rest, diags := b.Body.PartialContent(sourceForm.body())
	in.l.add(diags...)
	dec := in.decoder("collector", b.Labels[0], b.LabelRanges[0])
	var out []*Source
	for _, each := range rep.instances() {
		s := &Source{Addr: instanceAt(d.Addr.Child("source", b.Labels[0], b.Labels[1]), each), Type: b.Labels[0], Name: b.Labels[1], Range: b.DefRange}
		f := in.fields(content, sourceForm, each)
		s.Attrs = f.ranges()
		f.str("bucket", &s.Bucket)
		f.str("license", &s.License)
		if dec != nil {
			s.Body = dec.decode(in, rest, each)
		}
		out = append(out, s)
	}
	return out
}

// decodeTemplate decodes a template's block.
func (in *instance) decodeTemplate(d *Domain, b *hcl.Block) *Template {
	content, diags := b.Body.Content(templateForm.body())
	in.l.add(diags...)
	t := &Template{Addr: d.Addr.Child("template", b.Labels[0]), Name: b.Labels[0], Values: map[string][]string{}, Weight: math.NaN(), Range: b.DefRange}
	f := in.fields(content, templateForm, nil)
	t.Attrs = f.ranges()
	f.str("type", &t.Type)
	f.str("bucket", &t.Bucket)
	f.within("weight", &t.Weight)
	f.str("prompt", &t.Prompt)
	f.str("system_prompt", &t.SystemPrompt)
	f.strs("examples", &t.Examples)
	f.lists("values", t.Values)
	for attr, name := range map[string]string{"topics": "topic", "tasks": "task"} {
		if f.attrs[attr] == nil {
			continue
		}
		if _, dup := t.Values[name]; dup {
			f.fail(attr, "Placeholder filled twice", "%s fills {%s}, and so does values.%s. Keep one.", attr, name, name)
			continue
		}
		var list []string
		f.strs(attr, &list)
		t.Values[name] = list
	}
	return t
}

// decodeEvaluation decodes what a domain is judged on.
func (in *instance) decodeEvaluation(d *Domain, b *hcl.Block) {
	e := &d.Evaluation
	*e = Evaluation{Splits: map[string][]string{}, Written: map[string][]string{}, Range: b.DefRange}
	content, diags := b.Body.Content(evaluationForm.body())
	in.l.add(diags...)
	f := in.fields(content, evaluationForm, nil)
	e.Attrs = f.ranges()
	f.strs("benchmarks", &e.Benchmarks)
	var custom string
	if f.str("custom_eval_file", &custom); custom != "" {
		e.CustomEvalFile = in.l.absolute(custom)
		e.Written["custom"] = []string{custom}
	}
	for name, into := range map[string]**float64{"min_accuracy": &e.MinAccuracy, "min_coherence": &e.MinCoherence} {
		if f.attrs[name] != nil {
			x := math.NaN()
			if f.within(name, &x); !math.IsNaN(x) {
				*into = &x
			}
		}
	}
	for _, s := range content.Blocks {
		if s.Type == "split" {
			in.decodeSplit(e, s)
		}
	}
	if b := in.once(content.Blocks)["build"]; b != nil {
		in.decodeBuild(e, b)
	}
}

func (in *instance) decodeSplit(e *Evaluation, b *hcl.Block) {
	name := b.Labels[0]
	if !contains(splitNames(), name) {
		in.fail(b.LabelRanges[0], "Unknown split", "A benchmark has the splits %s, and no %q.%s", quoted(splitNames()), name, lang.DidYouMean(name, splitNames()))
		return
	}
	if _, dup := e.Splits[name]; dup {
		in.fail(b.DefRange, "Duplicate block", "The split %q was already declared at %s.", name, e.Attrs["split."+name].Range)
		return
	}
	e.Attrs["split."+name] = Attr{Range: b.DefRange}
	attrs := map[string]Attr{}
	f := in.block(b, splitForm, nil, attrs)
	var one string
	var all []string
	f.str("file", &one)
	f.strs("files", &all)
	if one != "" {
		all = append([]string{one}, all...)
	}
	if f.attrs["file"] == nil && f.attrs["files"] == nil {
		in.fail(b.DefRange, "Split without a file", "The split %q names no file: add file = \"${path.module}/%s.jsonl\".", name, name)
	}
	for _, path := range all {
		e.Splits[name] = append(e.Splits[name], in.l.absolute(path))
	}
	e.Written[name] = all
	for _, attr := range []string{"file", "files"} {
		if a, ok := attrs["split."+attr]; ok {
			e.Attrs["split."+name] = a
		}
	}
}

// absolute resolves a path of the configuration: relative ones are relative to the root module's directory.
func (l *loader) absolute(path string) string {
	p := filepath.FromSlash(path)
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(l.root, p)
}

// shareTemplates gives each template its part of the samples where no template says it: the share of its bucket among
// the synthetic ones, split evenly between the templates of one bucket.
func shareTemplates(d *Domain) {
	perBucket, total := map[string]int{}, 0.0
	for _, t := range d.Templates {
		if !math.IsNaN(t.Weight) {
			return // ruleTemplateWeights wants all or none
		}
		if perBucket[t.Bucket]++; perBucket[t.Bucket] == 1 {
			total += d.MixRatio[t.Bucket]
		}
	}
	for _, t := range d.Templates {
		if total > 0 {
			t.Weight = d.MixRatio[t.Bucket] / total / float64(perBucket[t.Bucket])
		} else {
			t.Weight = 1 / float64(len(d.Templates))
		}
	}
}
