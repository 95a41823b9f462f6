package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// ruleNodeHosts: no two nodes of a cluster are one machine.
func ruleNodeHosts(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Clusters {
		first := map[string]*Node{}
		for _, n := range k.Nodes {
			host := fmt.Sprintf("%s:%d", n.Host, n.SSHPort)
			if other := first[host]; other != nil {
				diags = append(diags, problem(n.Range, "Host named twice", fmt.Sprintf(
					"The nodes %s and %s are the same host, %s. Two nodes on one machine would count its memory twice; give one node role = \"hybrid\".", other.Name, n.Name, n.Host)))
				continue
			}
			first[host] = n
		}
	}
	return diags
}

// ruleNodeRoles: some node of a cluster can train and some can generate.
func ruleNodeRoles(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Clusters {
		train, generate := false, false
		for _, n := range k.Nodes {
			train, generate = train || n.CanTrain, generate || n.CanGenerate
		}
		for _, missing := range []struct {
			ok   bool
			what string
			role string
		}{{train, "train", "trainer"}, {generate, "generate", "generator"}} {
			if len(k.Nodes) > 0 && !missing.ok {
				diags = append(diags, problem(k.Range, "No node can "+missing.what, fmt.Sprintf(
					"None of the %d nodes of cluster %q can %s. Give one role = %q or \"hybrid\".", len(k.Nodes), k.Name, missing.what, missing.role)))
			}
		}
	}
	return diags
}

// isLocal says whether a host name is this machine's in every network.
func isLocal(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// ruleLocalCluster: a cluster is one that can be served. There is no driver that reaches another machine, so it is one
// node, here.
func ruleLocalCluster(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Clusters {
		refuse := func(rng hcl.Range, detail string) {
			diags = append(diags, problem(rng, "Cluster cannot be served", detail+" Stages run on this machine only: leave the cluster out, or give it one node with host = \"localhost\" and role = \"hybrid\"."))
		}
		for _, attr := range []string{"driver", "backend"} {
			name := map[string]string{"driver": k.Driver, "backend": k.Backend}[attr]
			if name != "" && name != "local" {
				refuse(at(k.Attrs, attr, k.Range), fmt.Sprintf("There is no %s %q.", attr, name))
			}
		}
		for _, n := range k.Nodes {
			if n.Host != "" && !isLocal(n.Host) {
				refuse(n.Range, fmt.Sprintf("There is no driver that starts workers on %s.", n.Host))
			}
		}
		if len(k.Nodes) > 1 {
			refuse(k.Range, fmt.Sprintf("There is no driver that places stages on %d nodes.", len(k.Nodes)))
		}
	}
	return diags
}
