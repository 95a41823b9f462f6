package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// Sizes of the gate pool.
const (
	minGatePool  = 100 // items; with fewer no decision can be made
	fewGateItems = 500 // below this a warning says what gain can be seen
)

// gateShare is the part of a custom_eval_file that becomes the gate pool; the rest is dev.
const gateShare = 0.8

// ruleEvalFiles: the files of a benchmark are there and can be read.
func ruleEvalFiles(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		e := d.Evaluation
		check := func(path, written string, rng hcl.Range) {
			info, err := os.Stat(path)
			built := e.Build != nil && filepath.Dir(path) == e.Build.Directory
			switch {
			case built && c.Unbuilt:
			case built && errors.Is(err, fs.ErrNotExist):
				diags = append(diags, problem(rng, "Benchmark is not built", fmt.Sprintf("There is no file %s: jupiter benchmark build makes it, from the documents.", written)))
			case errors.Is(err, fs.ErrNotExist):
				diags = append(diags, problem(rng, "No such file", fmt.Sprintf("There is no file %s. Paths are relative to the root module's directory; a file beside this one is \"${path.module}/…\".", written)))
			case err != nil:
				diags = append(diags, problem(rng, "File cannot be read", capital(err.Error())+"."))
			case !info.Mode().IsRegular():
				diags = append(diags, problem(rng, "Not a file", fmt.Sprintf("%s is not a regular file.", written)))
			case info.Size() == 0:
				diags = append(diags, problem(rng, "Empty file", fmt.Sprintf("%s has no items.", written)))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.Splits)) {
			for i, path := range e.Splits[name] {
				check(path, e.Written[name][i], at(e.Attrs, "split."+name, e.Range))
			}
		}
		if e.CustomEvalFile != "" {
			check(e.CustomEvalFile, e.Written["custom"][0], at(e.Attrs, "custom_eval_file", e.Range))
		}
	}
	return diags
}

// ruleOnePool: the items that decide come from one place.
func ruleOnePool(c *Config) (diags hcl.Diagnostics) {
	for _, d := range c.Domains {
		e := d.Evaluation
		if e.CustomEvalFile == "" {
			continue
		}
		if e.Build != nil {
			diags = append(diags, problem(at(e.Attrs, "custom_eval_file", e.Range), "Two sources of one split", "build makes dev and gate, and custom_eval_file is cut into them too. Keep one or the other."))
			continue
		}
		for _, name := range []string{"dev", "gate"} {
			if len(e.Splits[name]) > 0 {
				diags = append(diags, problem(at(e.Attrs, "split."+name, e.Range), "Two sources of one split", fmt.Sprintf(
					"custom_eval_file is cut into dev and gate, and split %q is given too. Keep one or the other.", name)))
			}
		}
	}
	return diags
}

// ruleGatePool: every cycle's domain has a gate pool that is large enough to decide on.
func ruleGatePool(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		e := k.Domain.Evaluation
		if c.Unbuilt && e.Build != nil {
			continue
		}
		if len(e.Splits["gate"]) == 0 && e.CustomEvalFile == "" {
			rng := e.Range
			if rng.Filename == "" {
				rng = k.Domain.Range
			}
			diags = append(diags, problem(rng, "No gate pool", fmt.Sprintf(
				"%s replaces its generator only when the student is better on held-out items, and %s has none: add split \"gate\" { file = … }, or custom_eval_file.", k.Addr, k.Domain.Addr)))
			continue
		}
		items, rng, err := gateItems(e)
		if errors.Is(err, fs.ErrNotExist) {
			continue // ruleEvalFiles has said so
		}
		if err != nil {
			diags = append(diags, problem(rng, "File cannot be read", capital(err.Error())+"."))
			continue
		}
		if k.BenchmarkSamples < items {
			items = k.BenchmarkSamples
			if a, ok := k.Attrs["benchmark_samples"]; ok {
				rng = a.Range
			}
		}
		switch {
		case items < minGatePool:
			diags = append(diags, problem(rng, "Gate pool too small", fmt.Sprintf(
				"The gate pool has %d items, and below %d no gain can be told from chance. Add items to the gate split; benchmark_samples caps the pool.", items, minGatePool)))
		case items < fewGateItems:
			diags = append(diags, warning(rng, "Small gate pool", fmt.Sprintf(
				"With %d items the first decision can show a gain of about %.1f points or more, and later ones less well. Smaller gains will be held back, real or not.", items, 100*VisibleGain(items, k.Alpha))))
		}
	}
	return diags
}

// VisibleGain is the smallest gain in the composite score that the first look of the gate can show with n items: the
// quantile of its part of alpha, α·6/π²/2, times the standard error of paired differences with the standard deviation
// 0.35 that contestants of similar strength have on items that are scored by parts.
func VisibleGain(n uint64, alpha float64) float64 {
	const sd = 0.35
	tail := alpha * 6 / (math.Pi * math.Pi) / 2
	return math.Sqrt2 * math.Erfinv(1-2*tail) * sd / math.Sqrt(float64(n))
}

// gateItems counts the items of the gate pool, one a line, and says where the pool is named.
func gateItems(e Evaluation) (n uint64, rng hcl.Range, err error) {
	if files := e.Splits["gate"]; len(files) > 0 {
		rng = at(e.Attrs, "split.gate", e.Range)
		for _, path := range files {
			lines, err := countLines(path)
			if err != nil {
				return 0, rng, err
			}
			n += lines
		}
		return n, rng, nil
	}
	rng = at(e.Attrs, "custom_eval_file", e.Range)
	lines, err := countLines(e.CustomEvalFile)
	return uint64(math.Floor(gateShare * float64(lines))), rng, err
}

// countLines counts the lines of a file that hold more than blanks.
func countLines(path string) (n uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	text := false
	for {
		k, err := f.Read(buf)
		for chunk := buf[:k]; len(chunk) > 0; {
			i := bytes.IndexByte(chunk, '\n')
			line := chunk
			if i >= 0 {
				line, chunk = chunk[:i], chunk[i+1:]
			} else {
				chunk = nil
			}
			text = text || len(bytes.TrimSpace(line)) > 0
			if i >= 0 && text {
				n, text = n+1, false
			}
		}
		if errors.Is(err, io.EOF) {
			if text {
				n++
			}
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
