//go:build linux

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jupiter/plugins/host"
)

// suite runs the suite on this binary, and gives the rules that are broken.
func suite(t *testing.T, o Options, args ...string) (*Report, []string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if o.Program.Path == "" {
		o.Program = host.Program{Path: exe, Args: args}
	}
	o.Wrapper, o.Version = []string{exe, "confine"}, "test"
	if o.Env == nil {
		o.Env = os.Environ()
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var broken []string
	for _, res := range r.Results {
		if res.Outcome == Broken {
			broken = append(broken, res.Rule)
		}
		if res.Outcome == Broken || testing.Verbose() && res.Outcome == NotChecked {
			t.Logf("%s: %s %s: %s", res.Outcome, res.Stage, res.Rule, res.Reason)
		}
	}
	return r, broken
}

// small are options with which a run takes seconds.
func small() Options {
	return Options{Timeout: 20 * time.Second, Grace: 10 * time.Second, Many: 20_000, Memory: 64 << 20}
}

// elsewhere is a model that the test plugin imports.
func elsewhere(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(path, []byte(`{"Step": 3, "Sum": 4}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBaseline: a plugin that keeps all rules has none that is broken, and of those that are not checked each is known.
func TestBaseline(t *testing.T) {
	t.Parallel()
	o := small()
	o.Import = elsewhere(t)
	r, broken := suite(t, o, "serve", "none")
	if len(broken) > 0 {
		t.Errorf("broken: %q", broken)
	}
	seen := map[string]bool{}
	for _, res := range r.Results {
		seen[res.Rule] = true
		if res.Outcome == NotChecked && res.Rule != "works-confined" {
			t.Errorf("not checked: %s %s: %s", res.Stage, res.Rule, res.Reason)
		}
	}
	for _, rule := range Rules() {
		if !seen[rule.ID] {
			t.Errorf("%s is in no result", rule.ID)
		}
	}
}

// TestBegins: a plugin whose trainer and exporter need the model that training begins with is checked once there is one.
func TestBegins(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"", elsewhere(t)} {
		o := small()
		o.Import = from
		r, broken := suite(t, o, "serve", withBase)
		if len(broken) > 0 {
			t.Errorf("with %q broken: %q", from, broken)
		}
		for _, res := range r.Results {
			if trains := res.Rule == "trainer-resume" || res.Rule == "exporter-output"; trains && (res.Outcome == NotChecked) != (from == "") {
				t.Errorf("with %q %s %s is %v: %s", from, res.Stage, res.Rule, res.Outcome, res.Reason)
			}
		}
	}
}

// broken are the modes of the test plugin, with the stage that breaks the rule. "": the plugin as a whole, and the filter is
// asked. A mode breaks the rule of its name, or the one after "=".
var broken = []struct{ mode, stage string }{
	{"info-name", ""}, {"info-version", ""}, {"info-schema", ""}, {"info-media", ""}, {"info-features", ""}, {"info-same", ""},
	{"unknown-stage", ""}, {"validate-plain", ""}, {"validate-hostile", ""}, {"validate-hostile-block=validate-hostile", ""}, {"validate-items", ""}, {"validate-malformed", ""}, {"validate-paths", ""},
	{"stage-answers", ""}, {"deterministic", "evaluator t"}, {"cancel", "verifier t"}, {"cancel-held=cancel", "verifier t"},
	{"estimate", ""}, {"concurrent", ""}, {"contract", "verifier t"}, {"fingerprint", "collector t"},
	{"import-refused", "trainer t"}, {"import-output", "generator t"}, {"stop-failed=stop", "exporter t"},
	{"stop", "collector t"}, {"stop-late=stop", "trainer t"}, {"stop-unsaved=stop", "trainer t"},
	{"write-inside", ""}, {"works-confined", ""}, {"stdout-clean", ""}, {"stdin-end", ""},
	{"collector-records", "collector t"}, {"collector-resume", "collector t"}, {"collector-memory", "collector t"},
	{"filter-order", "filter t"}, {"filter-empty", "filter t"}, {"filter-large", "filter t"}, {"filter-unicode", "filter t"},
	{"filter-batches", "filter t"}, {"filter-reference", "filter t"}, {"filter-verdict", "filter t"}, {"filter-memory", "filter t"},
	{"verifier-order", "verifier t"}, {"verifier-empty", "verifier t"}, {"verifier-large", "verifier t"},
	{"verifier-unicode", "verifier t"}, {"verifier-batches", "verifier t"}, {"verifier-memory", "verifier t"},
	{"trainer-estimate", "trainer t"}, {"trainer-checkpoints", "trainer t"}, {"trainer-resume", "trainer t"}, {"trainer-limit", "trainer t"},
	{"trainer-records", "trainer t"}, {"generator-parts", "generator t"}, {"generator-json", "generator t"}, {"generator-stream", "generator t"}, {"evaluator-unicode", "evaluator t"},
	{"exporter-output", "exporter t"},
	{"generator-samples", "generator t"}, {"generator-continues", "generator t"}, {"generator-order", "generator t"},
	{"generator-alone", "generator t"}, {"generator-max-tokens", "generator t"}, {"generator-no-tokens=generator-max-tokens", "generator t"},
	{"generator-prompts=generator-samples", "generator t"}, {"generator-stop", "generator t"},
	{"generator-finish", "generator t"}, {"generator-unicode", "generator t"}, {"generator-score", "generator t"}, {"generator-limit", "generator t"},
	{"evaluator-prepare", "evaluator t"}, {"evaluator-score", "evaluator t"}, {"evaluator-unavailable", "evaluator t"},
}

// TestRogues: each rule has a plugin that breaks it and no other, and is found out for that.
func TestRogues(t *testing.T) {
	t.Parallel()
	has := map[string]bool{}
	for _, tc := range broken {
		mode, rule, renamed := strings.Cut(tc.mode, "=")
		if !renamed {
			rule = mode
		}
		has[rule] = true
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := small()
			o.Stage = tc.stage
			o.Many, o.Memory = 5000, 24<<20
			if tc.stage == "" {
				o.Stage = "filter t"
			}
			switch mode {
			case "import-output":
				o.Import = elsewhere(t)
			case "cancel-held", "concurrent":
				o.Timeout = 4 * time.Second
			case "stop-late":
				o.Grace = time.Second
			case "works-confined":
				o.Env = append(os.Environ(), "HOME="+t.TempDir())
			}
			r, got := suite(t, o, "serve", mode)
			if mode == "works-confined" && r.Results[len(r.Results)-3].Outcome == NotChecked {
				t.Skipf("NOT TESTED, RULE works-confined: %s", r.Results[len(r.Results)-3].Reason)
			}
			if len(got) == 0 || len(slices.Compact(got)) != 1 || got[0] != rule {
				t.Errorf("broken: %q, want %s", got, rule)
			}
		})
	}
	for _, r := range Rules() {
		if !has[r.ID] {
			t.Errorf("no plugin breaks %s", r.ID)
		}
	}
}

// TestBuiltins: the plugins that come with the program conform.
func TestBuiltins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 3 {
		var b strings.Builder
		for k := range 800 {
			fmt.Fprintf(&b, "{\"text\":\"line %d of file %d\"}\n", k, i)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.jsonl", i)), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	questions := filepath.Join(t.TempDir(), "questions.jsonl")
	if err := os.WriteFile(questions, []byte("{\"prompt\":\"fake 1:\",\"reference\":\"1\",\"distractors\":[\"2\"]}\n{\"prompt\":\"fake 2:\",\"reference\":\"2\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	configs := map[string]string{
		"collector fake":   `{"n": 20000}`,
		"collector files":  fmt.Sprintf(`{"paths": [%q]}`, dir),
		"trainer llama":    `{"layers": 1, "dim": 16, "heads": 2, "ffn": 32, "vocab_size": 270, "batch_size": 2, "max_seq_length": 64, "threads": 1}`,
		"generator llama":  `{"max_tokens": 16, "threads": 1}`,
		"generator openai": fmt.Sprintf(`{"base_url": "%s/v1", "max_tokens": 16}`, newServer(t)),
	}
	for name := range builtins() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := small()
			o.Config = map[string]json.RawMessage{}
			for stage, c := range configs {
				if strings.HasSuffix(stage, " "+name) {
					o.Config[stage] = json.RawMessage(c)
				}
			}
			if name == "fake" {
				o.Questions = questions
			}
			r, got := suite(t, o, "builtin", name)
			if len(got) > 0 {
				t.Errorf("broken: %q", got)
			}
			conforms(t, r)
			if name == "openai" { // a model at a server has no likelihoods, and that is no breach
				unscored(t, r)
			}
		})
	}
}

func unscored(t *testing.T, r *Report) {
	t.Helper()
	for _, res := range r.Results {
		if res.Rule == "generator-score" && (res.Outcome != NotChecked || !strings.Contains(res.Reason, "this model cannot be scored: generator openai: a server gives no likelihoods")) {
			t.Errorf("generator-score: %s, %s", res.Outcome, res.Reason)
		}
	}
}

// conforms holds a run to have checked the plain call of each stage, and most rules.
func conforms(t *testing.T, r *Report) {
	t.Helper()
	for _, res := range r.Results {
		if res.Rule == "stage-answers" && res.Outcome != Kept {
			t.Errorf("%s is not checked: %s", res.Stage, res.Reason)
		}
	}
	if r.Kept < 5*r.Open || r.Kept < 10 {
		t.Errorf("%d rules are kept, and %d are not checked", r.Kept, r.Open)
	}
}

// TestPython: the example in Python conforms, as pip has installed it.
func TestPython(t *testing.T) {
	t.Parallel()
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	cmd := exec.Command(python, "../sdk/python/environment.py")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		t.Skipf("NOT TESTED, THE EXAMPLE PLUGIN IN PYTHON: its environment cannot be made: %v", err)
	}
	o := small()
	o.Timeout = time.Minute // of an interpreter that starts beside all other tests
	o.Program = host.Program{Path: filepath.Join(strings.TrimSpace(string(out)), "bin", "jupiter-markov")}
	r, got := suite(t, o)
	if len(got) > 0 {
		t.Errorf("broken: %q", got)
	}
	conforms(t, r)
	if r.TLS != "given" {
		t.Errorf("tls is %s", r.TLS)
	}
}

// TestDocs: docs/conformance.md lists the rules as they are, and no others.
func TestDocs(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (.*) \\| \\[.*\\]\\((.*)\\) \\|$").FindAllStringSubmatch(string(b), -1) {
		listed[m[1]] = m[2] + " " + m[3]
	}
	for _, r := range Rules() {
		if got := listed[r.ID]; !strings.HasPrefix(got, r.About+" ") || !strings.HasSuffix(got, r.Where) {
			t.Errorf("docs/conformance.md says of %s: %q, want %q, %s", r.ID, got, r.About, r.Where)
		}
		delete(listed, r.ID)
	}
	if len(listed) > 0 {
		t.Errorf("docs/conformance.md has rules that there are not: %q", slices.Collect(maps.Keys(listed)))
	}
}

// TestOptions: what is asked for and not there is an error, and what is left out is left out.
func TestOptions(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		o    Options
		want string
	}{
		{Options{Stage: "filter other"}, "there is no stage filter other"},
		{Options{Config: map[string]json.RawMessage{"filter other": nil}}, "the configuration is for filter other"},
		{Options{Program: host.Program{Path: "/bin/true"}}, "ended before it was ready"},
		{Options{Rules: regexp.MustCompile("^no-such-rule$")}, `no rule is called like "^no-such-rule$"`},
		{Options{Rules: regexp.MustCompile("^trainer-resume$"), Stage: "filter t"}, `no rule is called like "^trainer-resume$"`},
	} {
		o := tc.o
		if o.Program.Path == "" {
			o.Program = host.Program{Path: exe, Args: []string{"serve", "none"}}
		}
		if o.Rules == nil {
			o.Rules = regexp.MustCompile("^info-name$")
		}
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
	o := small()
	o.Rules = regexp.MustCompile("^deterministic$")
	o.Config = map[string]json.RawMessage{"filter t": json.RawMessage(`{"wrong": 1}`)}
	r, _ := suite(t, o, "serve", "none")
	for _, res := range r.Results {
		if res.Rule != "deterministic" || (res.Outcome == NotChecked) != (res.Stage == "filter t") {
			t.Errorf("%+v", res)
		}
	}
	if len(r.Results) != 7 {
		t.Errorf("%d results, want one for each stage", len(r.Results))
	}
}
