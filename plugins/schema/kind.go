package schema

import (
	"slices"
	"strings"

	"jupiter/plugins/proto/pluginv1"
)

// Kinds lists the kinds of stages, in the order of a cycle.
func Kinds() []string {
	return []string{"collector", "generator", "filter", "verifier", "trainer", "exporter", "evaluator"}
}

// KindName gives the word for a kind: "trainer". ok is false for a kind that this version does not know.
func KindName(k pluginv1.Kind) (name string, ok bool) {
	name = strings.ToLower(strings.TrimPrefix(k.String(), "KIND_"))
	return name, slices.Contains(Kinds(), name)
}

// KindOf gives the kind that a word stands for, or KIND_UNSPECIFIED.
func KindOf(name string) pluginv1.Kind {
	if !slices.Contains(Kinds(), name) {
		return pluginv1.Kind_KIND_UNSPECIFIED
	}
	return pluginv1.Kind(pluginv1.Kind_value["KIND_"+strings.ToUpper(name)])
}

// Reserved lists the attributes and blocks that the core decodes itself from a block of a kind, sorted. A plugin's
// schema cannot have them.
func Reserved(kind string) []string {
	names := []string{"budget", "depends_on", "for_each", "lifecycle", "node", "timeouts"}
	switch kind {
	case "collector":
		names = append(names, "bucket", "license")
	case "generator":
		names = append(names, "model", "samples", "seed")
	case "trainer":
		names = append(names, "dataset", "max_steps", "save_every_steps", "schedule_steps", "seed", "select", "start")
	}
	slices.Sort(names)
	return names
}
