package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// ruleCycleNames: no two cycles have one name, which is where their generators lie on disk.
func ruleCycleNames(c *Config) (diags hcl.Diagnostics) {
	first := map[string]*Cycle{}
	for _, k := range c.Cycles {
		if other := first[k.Name]; other != nil {
			diags = append(diags, problem(k.Range, "Two cycles of one name", fmt.Sprintf(
				"%s and %s would both keep their generators in generators/%s. Rename one; the other is at %s.", k.Addr, other.Addr, k.Name, other.Range)))
			continue
		}
		first[k.Name] = k
	}
	return diags
}

// ruleWeights: the weights of the score's components sum to 1.
func ruleWeights(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if w := k.Weights.Accuracy + k.Weights.Coherence + k.Weights.Domain; !isOne(w) {
			diags = append(diags, problem(at(k.Attrs, "weights", k.Range), "Weights do not sum to 1", fmt.Sprintf(
				"The weights of accuracy, coherence and domain sum to %.6g; a component that is left out counts 0.", w)))
		}
	}
	return diags
}

// ruleWindow: a window of the cycle ends with a checkpoint, fits the run, and is what the trainer calls its schedule.
func ruleWindow(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		t, rng := k.Trainer, at(k.Attrs, "eval_every_steps", k.Range)
		if t.SaveEverySteps > 0 && k.EvalEverySteps%t.SaveEverySteps != 0 {
			diags = append(diags, problem(rng, "Windows and checkpoints do not meet", fmt.Sprintf(
				"eval_every_steps = %d is not a multiple of save_every_steps = %d of %s, so there would be no checkpoint to evaluate.", k.EvalEverySteps, t.SaveEverySteps, t.Addr)))
		}
		if k.EvalEverySteps > t.MaxSteps {
			diags = append(diags, problem(rng, "Window longer than the run", fmt.Sprintf(
				"eval_every_steps = %d is more than max_steps = %d of %s: no cycle would ever end.", k.EvalEverySteps, t.MaxSteps, t.Addr)))
		}
		if t.ScheduleSteps > 0 && t.ScheduleSteps != k.EvalEverySteps {
			diags = append(diags, problem(at(t.Attrs, "schedule_steps", t.Range), "Two lengths of a window", fmt.Sprintf(
				"In a cycle the learning-rate schedule spans eval_every_steps = %d of %s, and schedule_steps is %d. Make them equal, or leave schedule_steps out.", k.EvalEverySteps, k.Addr, t.ScheduleSteps)))
		}
	}
	return diags
}

// ruleMinSteps: a replacement is possible before the run ends.
func ruleMinSteps(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if k.MinStepsBeforeReplace > k.Trainer.MaxSteps {
			diags = append(diags, problem(at(k.Attrs, "min_steps_before_replace", k.Range), "Nothing could be replaced", fmt.Sprintf(
				"min_steps_before_replace = %d is more than max_steps = %d of %s.", k.MinStepsBeforeReplace, k.Trainer.MaxSteps, k.Trainer.Addr)))
		}
	}
	return diags
}

// ruleLeftOver warns of steps at the end that make no whole window.
func ruleLeftOver(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if rest := k.Trainer.MaxSteps % k.EvalEverySteps; rest != 0 && k.EvalEverySteps < k.Trainer.MaxSteps {
			diags = append(diags, warning(at(k.Trainer.Attrs, "max_steps", k.Trainer.Range), "Steps left over", fmt.Sprintf(
				"max_steps = %d is not a multiple of eval_every_steps = %d of %s: the last %d steps make no whole window and are never trained.", k.Trainer.MaxSteps, k.EvalEverySteps, k.Addr, rest)))
		}
	}
	return diags
}

// ruleTrainerData: the trainer of a cycle learns from the cycle's mix, and the one behind its base generator from the
// real data of the same domain.
func ruleTrainerData(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if t := k.Trainer; t.Dataset.Domain != "" {
			diags = append(diags, problem(at(t.Attrs, "dataset", t.Range), "Two data sets", fmt.Sprintf(
				"%s trains for %s, whose windows are drawn from the mix of %s. Take dataset out, or use another trainer in the cycle.", t.Addr, k.Addr, k.Domain.Addr)))
		}
		b := k.Base
		switch {
		case b == nil:
		case b == k.Trainer:
			diags = append(diags, problem(at(k.Generator.Attrs, "model", k.Generator.Range), "Student is its own generator", fmt.Sprintf(
				"%s is the student of %s, and the base generator is what it learns from at first. Give the generator a trainer of its own, with dataset = DOMAIN.real.", b.Addr, k.Addr)))
		case b.Dataset.Domain == "":
			diags = append(diags, problem(b.Range, "Nothing to learn from", fmt.Sprintf(
				"%s makes the base generator of %s, and has no data: add dataset = DOMAIN.real.", b.Addr, k.Addr)))
		case b.Dataset.Domain != k.Domain.Addr:
			diags = append(diags, problem(at(b.Attrs, "dataset", b.Range), "Data of another domain", fmt.Sprintf(
				"%s makes the base generator of %s, which is about %s; its data are of %s.", b.Addr, k.Addr, k.Domain.Addr, b.Dataset.Domain)))
		}
	}
	return diags
}

// ruleSharedTrainer: a trainer belongs to one cycle, because its checkpoints do.
func ruleSharedTrainer(c *Config) (diags hcl.Diagnostics) {
	owner := map[*Stage]*Cycle{}
	for _, k := range c.Cycles {
		if other := owner[k.Trainer]; other != nil {
			diags = append(diags, problem(at(k.Attrs, "trainer", k.Range), "Trainer in two cycles", fmt.Sprintf(
				"%s trains for %s already. Two cycles would write checkpoints over each other; give each a trainer block.", k.Trainer.Addr, other.Addr)))
			continue
		}
		owner[k.Trainer] = k
	}
	return diags
}

// ruleSamples: who generates for a cycle says how many samples it draws.
func ruleSamples(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		ratio := k.MixRatio
		if ratio == nil {
			ratio = k.Domain.MixRatio
		}
		if isOne(realShare(k.Domain, ratio)) {
			continue // nothing synthetic
		}
		for i, g := range []*Stage{k.Generator, k.Successor} {
			if g.Samples == 0 && (i == 0 || g != k.Generator) {
				diags = append(diags, problem(g.Range, "No number of samples", fmt.Sprintf(
					"%s generates for %s, and does not say how many raw samples a regeneration draws: add samples = 10000.", g.Addr, k.Addr)))
			}
		}
	}
	return diags
}

// ruleExports: the exporter reads what the trainer writes.
func ruleExports(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		from, to := k.Trainer.Body.Schema, k.Exporter.Body.Schema
		if from == nil || to == nil || len(from.Produces) == 0 || len(to.Consumes) == 0 || overlap(from.Produces, to.Consumes) {
			continue
		}
		diags = append(diags, problem(at(k.Attrs, "exporter", k.Range), "Exporter cannot read the checkpoints", fmt.Sprintf(
			"trainer %q writes %s, and exporter %q reads %s.", from.Type, strings.Join(from.Produces, ", "), to.Type, strings.Join(to.Consumes, ", "))))
	}
	return diags
}

// ruleRunner: some generator block can run what the exporter writes.
func ruleRunner(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		out, run := k.Exporter.Body.Schema, k.Successor.Body.Schema
		if out == nil || run == nil || overlap(out.Produces, run.Consumes) {
			continue
		}
		diags = append(diags, problem(at(k.Attrs, "successor", at(k.Attrs, "generator", k.Range)), "Nothing runs a promoted student", fmt.Sprintf(
			"exporter %q writes %s, and generator %q runs %s. Add successor = generator.TYPE.NAME with a generator that runs the export.",
			out.Type, orNothing(out.Produces), run.Type, orNothing(run.Consumes))))
	}
	return diags
}
