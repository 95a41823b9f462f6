package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	data, project := t.TempDir(), t.TempDir()
	put := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(data, "dev.jsonl"), `{"key":"a","benchmark":"signature"}`+"\n"+`{"key":"b","benchmark":"signature"}`+"\n")
	put(filepath.Join(data, "gate.jsonl"), `{"key":"c","benchmark":"cloze"}`+"\n")
	id := func(key string) string {
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:12])
	}
	item := func(key, challenger, incumbent string) string {
		return fmt.Sprintf(`{"id":%q,"challenger":%s,"incumbent":%s}`+"\n", id(key), challenger, incumbent)
	}
	right, wrong := `{"accuracy":1,"coherence":0.5,"domain":1}`, `{"accuracy":0,"coherence":0.25,"domain":-0.3333333333333333}`
	var list []string
	keep := func(digest, media, text string) {
		put(filepath.Join(project, ".jupiter", "artifacts", "sha256", digest[:2], digest), text)
		list = append(list, fmt.Sprintf(`{"digest":"sha256:%s","media_type":"application/vnd.jupiter.%s","made_by":"x","at":"2026-01-01T00:00:0%dZ"}`, digest, media, 9-len(list)))
	}
	keep("aa01", "items+jsonl", item("a", right, wrong)+item("b", wrong, wrong)+item("c", right, `{"accuracy":null,"coherence":1,"domain":null}`))
	keep("bb02", "items+jsonl", `{"id":"unknown","challenger":`+right+"}\n") // a checkpoint alone
	keep("cc03", "guard-metrics+json", `{"pass_rate":0.25,"bits_per_byte":1.5}`)
	var out bytes.Buffer
	all := func() *strings.Reader { return strings.NewReader(`{"artifacts":[` + strings.Join(list, ",") + `]}`) }
	if err := report(&out, all(), data, project); err != nil {
		t.Fatal(err)
	}
	want := `x, 00:00:07: pass rate 0.250 of raw samples at temperature 1, 1.500 bits per byte
x, 00:00:09
  dev signature  incumbent     2 items: right choice  0.0 %, accuracy 0.000, coherence 0.250
  dev signature  challenger    2 items: right choice 50.0 %, accuracy 0.500, coherence 0.375
  gate cloze     incumbent     1 items: right choice  NaN %, accuracy NaN, coherence 1.000
  gate cloze     challenger    1 items: right choice 100.0 %, accuracy 1.000, coherence 0.500
`
	if out.String() != want {
		t.Errorf("it says\n%s", &out)
	}
	keep("dd04", "items+jsonl", strings.Replace(item("a", right, wrong), id("a"), id("z"), 1))
	if err := report(&out, all(), data, project); err == nil || !strings.Contains(err.Error(), "not in the data") {
		t.Errorf("an item of other data: %v", err)
	}
}
