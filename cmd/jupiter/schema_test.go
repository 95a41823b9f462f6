package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// TestSchemaOfExamples: what jupiter schema writes is a valid schema, and the files in YAML that the program reads with
// its own stages fit it. A mistake in a plugin's part of one does not.
func TestSchemaOfExamples(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("jupiter", "schema")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("jupiter.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("jupiter.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	fits := func(src []byte) error {
		var v any
		if err := yaml.Unmarshal(src, &v); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	paths, err := filepath.Glob(filepath.Join(repository, "examples", "*", "*.jupiter.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d examples, %v", len(paths), err)
	}
	for _, p := range append(paths, filepath.Join("testdata", "loop", "twin.jupiter.yaml")) {
		src, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := fits(src); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if n := strings.Count(string(src), "learning_rate:"); n > 0 {
			if fits([]byte(strings.Replace(string(src), "learning_rate:", "learning_rat:", 1))) == nil {
				t.Errorf("%s fits with a misspelt attribute of a plugin's", p)
			}
		}
	}
}
