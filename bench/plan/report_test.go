package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestReport: the figures are medians, the ratios are of wall times, the line for scripts is the last, and a goal that is
// missed is said to be.
func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{machine: "a processor"}
	add := func(name string, memory float64, walls ...float64) {
		for _, w := range walls {
			r.add(name, sample{wall: w, cpu: 2 * w, memory: memory})
		}
	}
	add(versionName, 20, 0.9, 0.01, 0.012)
	add(planName(1000, spellings[0]), 50, 0.2, 0.3, 0.1)
	add(planName(2000, spellings[0]), 80, 0.4, 0.4, 9)
	add(planName(10000, spellings[0]), 600, 1, 2.4, 3)
	check := func(want, table string) {
		t.Helper()
		var b strings.Builder
		if err := r.write(&b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		line, ok := strings.CutPrefix(lines[len(lines)-1], "RESULT ")
		if !ok || line != want || !json.Valid([]byte(line)) {
			t.Errorf("the last line is\n%s, want\n%s", lines[len(lines)-1], want)
		}
		for _, l := range strings.Split(table, "\n") {
			if !strings.Contains(b.String(), "\n"+l+"\n") {
				t.Errorf("no line\n%s\nin\n%s", l, b.String())
			}
		}
	}
	check(`{"plan_2000_vs_terraform":null,"plan_2000_s":0.4,"plan_10000_s":2.4,"plan_10000_mb":600,"growth":12,"version_ms":12}`,
		"| jupiter plan, 10000 stages, HCL | 3 | 2.400 s (1.000–3.000) | 4.80 s | 600 MB |\n"+
			"| 10,000 stages | 2.40 s | under 2 s | NOT MET |\n"+
			"| 10,000 stages | 600 MB | under 500 MB | NOT MET |\n"+
			"| 10,000 against 1,000 stages | 12.0 × the time | at most 12 × | met |\n"+
			"| jupiter version | 12.0 ms | under 30 ms | met |\n"+
			"- Terraform was not measured, so nothing is said of it.")
	add(peerName, 400, 4, 6, 20)
	check(`{"plan_2000_vs_terraform":15,"plan_2000_s":0.4,"plan_10000_s":2.4,"plan_10000_mb":600,"growth":12,"version_ms":12}`,
		"| 2,000 stages | 15 × faster than Terraform | at least 20 × | NOT MET |")
}

// TestMeasure: a command that fails or says something else has no figures.
func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		script, want string
		ok           bool
	}{{"echo all is well", "is well", true}, {"echo all is bad", "is well", false}, {"echo is well; exit 3", "is well", false}} {
		s, err := command{path: "/bin/sh", args: []string{"-c", tt.script}, want: tt.want}.measure(t.Context())
		if (err == nil) != tt.ok || tt.ok && (s.wall <= 0 || s.memory <= 0) {
			t.Errorf("%s: %+v, %v", tt.script, s, err)
		}
	}
}

// TestTerraformState: each resource has a record, and depends on the one before.
func TestTerraformState(t *testing.T) {
	t.Parallel()
	b, err := terraformState(3, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var st struct {
		Version   int
		Resources []struct {
			Name      string
			Instances []struct{ Dependencies []string }
		}
	}
	if err := json.Unmarshal(b, &st); err != nil || st.Version != 4 || len(st.Resources) != 3 {
		t.Fatalf("%+v, %v", st, err)
	}
	if last := st.Resources[2]; last.Name != "s2" || len(last.Instances) != 1 || strings.Join(last.Instances[0].Dependencies, " ") != "terraform_data.s1" {
		t.Errorf("%+v", last)
	}
	if n := strings.Count(terraformConfig(3), `resource "terraform_data"`); n != 3 {
		t.Errorf("%d resources", n)
	}
}
