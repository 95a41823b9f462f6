package config

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
	was, is := []byte(nil), src
	for i := 0; i < formatRounds && !bytes.Equal(was, is); i++ {
		was, is = is, bytes.TrimRight(hclwrite.Format(is), " \t\r\n")
		if len(is) > 0 {
			is = append(is, end...)
		}
	}
	if !bytes.Equal(was, is) || !sameWords(src, is) {
		return src // 0. 5 would become 0.5, which is something else
	}
	return is
}

// sameWords says whether two texts have the same tokens.
func sameWords(a, b []byte) bool {
	words := func(src []byte) (all [][]byte) {
		tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
		for _, t := range tokens {
			if w := bytes.TrimSpace(t.Bytes); len(w) > 0 {
				all = append(all, w)
			}
		}
		return all
	}
	return slices.EqualFunc(words(a), words(b), bytes.Equal)
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
