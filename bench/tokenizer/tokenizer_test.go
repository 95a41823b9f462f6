package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReport: the line for scripts is the last, what was not measured is null, and a goal that is missed is said to be.
func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{options: options{threads: 2, megabytes: 50}, files: 3, noPeer: "no reason"}
	r.met(ours, about{Version: "go9", Bytes: 5e7})
	for _, s := range []float64{20, 40, 31} {
		r.add(ours, turn{Seconds: s, Tokens: 300, PeakMB: 12 * s})
	}
	check(t, r, `{"train_s":31,"mb":50,"peak_mb":480,"vs_peer":null,"peer_s":null,"peer":null}`,
		"| ours | 3 | 300 | 31.00 (20.00–40.00) | 1.6 | 372 MB |", "| training on 50 MB | 31.0 s | under 60 s for 100 MB | NOT MET |", "- There is no peer: no reason.")
	r.noPeer = ""
	r.met(peer, about{Version: "0.99", Bytes: 5e7})
	for _, s := range []float64{40, 40, 40} {
		r.add(peer, turn{Seconds: s, Tokens: 300, PeakMB: 100})
	}
	check(t, r, `{"train_s":31,"mb":50,"peak_mb":480,"vs_peer":1.29,"peer_s":40,"peer":"tokenizers 0.99"}`,
		"| tokenizers | 3 | 300 | 40.00 (40.00–40.00) | 1.2 | 100 MB |")
}

func check(t *testing.T, r *report, want string, lines ...string) {
	t.Helper()
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if line, ok := strings.CutPrefix(all[len(all)-1], "RESULT "); !ok || line != want {
		t.Errorf("the last line is\n%s, want\n%s", all[len(all)-1], want)
	}
	for _, l := range lines {
		if !strings.Contains(b.String(), "\n"+l+"\n") {
			t.Errorf("no line\n%s\nin\n%s", l, b.String())
		}
	}
}

// TestGather: text files alone, in the order of their paths, and so many bytes of them.
func TestGather(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{"b/x.go": "größe", "a": "first ", "binary": "a\x00b", "latin": "\xff\xfe", "c": "never read"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "texts.json")
	n, err := gather(root, 9, to) // ends within a character
	if err != nil || n != 2 {
		t.Fatalf("%d texts, %v", n, err)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal(b, &texts); err != nil || strings.Join(texts, "|") != "first |gr" {
		t.Errorf("%q, %v", texts, err)
	}
	if _, err := gather(root, 1000, to); err == nil || !strings.Contains(err.Error(), "of 1000 bytes of text") {
		t.Errorf("too little text: %v", err)
	}
}
