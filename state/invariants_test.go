package state

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInvariantsAreDocumented compares the numbers that Check can report with those of the page.
func TestInvariantsAreDocumented(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	page := string(readFile(t, filepath.Join("..", "docs", "invariants.md")))
	for _, m := range regexp.MustCompile(`\| \*\*([MS]\d+)\*\* \|`).FindAllStringSubmatch(page, -1) {
		if listed[m[1]] {
			t.Errorf("%s is listed twice", m[1])
		}
		listed[m[1]] = true
	}
	cited := map[string]bool{
		"M12": true, // shown by M2
		"M16": true, // ErrCorrupt
	}
	sources, err := filepath.Glob("check*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([MS]\d+)"`).FindAllStringSubmatch(string(b), -1) {
			cited[m[1]] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(cited))); diff != "" {
		t.Errorf("the page and the code differ:\n%s", diff)
	}
}
