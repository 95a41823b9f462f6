package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/lang"
)

// builds calls f for each benchmark that is made from documents.
func builds(c *Config, f func(d *Domain, b *Build)) {
	for _, d := range c.Domains {
		if d.Evaluation.Build != nil {
			f(d, d.Evaluation.Build)
		}
	}
}

// ruleBuild: there are documents, and kinds of items that can be made of them.
func ruleBuild(c *Config) (diags hcl.Diagnostics) {
	builds(c, func(_ *Domain, b *Build) {
		if len(b.Documents) == 0 {
			diags = append(diags, problem(at(b.Attrs, "documents", b.Range), "No documents", "documents names files that questions are made from: documents = [\"${path.module}/docs/**/*.md\"]."))
		}
		rng := at(b.Attrs, "kinds", b.Range)
		if len(b.Kinds) == 0 {
			diags = append(diags, problem(rng, "No kinds of items", fmt.Sprintf("kinds is one or both of %s.", quoted(buildKinds()))))
		}
		for i, k := range b.Kinds {
			switch {
			case !contains(buildKinds(), k):
				diags = append(diags, problem(rng, "Unknown word", fmt.Sprintf("kinds is one or both of %s, and not %q.%s", quoted(buildKinds()), k, lang.DidYouMean(k, buildKinds()))))
			case slices.Index(b.Kinds, k) < i:
				diags = append(diags, problem(rng, "Duplicate name", fmt.Sprintf("kinds has %q twice.", k)))
			}
		}
	})
	return diags
}

// ruleTeacher: who is needed is there, can be asked before anything is trained, and has something to do.
func ruleTeacher(c *Config) (diags hcl.Diagnostics) {
	builds(c, func(d *Domain, b *Build) {
		writes := contains(b.Kinds, "question")
		rng := at(b.Attrs, "teacher", b.Range)
		_, named := b.Attrs["teacher"]
		switch {
		case !named && writes:
			diags = append(diags, problem(rng, "No teacher", "Items of the kind \"question\" are written by a generator: add teacher = generator.TYPE.NAME, or say kinds = [\"cloze\"] and second_pass = false."))
		case !named && b.SecondPass:
			diags = append(diags, problem(rng, "No teacher", "The second pass asks a generator: add teacher = generator.TYPE.NAME, or say second_pass = false."))
		case named && !writes && !b.SecondPass:
			diags = append(diags, problem(rng, "Teacher without work", "With kinds = [\"cloze\"] and second_pass = false nobody asks the teacher. Leave it out, or ask for a second pass."))
		case b.Teacher != nil && (b.Teacher.Model != "" || b.Teacher.Import != nil):
			diags = append(diags, problem(rng, "Teacher is not at hand", fmt.Sprintf(
				"%s runs a model that is trained or imported when a plan is applied, and a plan needs the benchmark. A teacher names its model itself, as generator \"openai\" does with model_name.", b.Teacher.Addr)))
		}
	})
	return diags
}

// ruleBuildDirectory: no two benchmarks overwrite each other.
func ruleBuildDirectory(c *Config) (diags hcl.Diagnostics) {
	first := map[string]*Domain{}
	builds(c, func(d *Domain, b *Build) {
		if other := first[b.Directory]; other != nil {
			diags = append(diags, problem(at(b.Attrs, "directory", b.Range), "Two benchmarks in one directory", fmt.Sprintf(
				"The benchmark of %s is in the same directory as that of %s. Give one of them another: directory = \"${path.module}/…\".", d.Addr, other.Addr)))
			return
		}
		first[b.Directory] = d
	})
	return diags
}
