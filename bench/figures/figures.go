// Package figures holds what the benchmarks have in common: how a figure is made of many, on which machine, and how a goal
// is judged.
package figures

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// Median is the middle one of some figures, or the mean of the two in the middle. There must be one.
func Median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Round keeps so many digits after the point.
func Round(x float64, digits int) float64 {
	f := math.Pow10(digits)
	return math.Round(x*f) / f
}

// Goal is one of the bounds that the program is held to.
type Goal struct {
	What  string
	Is    string // what was measured
	Bound string
	Met   bool
}

// WriteGoals prints goals as a table.
func WriteGoals(w io.Writer, goals []Goal) {
	fmt.Fprint(w, "\n| goal | measured | bound | |\n| --- | --- | --- | --- |\n")
	for _, g := range goals {
		met := "met"
		if !g.Met {
			met = "NOT MET"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", g.What, g.Is, g.Bound, met)
	}
}

// WriteResult prints the last line, which scripts read: one object.
func WriteResult(w io.Writer, x any) error {
	line, err := json.Marshal(x)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nRESULT %s\n", line)
	return err
}

// Machine says what figures are taken on: processor, cores, system.
func Machine() string {
	cpu := "unknown processor"
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s", cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}

// Program says which version of Jupiter a program is, and which Go built it.
func Program(path string) string {
	version := "unknown"
	if out, err := exec.Command(path, "version").Output(); err == nil {
		version, _, _ = strings.Cut(strings.TrimPrefix(string(out), "jupiter "), " ")
	}
	return fmt.Sprintf("jupiter %s built with %s", version, runtime.Version())
}
