package lang

import (
	"fmt"
	"sort"

	"github.com/hashicorp/hcl/v2"
)

// maxSyntax bounds the syntax errors that are told of one text. A text in another language gives one for each character,
// and each would be shown with its line.
const maxSyntax = 20

// FirstErrors keeps the first of what a parser found wrong with one text, in the order of the text, and says in the last of
// them how many more there are.
func FirstErrors(diags hcl.Diagnostics) hcl.Diagnostics {
	if len(diags) <= maxSyntax {
		return diags
	}
	diags = append(hcl.Diagnostics{}, diags...)
	sort.SliceStable(diags, func(i, j int) bool {
		a, b := diags[i].Subject, diags[j].Subject
		return a != nil && b != nil && a.Start.Byte < b.Start.Byte
	})
	last := *diags[maxSyntax-1]
	last.Detail += fmt.Sprintf(" Behind this place there are %d more errors.", len(diags)-maxSyntax)
	return append(diags[:maxSyntax-1:maxSyntax-1], &last)
}
