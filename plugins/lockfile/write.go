package lockfile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

const header = `# The plugins of this configuration: their versions, and the checksums that they must have.
# Commit this file. "jupiter init" writes it; "jupiter init --upgrade" chooses anew.
# Only tls is for people to change. Comments are not kept.
`

// hashPrefix says which hash it is.
const hashPrefix = "sha256:"

// Bytes gives the file's text.
func (f *File) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(header)
	plugins := slices.Clone(f.Plugins)
	slices.SortFunc(plugins, func(a, b Plugin) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range plugins {
		fmt.Fprintf(&b, "\nplugin %s {\n", quote(p.Name))
		fmt.Fprintf(&b, "source = %s\nversion = %s\n", quote(p.Source), quote(p.Version))
		if p.Constraints != "" {
			fmt.Fprintf(&b, "constraints = %s\n", quote(p.Constraints))
		}
		fmt.Fprintf(&b, "protocol = %d\ntls = %s\n", p.Protocol, quote(p.TLS))
		if p.Toolchain != "" {
			fmt.Fprintf(&b, "toolchain = %s\n", quote(p.Toolchain))
		}
		b.WriteString("\nhashes = {\n")
		for _, platform := range slices.Sorted(maps.Keys(p.Hashes)) {
			fmt.Fprintf(&b, "%s = %s\n", platform, quote(hashPrefix+p.Hashes[platform]))
		}
		b.WriteString("}\n}\n")
	}
	return hclwrite.Format(b.Bytes())
}

func quote(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) }
