package starter

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestDocuments: in every variant what is written can be read, is in the usual form, and texts of somebody else's mean nothing in it.
func TestDocuments(t *testing.T) {
	t.Parallel()
	hostile := "../a\"}${env(\"X\")}%{if true}\nb/*.md"
	for _, d := range []Documents{
		{Trainer: "llama"},
		{Trainer: "llama", Teacher: "http://localhost/v1", Bad: 3},
		{Trainer: "llama", Teacher: "http://localhost/v1", TeacherModel: hostile},
		{Trainer: "mlx", Teacher: "http://localhost/v1", Student: hostile},
		{Trainer: "torch", Teacher: "http://localhost/v1", Student: "../models/small"},
		{Chats: true, Trainer: "llama", Bad: 3},
		{Chats: true, Trainer: "llama", Teacher: "http://localhost/v1"},
		{Chats: true, Trainer: "mlx", Teacher: "http://localhost/v1", Student: hostile},
	} {
		d.Name, d.Language, d.Items, d.Paths, d.Subjects = "towns", "en", 1000, []string{hostile}, []string{"<a> ${b}", "{subject}"}
		files := d.Files()
		files["scratch.jupiter.hcl"] = d.Scratch(d.Paths, hostile)
		for name, text := range files {
			if strings.Contains(string(text), "<<") || strings.Contains(string(text), "<no value>") {
				t.Errorf("%+v: %s is not filled in:\n%s", d, name, text)
			}
			if !strings.HasSuffix(name, ".hcl") {
				continue
			}
			if _, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos); diags.HasErrors() {
				t.Errorf("%+v: %v\n%s", d, diags, text)
			}
			if strings.Contains(string(text), ` ${env`) || strings.Contains(strings.ReplaceAll(string(text), "$${env", ""), "${env") {
				t.Errorf("%+v: %s evaluates what it was given:\n%s", d, name, text)
			}
		}
		for _, text := range []string{hostile, "$${a} %%{b} $", "日本\u00a0\t\\"} {
			e, diags := hclsyntax.ParseExpression([]byte(d.Text(text)), "text", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatalf("%s: %v", d.Text(text), diags)
			}
			if v, diags := e.Value(nil); diags.HasErrors() || v.AsString() != text {
				t.Errorf("%q is spelled %s, which is %#v, %v", text, d.Text(text), v, diags)
			}
		}
		var subjects []string
		if err := json.Unmarshal(files["domain/subjects.json"], &subjects); err != nil || !slices.Equal(subjects, d.Subjects) {
			t.Errorf("%q, %v", subjects, err)
		}
	}
}
