// Command report says what a project on the domain godoc came to, apart for signatures and clozes: each evaluation with the share of
// right choices beside the components of the score, and what the guard measured of each generator.
//
//	jupiter artifact list --json -C examples/godoc > artifacts.json
//	go run ./domains/godoc/report [-data domains/godoc] examples/godoc < artifacts.json
//
// It reads what the project has kept, and computes means from it and nothing else. A choice has four options: 25 % is chance.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jupiter/domains/godoc"
)

// artifact is a line of what jupiter artifact list --json writes.
type artifact struct {
	Digest    string    `json:"digest"`
	MediaType string    `json:"media_type"`
	MadeBy    string    `json:"made_by"`
	At        time.Time `json:"at"`
}

func (a artifact) path(project string) string {
	hash := strings.TrimPrefix(a.Digest, "sha256:")
	return filepath.Join(project, ".jupiter", "artifacts", "sha256", hash[:2], hash)
}

// score is one contestant's on an item; nil: it was not measured.
type score struct{ Accuracy, Coherence, Domain *float64 }

func main() {
	data := flag.String("data", filepath.Join("domains", "godoc"), "directory of the domain's data")
	flag.Parse()
	if err := report(os.Stdout, os.Stdin, *data, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func report(w io.Writer, list io.Reader, data, project string) error {
	if project == "" {
		return errors.New("which project? It is a directory that an apply ran in")
	}
	var all struct {
		Artifacts []artifact `json:"artifacts"`
	}
	if err := json.NewDecoder(list).Decode(&all); err != nil {
		return fmt.Errorf("standard input is not what jupiter artifact list --json writes: %w", err)
	}
	slices.SortFunc(all.Artifacts, func(a, b artifact) int { return a.At.Compare(b.At) })
	benchmarks, err := benchmarksOf(data)
	if err != nil {
		return err
	}
	for _, a := range all.Artifacts {
		switch a.MediaType {
		case "application/vnd.jupiter.items+jsonl":
			err = items(w, a, project, benchmarks)
		case "application/vnd.jupiter.guard-metrics+json":
			err = measures(w, a, project)
		}
		if err != nil {
			return fmt.Errorf("%s of %s: %w", a.Digest, a.MadeBy, err)
		}
	}
	return nil
}

// benchmarksOf gives the benchmark of each question, by the identifier that the evaluator makes of its key.
func benchmarksOf(dir string) (map[string]string, error) {
	of := map[string]string{}
	for _, split := range []string{"dev", "gate"} {
		err := eachLine(filepath.Join(dir, split+".jsonl"), func(line []byte) error {
			var it godoc.Item
			err := json.Unmarshal(line, &it)
			sum := sha256.Sum256([]byte(it.Key))
			of[hex.EncodeToString(sum[:12])] = split + " " + it.Benchmark
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return of, nil
}

func eachLine(path string, line func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		if err := line(s.Bytes()); err != nil {
			return err
		}
	}
	return s.Err()
}

// items prints the means of an evaluation of two contestants; one of a checkpoint alone is passed over.
func items(w io.Writer, a artifact, project string, benchmarks map[string]string) error {
	type key struct{ benchmark, side string }
	scores := map[key][]score{}
	err := eachLine(a.path(project), func(line []byte) error {
		var it struct {
			ID                    string
			Challenger, Incumbent *score
		}
		if err := json.Unmarshal(line, &it); err != nil || it.Incumbent == nil || it.Challenger == nil {
			return err
		}
		b, ok := benchmarks[it.ID]
		if !ok {
			return fmt.Errorf("item %s is not in the data, which were made of another Go", it.ID)
		}
		scores[key{b, "challenger"}] = append(scores[key{b, "challenger"}], *it.Challenger)
		scores[key{b, "incumbent"}] = append(scores[key{b, "incumbent"}], *it.Incumbent)
		return nil
	})
	if err != nil || len(scores) == 0 {
		return err
	}
	fmt.Fprintf(w, "%s, %s\n", a.MadeBy, a.At.Format(time.TimeOnly))
	for _, split := range []string{"dev", "gate"} {
		for _, benchmark := range []string{godoc.Signature, godoc.Cloze} {
			for _, side := range []string{"incumbent", "challenger"} {
				if s := scores[key{split + " " + benchmark, side}]; len(s) > 0 {
					domain := mean(s, func(s score) *float64 { return s.Domain })
					accuracy := mean(s, func(s score) *float64 { return s.Accuracy })
					coherence := mean(s, func(s score) *float64 { return s.Coherence })
					fmt.Fprintf(w, "  %-14s %-10s %4d items: right choice %4.1f %%, accuracy %.3f, coherence %.3f\n",
						split+" "+benchmark, side, len(s), 100*(domain*0.75+0.25), accuracy, coherence)
				}
			}
		}
	}
	return nil
}

// mean is that of what was measured; where nothing was it is NaN, and says so.
func mean(all []score, part func(score) *float64) float64 {
	sum, n := 0.0, 0.0
	for _, s := range all {
		if v := part(s); v != nil {
			sum += *v
			n++
		}
	}
	return sum / n
}

func measures(w io.Writer, a artifact, project string) error {
	b, err := os.ReadFile(a.path(project))
	if err != nil {
		return err
	}
	var m struct {
		PassRate    *float64 `json:"pass_rate"`
		BitsPerByte *float64 `json:"bits_per_byte"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if m.PassRate == nil || m.BitsPerByte == nil {
		return errors.New("it has no pass rate, or no bits per byte")
	}
	fmt.Fprintf(w, "%s, %s: pass rate %.3f of raw samples at temperature 1, %.3f bits per byte\n", a.MadeBy, a.At.Format(time.TimeOnly), *m.PassRate, *m.BitsPerByte)
	return nil
}
