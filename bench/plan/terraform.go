package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peerName is the peer's line in the table.
var peerName = fmt.Sprintf("terraform plan, %d resources", peerChain)

// terraform is the peer: a configuration of n terraform_data resources, each of which takes its input from the output of
// the one before, and a state in which all of them are what the configuration says.
//
// Its apply of 2,000 takes longer than anybody waits: the state names for each resource all that come before it, and is
// written again for each. So the state is written here as an apply leaves it, but for one thing: it names the resource
// before alone. It is 70 MB smaller for it, and Terraform's plan is faster, so the comparison leans to Terraform's side.
type terraform struct {
	path, dir, version string
}

func newTerraform(ctx context.Context, path, dir string, n int) (*terraform, error) {
	t := &terraform{path: path, dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	out, err := t.command(ctx, "version", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("terraform version: %w", err)
	}
	var v struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(out, &v); err != nil {
		return nil, fmt.Errorf("terraform version: %w", err)
	}
	t.version = v.Version
	st, err := terraformState(n, v.Version)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{"main.tf": []byte(terraformConfig(n)), "terraform.tfstate": st} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	if out, err := t.command(ctx, "init", "-input=false", "-no-color").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("terraform init: %w\n%s", err, out)
	}
	return t, nil
}

// plan is the command that is measured. It must find nothing to do, or the state is not what Terraform takes it for.
func (t *terraform) plan() command {
	return command{path: t.path, args: []string{"plan", "-input=false", "-no-color", "-lock=false"}, dir: t.dir, env: t.env(), want: "No changes."}
}

func (t *terraform) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir, cmd.Env = t.dir, t.env()
	return cmd
}

// env keeps Terraform from asking its maker for news.
func (t *terraform) env() []string { return append(os.Environ(), "CHECKPOINT_DISABLE=1") }

func terraformConfig(n int) string {
	var b strings.Builder
	for i := range n {
		input := `"start"`
		if i > 0 {
			input = fmt.Sprintf("terraform_data.s%d.output", i-1)
		}
		fmt.Fprintf(&b, "resource \"terraform_data\" \"s%d\" {\n  input = %s\n}\n\n", i, input)
	}
	return b.String()
}

// terraformState is version 4 of Terraform's state format.
func terraformState(n int, version string) ([]byte, error) {
	type object = map[string]any
	text := object{"value": "start", "type": "string"}
	resources := make([]object, n)
	for i := range resources {
		instance := object{
			"schema_version":       0,
			"attributes":           object{"id": fmt.Sprintf("00000000-0000-4000-8000-%012d", i), "input": text, "output": text, "triggers_replace": nil},
			"sensitive_attributes": []any{},
		}
		if i > 0 {
			instance["dependencies"] = []string{fmt.Sprintf("terraform_data.s%d", i-1)}
		}
		resources[i] = object{"mode": "managed", "type": "terraform_data", "name": fmt.Sprintf("s%d", i),
			"provider": `provider["terraform.io/builtin/terraform"]`, "instances": []object{instance}}
	}
	return json.MarshalIndent(object{"version": 4, "terraform_version": version, "serial": 1,
		"lineage": "00000000-0000-4000-8000-000000000000", "outputs": object{}, "resources": resources}, "", "  ")
}
