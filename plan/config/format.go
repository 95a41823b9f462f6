package config

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang/yamlbody"
)

// Format lays a file of the configuration out in the usual way; its name says which spelling it is. HCL gets its
// indentation and aligned equals signs. YAML's layout is its author's: only line ends, spaces before them and the end of
// the file are put right. Comments stay, and what a file says does not change. A file that cannot be parsed is reported
// and not formatted. Formatting twice is formatting once.
func Format(src []byte, name string) ([]byte, *hcl.File, hcl.Diagnostics) {
	if strings.HasSuffix(name, ".yaml") {
		f, diags := yamlbody.Parse(src, name, yamlOptions())
		if diags.HasErrors() {
			return nil, f, diags
		}
		return formatYAML(src), f, nil
	}
	f, diags := parseHCL(src, name)
	if diags.HasErrors() {
		return nil, f, diags
	}
	return formatHCL(src), f, nil
}

// formatRounds bounds how often hclwrite is asked again: what it gives is not always what it gives for that.
const formatRounds = 4

func formatHCL(src []byte) []byte {
	end := "\n" // as the other lines end: what stands in a heredoc must stay as it is
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		end = "\r\n"
	}
	for range formatRounds {
		out := bytes.TrimRight(hclwrite.Format(src), " \t\r\n")
		if len(out) > 0 {
			out = append(out, end...)
		}
		if bytes.Equal(out, src) {
			break
		}
		src = out
	}
	return src
}

func formatYAML(src []byte) []byte {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(src)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	out := []byte(strings.TrimRight(strings.Join(lines, "\n"), "\n"))
	if len(out) > 0 {
		out = append(out, '\n')
	}
	var was, is yaml.Node
	if yaml.Unmarshal(src, &was) != nil || yaml.Unmarshal(out, &is) != nil || !sameYAML(&was, &is) {
		return src // a text over several lines ends in spaces, and they are part of it
	}
	return out
}

// sameYAML says whether two trees say the same, comments included, but for spaces at the end of their lines.
func sameYAML(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && a.Anchor == b.Anchor &&
		sameComment(a.HeadComment, b.HeadComment) && sameComment(a.LineComment, b.LineComment) && sameComment(a.FootComment, b.FootComment) &&
		slices.EqualFunc(a.Content, b.Content, sameYAML)
}

func sameComment(a, b string) bool {
	return a == b || strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}
