package config

import (
	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

const (
	defaultSync    uint64 = 1
	defaultSSHPort uint64 = 22
)

// decodeCluster decodes a cluster's block.
func (in *instance) decodeCluster(b *hcl.Block) *Cluster {
	content, diags := b.Body.Content(clusterForm.body())
	in.l.add(diags...)
	c := &Cluster{Addr: addr.Block(in.at, "cluster", b.Labels...), Name: b.Labels[0], SyncEveryNSteps: defaultSync, Range: b.DefRange}
	f := in.fields(content, clusterForm, nil)
	c.Attrs = f.ranges()
	f.str("driver", &c.Driver)
	f.str("backend", &c.Backend)
	f.count("sync_every_n_steps", &c.SyncEveryNSteps)
	f.flag("gradient_compression", &c.GradientCompression)
	f.flag("checkpoint_on_failure", &c.CheckpointOnFailure)
	f.flag("auto_restart_failed_nodes", &c.AutoRestartFailedNodes)
	seen := map[string]hcl.Range{}
	for _, n := range content.Blocks {
		if first, dup := seen[n.Labels[0]]; dup {
			in.fail(n.DefRange, "Duplicate name", "node %q was already declared at %s.", n.Labels[0], first)
			continue
		}
		seen[n.Labels[0]] = n.DefRange
		c.Nodes = append(c.Nodes, in.decodeNode(c, n)...)
	}
	if len(content.Blocks) == 0 {
		in.fail(b.DefRange, "Cluster without nodes", "A cluster has at least one node block. Without a cluster everything runs on this machine.")
	}
	return c
}

// decodeNode decodes a node's block, once for each instance.
func (in *instance) decodeNode(c *Cluster, b *hcl.Block) []*Node {
	rep := in.repetition(b)
	if rep.failed {
		return nil
	}
	content, diags := b.Body.Content(nodeForm.body())
	in.l.add(diags...)
	var out []*Node
	for _, each := range rep.instances() {
		n := &Node{Addr: instanceAt(c.Addr.Child("node", b.Labels[0]), each), Name: b.Labels[0], SSHPort: defaultSSHPort, Range: b.DefRange}
		if each != nil {
			n.Name += "-" + each.Key.AsString()
		}
		in.nodeFields(n, in.fields(content, nodeForm, each))
		out = append(out, n)
	}
	return out
}

func (in *instance) nodeFields(n *Node, f *fields) {
	f.str("host", &n.Host)
	f.choice("role", &n.Role)
	f.str("device_type", &n.DeviceType)
	f.str("chip", &n.Chip)
	f.str("connection_type", &n.ConnectionType)
	f.positive("memory_gb", &n.MemoryGB)
	f.str("endpoint", &n.Endpoint)
	f.str("ssh_user", &n.SSHUser)
	f.count("ssh_port", &n.SSHPort)
	n.CanGenerate = n.Role == "generator" || n.Role == "hybrid"
	n.CanTrain = n.Role == "trainer" || n.Role == "hybrid"
	f.flag("can_generate", &n.CanGenerate)
	f.flag("can_train", &n.CanTrain)
	if a := f.attrs["host"]; a != nil {
		n.Range = a.Range
	}
}

// resolveCluster gives the cluster at an address.
func (l *loader) resolveCluster(r lang.Ref) *Cluster {
	for _, c := range l.cfg.Clusters {
		if c.Addr == r.Addr {
			return c
		}
	}
	return nil
}
