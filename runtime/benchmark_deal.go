package runtime

import (
	"slices"

	"jupiter/plan/config"
	"jupiter/runtime/gate"
	"jupiter/runtime/questions"
)

// merge keeps what people said: a candidate that somebody has judged is as it was when they did. Of these, what documents and
// settings do not lead to any more stays in the list, and out of the benchmark.
func merge(made []questions.Candidate, before []Candidate, whole bool) []Candidate {
	judged := map[string]Candidate{}
	for _, c := range before {
		if c.Judged() {
			judged[c.ID] = c
		}
	}
	var all []Candidate
	here := map[string]bool{}
	for _, m := range made {
		if here[m.ID] {
			continue // the teacher wrote the same twice
		}
		here[m.ID] = true
		c := Candidate{Candidate: m, Status: StatusNew}
		if was, ok := judged[m.ID]; ok {
			was.Document, was.Also, was.Reason = m.Document, m.Also, ""
			c = was
		}
		all = append(all, c)
	}
	for _, c := range before {
		if c.Judged() && !here[c.ID] {
			if whole {
				c.Reason = questions.Gone
			}
			all = append(all, c)
		}
	}
	return all
}

// line is an item as the evaluator panel reads it.
type line struct {
	Prompt      string   `json:"prompt"`
	Reference   string   `json:"reference"`
	Distractors []string `json:"distractors"`
	Cluster     string   `json:"cluster"`
	Evidence    []string `json:"evidence,omitempty"`
}

// deal puts the items that stand into splits. Items of a document share what is said in it, so it is their cluster.
func (b *build) deal(all []Candidate, docs []questions.Document) map[string][]line {
	names := make([]string, len(docs))
	for i, d := range docs {
		names[i] = d.Name
	}
	held := questions.HeldOut(names, b.b.HeldOut, b.b.Seed)
	lines := map[string][]line{"validation": {}, "dev": {}, "gate": {}}
	asked := map[string]bool{}
	for i := range all {
		c := &all[i]
		c.Split = ""
		if c.Reason != "" || c.Status == StatusRejected || c.Status == StatusNew && b.b.Reviewed {
			continue
		}
		q := questions.Normal(c.Question)
		if asked[q] { // as edited
			c.Reason = questions.Duplicate
			continue
		}
		asked[q] = true
		l := line{Prompt: c.Question, Reference: c.Answer, Distractors: c.Distractors, Cluster: c.Document}
		switch {
		case held[c.Document]:
			c.Split = "validation"
		case questions.ForDev(c.ID, b.b.Dev, b.b.Seed):
			c.Split = "dev"
		default:
			c.Split = "gate"
		}
		if c.Split != "validation" {
			l.Evidence = slices.DeleteFunc(append([]string{c.Document}, c.Also...), func(d string) bool { return held[d] })
		}
		lines[c.Split] = append(lines[c.Split], l)
	}
	return lines
}

// count says what became of the candidates.
func (b *build) count(all []Candidate) {
	of := map[string]*BuiltKind{}
	for _, k := range b.b.Kinds {
		of[k] = &BuiltKind{Kind: k, Dropped: map[string]int{}}
	}
	for _, c := range all {
		if c.Reason == "" || c.Judged() {
			b.out.Judged[c.Status]++
		}
		k := of[c.Kind]
		switch {
		case k == nil: // of a kind that is not made any more
		case c.Reason != "":
			k.Dropped[c.Reason]++
		case c.Status != StatusRejected:
			k.Kept++
		}
	}
	for _, k := range b.b.Kinds {
		b.out.Kinds = append(b.out.Kinds, *of[k])
	}
}

// describe says how many items there are, and what gain they can show.
func (b *build) describe(lines map[string][]line) {
	pool := uint64(len(lines["gate"]))
	for _, name := range splitOrder(b.b) {
		s := BuiltSplit{Name: name, Items: len(lines[name])}
		clusters := map[string]bool{}
		for _, l := range lines[name] {
			clusters[l.Cluster] = true
		}
		s.Clusters = len(clusters)
		s.Few = name == "gate" && s.Clusters < gate.MinClusters
		b.out.Splits = append(b.out.Splits, s)
	}
	for _, c := range b.r.Config.Cycles {
		if c.Domain == b.d {
			n := min(pool, c.BenchmarkSamples)
			b.out.Gains = append(b.out.Gains, BuiltGain{c.Name, n, 100 * config.VisibleGain(n, c.Alpha)})
		}
	}
	if len(b.out.Gains) == 0 {
		const alpha = 0.05
		b.out.Gains = append(b.out.Gains, BuiltGain{"", pool, 100 * config.VisibleGain(pool, alpha)})
	}
}
