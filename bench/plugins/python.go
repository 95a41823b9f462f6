package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"jupiter/plugins/host"
)

//go:embed keep.py
var keepScript []byte

// python gives the filter that keeps all, made with the Python SDK, and the version of its interpreter. environment is the
// script that makes the SDK's environment; dir takes the filter.
func python(ctx context.Context, environment, dir, wrapper string) (s subject, version string, err error) {
	interpreter := "python3"
	if p := os.Getenv("PYTHON"); p != "" {
		interpreter = p
	}
	run := func(name string, args ...string) (string, error) {
		var errs bytes.Buffer
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("%w %s", err, strings.TrimSpace(lastLine(errs.String())))
		}
		return strings.TrimSpace(string(out)), nil
	}
	venv, err := run(interpreter, environment)
	if err != nil {
		return s, "", err
	}
	script := filepath.Join(dir, "keep.py")
	if err := os.WriteFile(script, keepScript, 0o644); err != nil {
		return s, "", err
	}
	program := host.Program{Path: filepath.Join(venv, "bin", "python"), Args: []string{script}, TLS: host.TLSGiven}
	version, err = run(program.Path, "-c", "import sys, grpc; print(sys.version.split()[0], 'with grpcio', grpc.__version__)")
	return subject{name: "python", program: program, confined: wrapper}, version, err
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
