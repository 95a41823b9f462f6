package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"jupiter/plan/lang/yamlbody"
)

// fileName is the first line of a snippet that is a file: its path, as a comment.
var fileName = regexp.MustCompile(`^# (\S+\.jupiter\.(?:hcl|yaml))\n`)

// TestSnippetsParse: HCL, YAML and JSON in the docs can be read.
func TestSnippetsParse(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			seen[b.lang]++
			name := fmt.Sprintf("%s:%d", b.doc, b.line)
			var diags hcl.Diagnostics
			switch b.lang {
			case "hcl":
				_, diags = hclsyntax.ParseConfig([]byte(b.text), name, hcl.InitialPos)
			case "yaml":
				_, diags = yamlbody.Parse([]byte(b.text), name, yamlbody.Options{})
			case "json":
				for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
					if !json.Valid([]byte(line)) {
						t.Errorf("%s: no JSON: %s", name, line)
					}
				}
			case "", "sh", "console", "go", "python":
			default:
				t.Errorf("%s: no test knows what to do with a block of %q", name, b.lang)
			}
			if diags.HasErrors() {
				t.Errorf("%s: %v", name, diags)
			}
		}
	}
	for _, lang := range []string{"hcl", "yaml", "json", "go", "python", "sh"} {
		if seen[lang] == 0 {
			t.Errorf("there is no block of %s", lang)
		}
	}
}

// TestPlansOfDocs: where a document writes out the files of a project, the project is valid and can be planned. The data
// that it names are made up.
func TestPlansOfDocs(t *testing.T) {
	t.Parallel()
	cache, plans := t.TempDir(), 0
	for _, d := range documents(t) {
		root := t.TempDir()
		var dirs []string
		for _, b := range d.blocks {
			m := fileName.FindStringSubmatch(b.text)
			if m == nil {
				continue
			}
			path := filepath.Join(root, filepath.FromSlash(m[1]))
			docFile(t, path, b.text)
			writeData(t, filepath.Dir(path), b.text)
			if strings.Contains(b.text, "self_improvement") {
				dirs = append(dirs, filepath.Dir(path))
			}
		}
		for _, dir := range dirs {
			plans++
			for _, command := range []string{"validate", "plan"} {
				cmd := exec.Command("jupiter", command, dir)
				cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: jupiter %s: %v\n%s", d.path, command, err, out)
				}
			}
		}
	}
	if plans == 0 {
		t.Error("no document writes out a plan")
	}
}

// TestSixKeys: the self_improvement blocks without a name, as the docs show them, complete a project that has one stage
// of each kind.
func TestSixKeys(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	seen := map[string]bool{}
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if !strings.HasPrefix(b.text, "self_improvement:") && !strings.HasPrefix(b.text, "self_improvement {") {
				continue
			}
			seen[b.lang] = true
			dir := t.TempDir()
			if err := writeProject(dir, map[string]string{"gain": "0.01", "max_steps": "100000", "delay_ms": "0", "exit_at": "null",
				"hang_at": "null", "save_every": "10", "promotion": `"auto"`}); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "main.jupiter.hcl")
			main, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			without, _, found := strings.Cut(string(main), "self_improvement \"numbers\"")
			if !found {
				t.Fatal("the fake project has no self_improvement block to take the place of")
			}
			docFile(t, path, without)
			docFile(t, filepath.Join(dir, "six.jupiter."+b.lang), b.text)
			cmd := exec.Command("jupiter", "plan", dir)
			cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "cycle 1 of self_improvement.numbers") || !strings.Contains(string(out), "steps 0 → 5000 of 100000") {
				t.Errorf("%s:%d: %v\n%s", b.doc, b.line, err, out)
			}
		}
	}
	if !seen["yaml"] || !seen["hcl"] {
		t.Errorf("found the six keys in %v, want HCL and YAML", seen)
	}
}

// TestGoOfDocs: the Go in the docs is built against this module.
func TestGoOfDocs(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	args := []string{"build", "-overlay", filepath.Join(temp, "overlay.json")}
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.lang != "go" || d.tutorial() {
				continue
			}
			n := len(overlay["Replace"])
			source := filepath.Join(temp, fmt.Sprintf("snippet%d.go", n))
			docFile(t, source, fmt.Sprintf("//line %s:%d\n%s", d.path, b.line+1, b.text))
			pkg := fmt.Sprintf("docs_snippet_%d", n)
			overlay["Replace"][filepath.Join(root, pkg, "snippet.go")] = source
			args = append(args, "./"+pkg)
		}
	}
	if len(overlay["Replace"]) < 3 {
		t.Fatalf("found %d blocks of Go only", len(overlay["Replace"]))
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	docFile(t, filepath.Join(temp, "overlay.json"), string(b))
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPythonOfDocs runs the Python in the docs on the pipeline_state.json of a project with two cycles. Where matplotlib
// is missing, what draws is left out.
func TestPythonOfDocs(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	draws := exec.Command(python, "-c", "import matplotlib").Run() == nil
	dir := t.TempDir()
	fake := &fixtures{dir: t.TempDir(), made: map[string]*fixture{}}
	if err := fake.put(dir, t.TempDir(), []string{"cycles=2", "max_steps=60"}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.lang != "python" || d.tutorial() || asksServe(b.text) { // which TestServeOpenAI runs
				continue
			}
			seen++
			script := b.text + "\nprint(len(list(epochs)), len(scores), scores == [e['score'] for e in state['epochs']])\n"
			if !draws {
				t.Log("there is no matplotlib: what draws is left out")
				script = regexp.MustCompile(`(?m)^(import matplotlib|plt\.).*\n`).ReplaceAllString(script, "")
			}
			cmd := exec.Command(python, "-c", script)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "MPLBACKEND=Agg")
			out, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "2 2 True" {
				t.Errorf("%s:%d: %v\n%s", b.doc, b.line, err, out)
			}
		}
	}
	if seen == 0 {
		t.Error("there is no block of Python")
	}
}

func docFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeData writes the files of records and questions that a configuration names beside itself.
func writeData(t *testing.T, dir, text string) {
	t.Helper()
	for i, m := range regexp.MustCompile(`\$\{path\.module\}/(\w+\.jsonl)`).FindAllStringSubmatch(text, -1) {
		var b strings.Builder
		for n := range 600 {
			id := 1000*i + n
			fmt.Fprintf(&b, `{"prompt":"item %d:","text":"%d"}`+"\n", id, id)
		}
		docFile(t, filepath.Join(dir, m[1]), b.String())
	}
}
