package config

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/lang"
)

// Suggestion is a text that a diagnostic offers in place of another.
type Suggestion struct {
	Text  string
	Range *hcl.Range // what it replaces; nil: no place in the source is it without doubt
}

var (
	offered = regexp.MustCompile(`[Dd]id you mean (?:"([^"]+)"|(\{[^}]+\}))\?`)
	quote   = regexp.MustCompile(`"([^"]+)"`)

	braced = regexp.MustCompile(`\{[^{}]+\}`)
)

// Suggest reads the suggestion of a diagnostic, ours or HCL's, and finds in src what it replaces: within the range of the
// diagnostic the word that the suggestion is near to. nil: it offers nothing.
func Suggest(d *hcl.Diagnostic, src []byte) *Suggestion {
	m := offered.FindStringSubmatchIndex(d.Detail)
	if m == nil {
		return nil
	}
	group := 2
	if m[2] < 0 {
		group = 4
	}
	s := &Suggestion{Text: d.Detail[m[group]:m[group+1]]}
	r := d.Subject
	if r == nil || r.Start.Byte > r.End.Byte || r.End.Byte > len(src) {
		return s
	}
	at, n := replaced(string(src[r.Start.Byte:r.End.Byte]), s.Text, d.Detail[:m[0]])
	if n == 0 {
		return s
	}
	s.Range = &hcl.Range{Filename: r.Filename, Start: advance(r.Start, src, at), End: advance(r.Start, src, at+n)}
	return s
}

// replaced finds in text what want stands for: where it begins, and its length; 0: it is not there, or not alone.
func replaced(text, want, detail string) (at, n int) {
	near := func(word string) bool { return word != want && lang.DidYouMean(word, []string{want}) != "" }
	for _, q := range quote.FindAllStringSubmatch(detail, -1) {
		if near(q[1]) && strings.Count(text, q[1]) == 1 {
			return strings.Index(text, q[1]), len(q[1])
		}
	}
	class := `[\pL\pN_-]+`
	switch {
	case want[0] == '{':
		wrong := braced.FindString(detail)
		if wrong == "" || strings.Count(text, wrong) != 1 {
			return 0, 0
		}
		return strings.Index(text, wrong), len(wrong)
	case strings.Contains(want, "."):
		class = `[\pL\pN_.-]+`
	}
	var found [][]int
	for _, w := range regexp.MustCompile(class).FindAllStringIndex(text, -1) {
		if near(text[w[0]:w[1]]) {
			found = append(found, w)
		}
	}
	if len(found) != 1 {
		return 0, 0
	}
	return found[0][0], found[0][1] - found[0][0]
}

// advance is the position n bytes behind p.
func advance(p hcl.Pos, src []byte, n int) hcl.Pos {
	for _, c := range string(src[p.Byte : p.Byte+n]) {
		p.Column++
		if c == '\n' {
			p.Line, p.Column = p.Line+1, 1
		}
	}
	p.Byte += n
	return p
}
