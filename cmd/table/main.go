// Command table runs examples over several seeds and prints what came out as a Markdown table.
//
// Each run happens in a copy of the example and the domains, so that no run sees another's state and seeds share no look
// at a gate pool. The figures come from `jupiter history --json`; nothing is computed from anything else.
//
//	go run ./cmd/table -seeds 1,2,3,4 -arms quickstart,control
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

type history struct {
	Cycles []struct {
		Epoch      uint64 `json:"epoch"`
		Challenger scores `json:"challenger"`
		Incumbent  scores `json:"incumbent"`
		Decision   string `json:"decision"`
	} `json:"cycles"`
}

type scores struct {
	Accuracy float64 `json:"accuracy"`
	Score    float64 `json:"score"`
}

func main() {
	seeds := flag.String("seeds", "1,2,3,4", "seeds, separated by commas")
	arms := flag.String("arms", "quickstart,control", "examples, separated by commas")
	variable := flag.String("var", "", "NAME=VALUE, a variable of the examples' plans, beside the seed; none when empty")
	program := flag.String("jupiter", "", "the program; built from this module when empty")
	keep := flag.String("keep", "", "directory in which the copies stay; a temporary one, removed afterwards, when empty")
	flag.Parse()
	if err := run(strings.Split(*seeds, ","), strings.Split(*arms, ","), *variable, *program, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(seeds, arms []string, variable, program, dir string) error {
	var err error
	if dir == "" {
		if dir, err = os.MkdirTemp("", "jupiter-table-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if program == "" {
		program = filepath.Join(dir, "jupiter")
		if out, err := exec.Command("go", "build", "-o", program, "./cmd/jupiter").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	fmt.Printf("%s/%s, %d cores, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Println("| example | seed | v1 score (accuracy) | cycles: candidate score, decision | last score (accuracy) | promotions | minutes |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- |")
	for _, arm := range arms {
		for _, seed := range seeds {
			line, err := one(program, filepath.Join(dir, arm+"-"+seed), arm, seed, variable)
			if err != nil {
				return fmt.Errorf("%s, seed %s: %w", arm, seed, err)
			}
			fmt.Println(line)
		}
	}
	return nil
}

// one runs one example with one seed in a copy, and gives its line of the table.
func one(program, dir, arm, seed, variable string) (string, error) {
	for _, part := range []string{filepath.Join("examples", arm), "domains"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(part)); err != nil {
			return "", err
		}
	}
	project := filepath.Join(dir, "examples", arm)
	vars := []string{"--var", "seed=" + seed}
	if variable != "" {
		vars = append(vars, "--var", variable)
	}
	began := time.Now()
	apply := exec.Command(program, append([]string{"apply", "--auto-approve", project}, vars...)...)
	if out, err := apply.CombinedOutput(); err != nil && apply.ProcessState.ExitCode() != 3 { // 3: halted by the guard, which is a result
		return "", fmt.Errorf("apply: %w\n%s", err, out)
	}
	minutes := time.Since(began).Minutes()
	out, err := exec.Command(program, append([]string{"history", "--json", "-C", project}, vars...)...).Output()
	if err != nil {
		return "", fmt.Errorf("history: %w", err)
	}
	var h history
	if err := json.Unmarshal(out, &h); err != nil {
		return "", err
	}
	if len(h.Cycles) == 0 {
		return "", fmt.Errorf("no cycle was decided")
	}
	first, last := h.Cycles[0], h.Cycles[len(h.Cycles)-1]
	var cycles []string
	promotions := 0
	for _, c := range h.Cycles {
		cycles = append(cycles, fmt.Sprintf("%.3f %s", c.Challenger.Score, c.Decision))
		if c.Decision == "PROMOTE" {
			promotions++
		}
	}
	return fmt.Sprintf("| %s | %s | %.3f (%.3f) | %s | %.3f (%.3f) | %d | %.1f |", arm, seed, first.Incumbent.Score, first.Incumbent.Accuracy,
		strings.Join(cycles, "; "), last.Challenger.Score, last.Challenger.Accuracy, promotions, minutes), nil
}
