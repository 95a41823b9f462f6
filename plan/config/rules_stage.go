package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/lang"
	"jupiter/plugins/schema"
)

// ruleOffline: with offline = true nothing needs the network.
func ruleOffline(c *Config) (diags hcl.Diagnostics) {
	if !c.Offline {
		return nil
	}
	refuse := func(b Body, rng hcl.Range) {
		if b.Schema != nil && b.Schema.NeedsNetwork {
			diags = append(diags, problem(rng, "Needs the network", fmt.Sprintf(
				"The jupiter block says offline = true, and %s %q uses the network.", b.Schema.Kind, b.Schema.Type)))
		}
	}
	for _, d := range c.Domains {
		for _, s := range d.Sources {
			refuse(s.Body, s.Range)
		}
	}
	for _, s := range c.Stages {
		refuse(s.Body, s.Range)
	}
	for _, n := range c.Notify {
		if n.Webhook != "" {
			diags = append(diags, problem(n.Range, "Needs the network", fmt.Sprintf("The jupiter block says offline = true, and notify %q has a webhook.", n.Name)))
		}
	}
	return diags
}

// ruleModelChain: following model, start and depends_on from a stage never leads back to it.
func ruleModelChain(c *Config) (diags hcl.Diagnostics) {
	byAddr := map[string]*Stage{}
	for _, s := range c.Stages {
		byAddr[string(s.Addr)] = s
	}
	state := map[*Stage]int{} // 1: on the path, 2: done
	var path []string
	var visit func(s *Stage)
	visit = func(s *Stage) {
		if state[s] == 2 {
			return
		}
		path = append(path, string(s.Addr))
		defer func() { path = path[:len(path)-1] }()
		if state[s] == 1 {
			from := 0
			for path[from] != string(s.Addr) {
				from++
			}
			diags = append(diags, lang.LoopDiagnostic(append([]string(nil), path[from:]...), s.Range))
			return
		}
		state[s] = 1
		if s.Start != nil {
			visit(s.Start)
		}
		for _, a := range append([]string{string(s.Model)}, strs(s.DependsOn)...) {
			if next := byAddr[a]; next != nil {
				visit(next)
			}
		}
		state[s] = 2
	}
	for _, s := range c.Stages {
		visit(s)
	}
	return diags
}

func strs[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// ruleSaveWindow: the windows of a trainer that stands alone fit its steps, and its checkpoints fit its windows.
func ruleSaveWindow(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Kind != "trainer" || s.Dataset.Domain == "" || s.MaxSteps == 0 {
			continue
		}
		window := s.ScheduleSteps
		if window == 0 {
			window = s.MaxSteps
		}
		if window > s.MaxSteps {
			diags = append(diags, problem(at(s.Attrs, "schedule_steps", s.Range), "Window longer than the run", fmt.Sprintf(
				"schedule_steps = %d is the length of one window, and the whole run has max_steps = %d.", window, s.MaxSteps)))
		} else if s.SaveEverySteps > 0 && window%s.SaveEverySteps != 0 {
			diags = append(diags, problem(at(s.Attrs, "save_every_steps", s.Range), "Windows and checkpoints do not meet", fmt.Sprintf(
				"A window has %d steps, which is not a multiple of save_every_steps = %d. Its last checkpoint would not be at its end.", window, s.SaveEverySteps)))
		}
	}
	return diags
}

// ruleSelect: select names a split that the domain has, and chooses among checkpoints that are saved.
func ruleSelect(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Select == nil {
			continue
		}
		rng := at(s.Attrs, "select.split", at(s.Attrs, "select", s.Range))
		switch {
		case s.Select.Split == "gate" || s.Select.Split == "audit" || s.Select.Split == "dev":
			diags = append(diags, problem(rng, "Split not free for selection", fmt.Sprintf(
				"Checkpoints are picked on \"validation\" alone: what picks a model cannot judge it, and %q is for judging.", s.Select.Split)))
		case s.Select.Split != "" && s.Select.Split != "validation":
			diags = append(diags, problem(rng, "Unknown split", fmt.Sprintf(
				"Checkpoints are picked on \"validation\", and not on %q.%s", s.Select.Split, lang.DidYouMean(s.Select.Split, splitNames()))))
		}
		if s.SaveEverySteps > 0 && s.Select.Every%s.SaveEverySteps != 0 {
			diags = append(diags, problem(at(s.Attrs, "select.every", s.Range), "Nothing to select", fmt.Sprintf(
				"select.every = %d is not a multiple of save_every_steps = %d, so it names steps without a checkpoint.", s.Select.Every, s.SaveEverySteps)))
		}
	}
	return diags
}

// ruleUnused warns of stages of the root module that no cycle comes to use. A called module may offer more than its
// caller takes.
func ruleUnused(c *Config) (diags hcl.Diagnostics) {
	if len(c.Cycles) == 0 {
		return nil
	}
	used := map[*Stage]bool{}
	for _, k := range c.Cycles {
		for _, s := range append([]*Stage{k.Generator, k.Successor, k.Base, k.Trainer, k.Exporter, k.Evaluator, k.Domain.Verifier}, k.Filters...) {
			used[s] = true
		}
	}
	for _, d := range c.Domains {
		used[d.Verifier] = true
		if d.Evaluation.Build != nil {
			used[d.Evaluation.Build.Teacher] = true
		}
	}
	for s := range used {
		for ; s != nil && s.Start != nil && !used[s.Start]; s = s.Start {
			used[s.Start] = true
		}
	}
	for _, s := range c.Stages {
		if !used[s] && !strings.HasPrefix(string(s.Addr), "module.") {
			diags = append(diags, warning(s.Range, "Stage is not used", fmt.Sprintf(
				"No self_improvement block leads to %s, so it never runs.", s.Addr)))
		}
	}
	return diags
}

// ruleIgnoreChanges: ignore_changes names attributes of the stage whose recorded values can be kept.
func ruleIgnoreChanges(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Body.Schema == nil {
			continue
		}
		var known []string
		for _, a := range s.Body.Schema.Attributes {
			if len(a.Accepts) == 0 && !a.Sensitive && a.Effect != schema.None {
				known = append(known, a.Name)
			}
		}
		switch s.Kind {
		case "trainer":
			known = append(known, "seed", "save_every_steps")
		case "generator":
			known = append(known, "seed")
		}
		for _, name := range s.Lifecycle.IgnoreChanges {
			if !contains(known, name) {
				diags = append(diags, problem(s.Attrs["lifecycle.ignore_changes"].Range, "Nothing to ignore", fmt.Sprintf(
					"ignore_changes names attributes of %s whose change would make it run again, and %q is none.%s", s.Addr, name, lang.DidYouMean(name, known))))
			}
		}
	}
	return diags
}

// ruleDependsOn: depends_on orders lines of a plan, so both ends have some.
func ruleDependsOn(c *Config) (diags hcl.Diagnostics) {
	byAddr := map[string]*Stage{}
	for _, s := range c.Stages {
		byAddr[string(s.Addr)] = s
	}
	within := func(s *Stage) bool { return s.Kind == "exporter" || s.Kind == "verifier" }
	for _, s := range c.Stages {
		for _, a := range append([]string{string(s.Addr)}, strs(s.DependsOn)...) {
			if d := byAddr[a]; len(s.DependsOn) > 0 && d != nil && within(d) {
				diags = append(diags, problem(s.Attrs["depends_on"].Range, "Nothing to order", fmt.Sprintf(
					"depends_on orders the lines of a plan, and %s has none of its own: it works within those of other stages.", d.Addr)))
			}
		}
	}
	return diags
}

// ruleStart: a trainer starts from one whose checkpoints do not depend on it, and that has data to make them.
func ruleStart(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Start != nil && s.Start.Dataset.Domain == "" {
			diags = append(diags, problem(at(s.Attrs, "start", s.Range), "Nothing to start from", fmt.Sprintf(
				"%s starts from %s, which does not stand alone: give that one dataset = DOMAIN.real, or name a trainer that has one.", s.Addr, s.Start.Addr)))
		}
	}
	return diags
}

// ruleDataset: a trainer that stands alone learns from real data. What else a domain has is made in a cycle, by a
// generator that there must be already.
func ruleDataset(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Dataset.Domain != "" && s.Dataset.Side != "real" {
			diags = append(diags, problem(at(s.Attrs, "dataset", s.Range), "Data of a cycle", fmt.Sprintf(
				"The %s data of %s are made in the turns of a cycle, and %s stands alone. Write dataset = DOMAIN.real, or make it the trainer of a self_improvement block.", s.Dataset.Side, s.Dataset.Domain, s.Addr)))
		}
	}
	return diags
}

// ruleNode: a stage is put on a node that there is, and that can do its work. On a node that serves a model only generators
// run that ask a server.
func ruleNode(c *Config) (diags hcl.Diagnostics) {
	nodes := map[string]*Node{}
	for _, k := range c.Clusters {
		for _, n := range k.Nodes {
			nodes[n.Name] = n
		}
	}
	for _, s := range c.Stages {
		if s.Node == "" {
			continue
		}
		n, rng := nodes[s.Node], at(s.Attrs, "node", s.Range)
		switch {
		case n == nil && len(nodes) == 0:
			diags = append(diags, problem(rng, "Unknown node", fmt.Sprintf("%s names the node %q, and the configuration has no cluster.", s.Addr, s.Node)))
		case n == nil:
			diags = append(diags, problem(rng, "Unknown node", fmt.Sprintf("No cluster has a node %q.%s", s.Node, lang.DidYouMean(s.Node, slices.Sorted(maps.Keys(nodes))))))
		case s.Kind == "trainer" && !n.CanTrain:
			diags = append(diags, problem(rng, "Node cannot do it", fmt.Sprintf("The node %s cannot train: its role is %q.", n.Name, n.Role)))
		case s.Kind == "generator" && !n.CanGenerate:
			diags = append(diags, problem(rng, "Node cannot do it", fmt.Sprintf("The node %s cannot generate: its role is %q.", n.Name, n.Role)))
		case n.serves() && s.Kind != "generator":
			diags = append(diags, problem(rng, "Node cannot do it", fmt.Sprintf("The node %s serves a model, to generators, and does nothing else: %s runs on this machine.", n.Name, s.Addr)))
		case n.serves() && s.Body.Schema != nil && !s.Body.asks():
			diags = append(diags, problem(rng, "Node cannot do it", fmt.Sprintf("The node %s serves a model, and generator %q asks no server: generator \"openai\" does.", n.Name, s.Type)))
		}
	}
	return diags
}

// ruleTimeouts: a stage is given time to save within the time that it has.
func ruleTimeouts(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Kind == "exporter" || s.Kind == "verifier" {
			if a, ok := s.Attrs["timeouts"]; ok && (s.Timeouts.Run > 0 || s.Timeouts.Stop > 0) {
				diags = append(diags, problem(a.Range, "Nothing to bound", fmt.Sprintf(
					"run and stop bound the lines of a plan, and %s has none of its own: it works within those of other stages. Only stall bounds it.", s.Addr)))
			}
		}
	}
	return diags
}
