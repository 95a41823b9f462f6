package panel

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plugins/sdk"
)

const (
	maxLine     = 4 << 20 // bytes of a line
	maxWarnings = 20      // bad lines that are shown one by one
)

// Prepare reads the splits and the custom file of req and emits their questions.
func Prepare(ctx context.Context, c *sdk.Call, req *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	if len(req.GetSplits()) == 0 && req.GetCustom() == nil {
		return errors.New("there is no split and no custom evaluation file to read questions from")
	}
	r := &reader{call: c, unknown: map[string]bool{}}
	splits := map[string][]*item{}
	for _, name := range slices.Sorted(maps.Keys(req.GetSplits())) {
		items, err := r.read(ctx, req.GetSplits()[name].GetPath())
		if err != nil {
			return fmt.Errorf("split %s: %w", name, err)
		}
		splits[name] = items
	}
	if custom := req.GetCustom(); custom != nil {
		if splits["dev"] != nil || splits["gate"] != nil {
			return errors.New("there is a custom evaluation file, and dev or gate is a split of its own; give one or the other")
		}
		items, err := r.read(ctx, custom.GetPath())
		if err != nil {
			return fmt.Errorf("custom evaluation file: %w", err)
		}
		splits["dev"], splits["gate"] = divide(items)
	}
	if err := r.bad(); err != nil {
		return err
	}
	if err := distinct(splits); err != nil {
		return err
	}
	if err := selectBenchmarks(splits, req.GetBenchmarks()); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(splits)) {
		items := splits[name]
		slices.SortFunc(items, func(a, b *item) int { return bytes.Compare(a.hash[:], b.hash[:]) })
		if n := req.GetSamples(); name == "gate" && n > 0 && uint64(len(items)) > n {
			items = items[:n]
		}
		var questions []*sdk.Question
		for _, it := range items {
			questions = append(questions, it.question(name))
		}
		if err := emit(questions); err != nil {
			return err
		}
	}
	return nil
}

// divide deals the items of one file out to dev and gate, 20 to 80, by the second eight bytes of the key's hash: the
// first eight order the items, and the two must not depend on each other.
func divide(items []*item) (dev, gate []*item) {
	for _, it := range items {
		if binary.BigEndian.Uint64(it.hash[8:16]) < math.MaxUint64/5 {
			dev = append(dev, it)
		} else {
			gate = append(gate, it)
		}
	}
	return dev, gate
}

// distinct refuses two items with one key.
func distinct(splits map[string][]*item) error {
	type where struct{ split, place string }
	seen := map[string]where{}
	for _, name := range slices.Sorted(maps.Keys(splits)) {
		for _, it := range splits[name] {
			if first, twice := seen[it.Key]; twice {
				return fmt.Errorf("key %q occurs twice: %s (%s) and %s (%s)", it.Key, first.place, first.split, it.place, name)
			}
			seen[it.Key] = where{name, it.place}
		}
	}
	return nil
}

// selectBenchmarks keeps the items of the named benchmarks, and those that name none. No names: all.
func selectBenchmarks(splits map[string][]*item, names []string) error {
	if len(names) == 0 {
		return nil
	}
	found := map[string]bool{}
	for split, items := range splits {
		splits[split] = slices.DeleteFunc(items, func(it *item) bool {
			found[it.Benchmark] = true
			return it.Benchmark != "" && !slices.Contains(names, it.Benchmark)
		})
	}
	for _, n := range names {
		if !found[n] {
			return fmt.Errorf("benchmark %q has no items: no benchmark is built in; items say which they belong to with \"benchmark\": %q", n, n)
		}
	}
	return nil
}

// reader reads benchmark files and keeps account of what is wrong with them.
type reader struct {
	call     *sdk.Call
	unknown  map[string]bool
	badLines int
	firstBad error
}

// read gives the items of a file, or of all files below a directory in the order of their names.
func (r *reader) read(ctx context.Context, path string) ([]*item, error) {
	var files []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*item
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if out, err = r.file(f, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *reader) file(path string, out []*item) ([]*item, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			continue
		}
		place := fmt.Sprintf("%s:%d", path, n)
		it, unknown, err := parseItem(line)
		if err != nil {
			r.report(place, err)
			continue
		}
		for _, k := range unknown {
			if !r.unknown[k] {
				r.unknown[k] = true
				r.call.Warn("Unknown key in a benchmark", fmt.Sprintf("%s: %q means nothing here; there are %s.", place, k, strings.Join(known[:], ", ")))
			}
		}
		it.place = place
		out = append(out, it)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", path, n+1, err)
	}
	return out, nil
}

func (r *reader) report(place string, err error) {
	r.badLines++
	r.firstBad = cmp.Or(r.firstBad, fmt.Errorf("%s: %w", place, err))
	if r.badLines <= maxWarnings {
		r.call.Warn("Bad line in a benchmark", fmt.Sprintf("%s: %v.", place, err))
	}
}

// bad is the error of a benchmark with bad lines: one that silently lost items would be another benchmark.
func (r *reader) bad() error {
	if r.badLines == 0 {
		return nil
	}
	return fmt.Errorf("%d bad lines, the first is %w", r.badLines, r.firstBad)
}
