package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is what the figures were taken on.
type machine struct {
	cpu, goVersion, jupiter, terraform string // terraform: "" where it was not measured
	cores                              int
}

func describe(program string) machine {
	m := machine{cpu: "unknown processor", goVersion: runtime.Version(), jupiter: "unknown", cores: runtime.NumCPU()}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				m.cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	if out, err := exec.Command(program, "version").Output(); err == nil {
		m.jupiter, _, _ = strings.Cut(strings.TrimPrefix(string(out), "jupiter "), " ")
	}
	return m
}

// report gathers samples by the name of what was measured, in the order of their first.
type report struct {
	machine machine
	names   []string
	samples map[string][]sample
}

func (r *report) take(ctx context.Context, name string, c command) error {
	s, err := c.measure(ctx)
	if err != nil {
		return err
	}
	r.add(name, s)
	return nil
}

func (r *report) add(name string, s sample) {
	if r.samples == nil {
		r.samples = map[string][]sample{}
	}
	if r.samples[name] == nil {
		r.names = append(r.names, name)
	}
	r.samples[name] = append(r.samples[name], s)
}

// result is the last line: what scripts read. A figure that could not be taken is null.
type result struct {
	VsTerraform *float64 `json:"plan_2000_vs_terraform"` // Terraform's wall time over ours
	Plan2000    float64  `json:"plan_2000_s"`
	Plan10000   float64  `json:"plan_10000_s"`
	Memory      float64  `json:"plan_10000_mb"`
	Growth      float64  `json:"growth"` // wall time of 10,000 stages over that of 1,000
	Version     float64  `json:"version_ms"`
}

func (r *report) result() result {
	of := func(n int) sample { return medians(r.samples[planName(n, spellings[0])]) }
	out := result{
		Plan2000: round(of(2000).wall, 4), Plan10000: round(of(10000).wall, 4), Memory: round(of(10000).memory, 1),
		Growth: round(of(10000).wall/of(1000).wall, 2), Version: round(1000*medians(r.samples[versionName]).wall, 2),
	}
	if peer := r.samples[peerName]; len(peer) > 0 {
		ratio := round(medians(peer).wall/of(peerChain).wall, 1)
		out.VsTerraform = &ratio
	}
	return out
}

func round(x float64, digits int) float64 {
	f := math.Pow10(digits)
	return math.Round(x*f) / f
}

// goal is one of the bounds that the program is held to.
type goal struct {
	what, is, bound string
	met             bool
}

func (x result) goals() []goal {
	all := []goal{
		{"10,000 stages", fmt.Sprintf("%.2f s", x.Plan10000), "under 2 s", x.Plan10000 < 2},
		{"10,000 stages", fmt.Sprintf("%.0f MB", x.Memory), "under 500 MB", x.Memory < 500},
		{"10,000 against 1,000 stages", fmt.Sprintf("%.1f × the time", x.Growth), "at most 12 ×", x.Growth <= 12},
		{"jupiter version", fmt.Sprintf("%.1f ms", x.Version), "under 30 ms", x.Version < 30},
	}
	if x.VsTerraform != nil {
		all = append([]goal{{"2,000 stages", fmt.Sprintf("%.0f × faster than Terraform", *x.VsTerraform), "at least 20 ×", *x.VsTerraform >= 20}}, all...)
	}
	return all
}

// write prints the tables, the notes and the line for scripts.
func (r *report) write(w io.Writer) error {
	h := r.machine
	fmt.Fprintf(w, "%s, %d cores, %s/%s; jupiter %s built with %s", h.cpu, h.cores, runtime.GOOS, runtime.GOARCH, h.jupiter, h.goVersion)
	if h.terraform != "" {
		fmt.Fprintf(w, "; terraform %s", h.terraform)
	}
	fmt.Fprint(w, "\n\n| nothing to change | runs | wall, median (least–most) | CPU, median | memory, median |\n| --- | --- | --- | --- | --- |\n")
	for _, name := range r.names {
		all := r.samples[name]
		m, lo, hi := medians(all), math.Inf(1), 0.0
		for _, s := range all {
			lo, hi = min(lo, s.wall), max(hi, s.wall)
		}
		fmt.Fprintf(w, "| %s | %d | %.3f s (%.3f–%.3f) | %.2f s | %.0f MB |\n", name, len(all), m.wall, lo, hi, m.cpu, m.memory)
	}
	res := r.result()
	fmt.Fprint(w, "\n| goal | measured | bound | |\n| --- | --- | --- | --- |\n")
	for _, g := range res.goals() {
		met := "met"
		if !g.met {
			met = "NOT MET"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", g.what, g.is, g.bound, met)
	}
	fmt.Fprint(w, notes)
	if res.VsTerraform == nil {
		fmt.Fprint(w, "- Terraform was not measured, so nothing is said of it.\n")
	}
	line, err := json.Marshal(res)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nRESULT %s\n", line)
	return err
}

const notes = `
- A stage is a filter block, and a plan compares it with its record; 11 more actions make up the cycle. The decision is
  left: a cycle with nothing left is not expanded, and its plan would be faster.
- The records were written directly, under the planner's identities, and not by an apply.
- CPU is that of the process and of the plugins that it started, memory the most that one of them held. Caches are warm.
- Terraform's state names the resource before each and not all that come before, which makes its plan faster.
`
