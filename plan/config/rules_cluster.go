package config

import (
	"fmt"
	"net/url"

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

// serves says whether a node is asked at its endpoint, and does nothing else.
func (n *Node) serves() bool { return n.Endpoint != "" && !n.CanTrain }

// ruleEndpoint: an endpoint is the address of a web server.
func ruleEndpoint(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Clusters {
		for _, n := range k.Nodes {
			if n.Endpoint == "" {
				continue
			}
			if u, err := url.Parse(n.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
				diags = append(diags, problem(n.Range, "No address of a server", fmt.Sprintf(
					"The endpoint of the node %s is %q: it is where the server is, with the version of its interface and without a password, as in \"http://%s:11434/v1\".", n.Name, n.Endpoint, n.Host)))
			}
		}
	}
	return diags
}

// isLocal says whether a host name is this machine's in every network.
func isLocal(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// ruleLocalCluster: a cluster is one that can be served. There is no driver that starts work on another machine, so one node is
// here, and the others serve models already, to generators alone.
func ruleLocalCluster(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Clusters {
		refuse := func(rng hcl.Range, detail string) {
			diags = append(diags, problem(rng, "Cluster cannot be served", detail+" Stages run on this machine only: leave the cluster out, or give it one node with host = \"localhost\" and role = \"hybrid\", beside nodes that serve a model at their endpoint."))
		}
		here := 0
		for _, attr := range []string{"driver", "backend"} {
			name := map[string]string{"driver": k.Driver, "backend": k.Backend}[attr]
			if name != "" && name != "local" {
				refuse(at(k.Attrs, attr, k.Range), fmt.Sprintf("There is no %s %q.", attr, name))
			}
		}
		for _, n := range k.Nodes {
			switch {
			case n.serves():
			case n.Endpoint != "" && n.CanTrain:
				refuse(n.Range, fmt.Sprintf("The node %s serves a model, and there is no driver that trains there: its role is \"generator\".", n.Name))
			case n.Host != "" && !isLocal(n.Host):
				refuse(n.Range, fmt.Sprintf("There is no driver that starts workers on %s.", n.Host))
			default:
				here++
			}
		}
		if here > 1 {
			refuse(k.Range, fmt.Sprintf("There is no driver that places stages on %d nodes.", here))
		}
	}
	return diags
}
