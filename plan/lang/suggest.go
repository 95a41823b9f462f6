package lang

import "fmt"

// DidYouMean is the sentence that offers the candidate nearest to given, or "" where none is near. Put it between
// sentences: it starts with a space.
func DidYouMean(given string, candidates []string) string {
	best, bestDist := "", len(given)/3+2
	for _, c := range candidates {
		if d := editDistance(given, c, bestDist+1); d == max(len(given), len(c)) {
			continue // they have nothing in common
		} else if d < bestDist || d == bestDist && best != "" && c < best {
			best, bestDist = c, d
		}
	}
	if best == "" || best == given {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// editDistance is the number of insertions, deletions, replacements and swaps of neighbours that turn a into b
// (optimal string alignment), or limit where it is not below limit. Bytes, not runes: names are mostly ASCII.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return min(prev[len(b)], limit)
}
