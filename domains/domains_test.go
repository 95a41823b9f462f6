package domains

import (
	"io/fs"
	"testing"
)

// TestEveryDomainIsComplete: a directory that is embedded holds a definition and says what it is.
func TestEveryDomainIsComplete(t *testing.T) {
	t.Parallel()
	dirs, err := fs.ReadDir(FS, ".")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("%d domains, %v", len(dirs), err)
	}
	for _, d := range dirs {
		for _, file := range []string{"domain.jupiter.hcl", "README.md"} {
			if info, err := fs.Stat(FS, d.Name()+"/"+file); err != nil || info.Size() == 0 {
				t.Errorf("%s has no %s: %v", d.Name(), file, err)
			}
		}
	}
}
