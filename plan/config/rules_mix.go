package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// buckets are a domain's buckets by what fills them.
func buckets(d *Domain) (real, synthetic map[string]bool) {
	real, synthetic = map[string]bool{}, map[string]bool{}
	for _, s := range d.Sources {
		real[s.Bucket] = true
	}
	for _, t := range d.Templates {
		synthetic[t.Bucket] = true
	}
	return real, synthetic
}

// realShare is the share of the buckets that sources fill.
func realShare(d *Domain, ratio map[string]float64) (share float64) {
	real, _ := buckets(d)
	for _, b := range slices.Sorted(maps.Keys(real)) {
		share += ratio[b]
	}
	return share
}

// ruleBuckets: every bucket of mix_ratio has a producer, every producer a share, and no bucket is filled with both
// real and synthetic records.
func ruleBuckets(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		if d.MixRatio == nil {
			continue
		}
		real, synthetic := buckets(d)
		rng := at(d.Attrs, "mix_ratio", d.Range)
		for _, b := range slices.Sorted(maps.Keys(d.MixRatio)) {
			if d.MixRatio[b] > 0 && !real[b] && !synthetic[b] {
				diags = append(diags, problem(rng, "Bucket without a producer", fmt.Sprintf(
					"mix_ratio gives the bucket %q a share of %g, and no source or template fills it. Add one with bucket = %q, or take the share out.", b, d.MixRatio[b], b)))
			}
		}
		share := func(kind, bucket string, rng hcl.Range) {
			if _, ok := d.MixRatio[bucket]; !ok && bucket != "" {
				diags = append(diags, problem(rng, "Bucket without a share", fmt.Sprintf(
					"This %s fills the bucket %q, which has no share in mix_ratio (%s), so its records would never be used.", kind, bucket, strings.Join(slices.Sorted(maps.Keys(d.MixRatio)), ", "))))
			}
		}
		for _, s := range d.Sources {
			share("source", s.Bucket, at(s.Attrs, "bucket", s.Range))
		}
		for _, t := range d.Templates {
			share("template", t.Bucket, at(t.Attrs, "bucket", t.Range))
			if real[t.Bucket] {
				diags = append(diags, problem(at(t.Attrs, "bucket", t.Range), "Bucket is real and synthetic", fmt.Sprintf(
					"The bucket %q is filled by a source too. The real share could not be told any more: give synthetic records a bucket of their own.", t.Bucket)))
			}
		}
	}
	return diags
}

// ruleMixRatio: the shares of a domain sum to 1.
func ruleMixRatio(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		if d.MixRatio != nil && !isOne(sum(d.MixRatio)) {
			diags = append(diags, problem(at(d.Attrs, "mix_ratio", d.Range), "Shares do not sum to 1", fmt.Sprintf(
				"The shares in mix_ratio sum to %.6g. They are parts of the draws of a training window and must sum to 1.", sum(d.MixRatio))))
		}
	}
	return diags
}

// ruleAnchor: the real share of a domain lies within its anchor.
func ruleAnchor(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		if d.Anchor.Min > d.Anchor.Max {
			diags = append(diags, problem(at(d.Attrs, "anchor.min", at(d.Attrs, "anchor", d.Range)), "Anchor is empty", fmt.Sprintf(
				"anchor.min is %g and anchor.max is %g: no real share lies between them.", d.Anchor.Min, d.Anchor.Max)))
			continue
		}
		if d.MixRatio != nil && isOne(sum(d.MixRatio)) {
			diags = append(diags, anchored(d, d.MixRatio, at(d.Attrs, "mix_ratio", d.Range))...)
		}
	}
	return diags
}

// anchored checks the real share of a mix. Without a synthetic share there is nothing to anchor.
func anchored(d *Domain, ratio map[string]float64, rng hcl.Range) hcl.Diagnostics {
	_, synthetic := buckets(d)
	asked := false
	for b := range synthetic {
		asked = asked || ratio[b] > 0
	}
	if !asked {
		return nil
	}
	switch share := realShare(d, ratio); {
	case share < d.Anchor.Min-tolerance:
		return hcl.Diagnostics{problem(rng, "Real share below the anchor", fmt.Sprintf(
			"%.4g %% of the draws are real, and the anchor asks for at least %.4g %%. A model that learns too much from its own samples collapses onto them. Raise the share of a real bucket; anchor { min } is for experiments that mean to show the collapse.",
			100*share, 100*d.Anchor.Min))}
	case share > d.Anchor.Max+tolerance:
		return hcl.Diagnostics{warning(rng, "Real share above the anchor", fmt.Sprintf(
			"%.4g %% of the draws are real, and the anchor is at most %.4g %%. The run is safe, and learns less from the generator than it could.", 100*share, 100*d.Anchor.Max))}
	}
	return nil
}

// ruleCycleMix: a cycle's own mix_ratio sums to 1 over buckets that the domain fills.
func ruleCycleMix(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if k.MixRatio == nil {
			continue
		}
		rng := at(k.Attrs, "mix_ratio", k.Range)
		real, synthetic := buckets(k.Domain)
		for _, b := range slices.Sorted(maps.Keys(k.MixRatio)) {
			if k.MixRatio[b] > 0 && !real[b] && !synthetic[b] {
				diags = append(diags, problem(rng, "Bucket without a producer", fmt.Sprintf(
					"No source or template of %s fills the bucket %q. It has %s.", k.Domain.Addr, b, strings.Join(slices.Sorted(maps.Keys(k.Domain.MixRatio)), ", "))))
			}
		}
		if !isOne(sum(k.MixRatio)) {
			diags = append(diags, problem(rng, "Shares do not sum to 1", fmt.Sprintf(
				"The shares in mix_ratio sum to %.6g. A cycle's mix_ratio takes the place of the domain's, and what it leaves out has no share.", sum(k.MixRatio))))
		}
	}
	return diags
}

// ruleCycleAnchor: a cycle's own mix_ratio keeps the domain's anchor.
func ruleCycleAnchor(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if k.MixRatio != nil && isOne(sum(k.MixRatio)) {
			diags = append(diags, anchored(k.Domain, k.MixRatio, at(k.Attrs, "mix_ratio", k.Range))...)
		}
	}
	return diags
}

// ruleLicenses: no source has a licence that its domain refuses.
func ruleLicenses(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		for _, s := range d.Sources {
			if s.License != "" && contains(d.Deny, s.License) {
				diags = append(diags, problem(at(s.Attrs, "license", s.Range), "Licence refused", fmt.Sprintf(
					"The domain's licenses block refuses %s, and this source is under it.", s.License)))
			}
		}
	}
	return diags
}
