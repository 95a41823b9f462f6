package worker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Python gives an interpreter that has some packages, in an environment called name, which the script (bench/environment.py)
// makes the first time.
func Python(ctx context.Context, script, name string, packages ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "python3", append([]string{script, name}, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("its environment cannot be made: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "bin", "python"), nil
}
