package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// StageKinds are the kinds of stage blocks, in the order of the pipeline.
var StageKinds = []string{"generator", "filter", "verifier", "trainer", "evaluator", "exporter"}

// labels is how many labels follow each root in a reference.
func labels(root string) int {
	switch root {
	case "var", "local", "module", "domain", "cluster", "self_improvement":
		return 1
	case "generator", "filter", "verifier", "trainer", "evaluator", "exporter":
		return 2
	}
	return 0
}

// StateSides are the figures of a cycle that live in the state, with their types.
var StateSides = map[string]cty.Type{"current": cty.String, "version": cty.Number, "score": cty.Number, "step": cty.Number}

// roots are all that a reference may start with.
var roots = append([]string{"var", "local", "each", "path", "module", "domain", "cluster", "self_improvement"}, StageKinds...)

// Reference is the part of a traversal that names something declared: "local.window", "trainer.llama.base".
type Reference struct {
	Root   string
	Labels []string
	Range  hcl.Range     // of root and labels
	Rest   hcl.Traversal // what follows
}

// Name is the key of the reference in a Scope.
func (r Reference) Name() string { return strings.Join(append([]string{r.Root}, r.Labels...), ".") }

// ParseReference splits a traversal into what it names and what follows.
func ParseReference(t hcl.Traversal) (Reference, hcl.Diagnostics) {
	root := t.RootName()
	ref := Reference{Root: root, Range: t[0].SourceRange()}
	n := labels(root)
	if n == 0 && root != "each" && root != "path" {
		return ref, unknownRoot(t)
	}
	for i := 1; i <= n; i++ {
		var name string
		if i < len(t) {
			switch s := t[i].(type) {
			case hcl.TraverseAttr:
				name = s.Name
			case hcl.TraverseIndex:
				if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() {
					name = s.Key.AsString()
				}
			}
		}
		if name == "" {
			return ref, incomplete(root, n, t)
		}
		ref.Labels = append(ref.Labels, name)
		ref.Range = hcl.RangeBetween(ref.Range, t[i].SourceRange())
	}
	ref.Rest = t[n+1:]
	return ref, nil
}

func unknownRoot(t hcl.Traversal) hcl.Diagnostics {
	name := t.RootName()
	hint := DidYouMean(name, roots)
	if hint == "" {
		hint = " References start with " + strings.Join(roots[:len(roots)-1], ", ") + " or " + roots[len(roots)-1] + "; a text stands in quotes."
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unknown reference",
		Detail:  fmt.Sprintf("Nothing is named %q.%s", name, hint),
		Subject: t.SourceRange().Ptr(),
	}}
}

func incomplete(root string, n int, t hcl.Traversal) hcl.Diagnostics {
	form := root + ".NAME"
	if n == 2 {
		form = root + ".TYPE.NAME"
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Incomplete reference",
		Detail:  fmt.Sprintf("A reference that starts with %s is written %s.", root, form),
		Subject: t.SourceRange().Ptr(),
	}}
}
