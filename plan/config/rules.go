package config

import (
	"maps"
	"math"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// rule is one requirement of the product. Rules are pure but for the files that a domain names, which they look at.
type rule func(*Config) hcl.Diagnostics

// rulesOfParts concern blocks by themselves. They are checked also when something else could not be decoded, so they
// pass over what is missing.
func rulesOfParts() []rule {
	return []rule{
		ruleOffline,
		ruleLanguage,
		ruleBuckets,
		ruleMixRatio,
		ruleAnchor,
		ruleLicenses,
		ruleTemplateWeights,
		rulePlaceholders,
		ruleEvalFiles,
		ruleOnePool,
		ruleBuild,
		ruleTeacher,
		ruleBuildDirectory,
		ruleNodeHosts,
		ruleNodeRoles,
		ruleEndpoint,
		ruleLocalCluster,
		ruleModelChain,
		ruleDependsOn,
		ruleIgnoreChanges,
		ruleStart,
		ruleDataset,
		ruleNode,
		ruleTimeouts,
		ruleSaveWindow,
		ruleSelect,
		ruleImport,
		ruleStageBudget,
	}
}

// rulesOfWhole concern what blocks make together, and are checked when all of them could be decoded.
func rulesOfWhole() []rule {
	return []rule{
		ruleCycleNames,
		ruleCycleMix,
		ruleCycleAnchor,
		ruleWeights,
		ruleWindow,
		ruleMinSteps,
		ruleLeftOver,
		ruleTrainerData,
		ruleSharedTrainer,
		ruleSamples,
		ruleExports,
		ruleRunner,
		ruleImportRunner,
		ruleGatePool,
		ruleCycleBudget,
		ruleUnused,
	}
}

func checkAll(c *Config, rules []rule) (diags hcl.Diagnostics) {
	for _, r := range rules {
		diags = append(diags, r(c)...)
	}
	return diags
}

func problem(rng hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &rng}
}

func warning(rng hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: detail, Subject: &rng}
}

// at is where an attribute was written, or the block where it was not.
func at(attrs map[string]Attr, name string, block hcl.Range) hcl.Range {
	if a, ok := attrs[name]; ok {
		return a.Range
	}
	return block
}

// tolerance is how far shares that are written as decimals may be from their sum.
const tolerance = 1e-6

func isOne(x float64) bool { return math.Abs(x-1) <= tolerance }

func sum(m map[string]float64) (s float64) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s += m[k]
	}
	return s
}
