// Package planfile keeps a plan in a file until it is applied.
//
// The file is a zip archive of two members, stored without compression, in this order and with no times, so that equal
// plans give equal bytes on any machine:
//
//	base.json   Base: the state and the configuration that the plan was made from
//	plan.json   the plan, as plan.Plan marshals
//
// A plan is worth only as much as what it was made from. Base.Check compares that with what is there now, and an apply
// refuses a plan for which it fails. The file holds no values of variables and no secrets: whoever applies it gives the
// same variables again, and the digest of the configuration says whether they were the same.
package planfile

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plan"
)

// Format is the number of the format that this version writes and reads.
const Format = 1

// maxMember bounds a member of the archive: 64 MiB. maxFile bounds the file: two of them, and what is around them.
const (
	maxMember = 64 << 20
	maxFile   = 2*maxMember + 1<<16
)

const (
	baseMember = "base.json"
	planMember = "plan.json"
)

// ErrNot is the error of a file that is no saved plan.
var ErrNot = errors.New("not a saved plan")

// Base is what a plan was made from.
type Base struct {
	Format  uint64 `json:"format"`
	Lineage string `json:"lineage"` // of the state; "": there was none
	Serial  uint64 `json:"serial"`  // of the state
	Config  string `json:"config"`  // digest of the configuration
	Outside string `json:"outside"` // digest of what the sources, files and served models are that it reads
	Version string `json:"version"` // of the program
	Lock    string `json:"lock"`    // digest of the lock file; "": there was none
	Module  string `json:"module"`  // the configuration's path, relative to the file's directory, with slashes
}

// File is a saved plan.
type File struct {
	Base Base
	Plan *plan.Plan
}

// StaleError says what has changed since a plan was saved.
type StaleError struct{ Differences []string }

func (e *StaleError) Error() string {
	return "the saved plan is stale: " + strings.Join(e.Differences, "; ")
}

// Check compares a plan's base with what is there now. The error is a *StaleError.
func (b Base) Check(now Base) error {
	var diff []string
	switch {
	case b.Lineage != now.Lineage && b.Lineage == "":
		diff = append(diff, "there was no state when it was made, and there is one now")
	case b.Lineage != now.Lineage:
		diff = append(diff, "it was made for another state")
	case b.Serial != now.Serial:
		diff = append(diff, fmt.Sprintf("the state has changed (serial %d, now %d)", b.Serial, now.Serial))
	}
	if b.Config != now.Config {
		diff = append(diff, "the configuration has changed, or its variables have")
	}
	if b.Outside != now.Outside {
		diff = append(diff, "a source, a file to import or a served model is not what it was")
	}
	if b.Version != now.Version {
		diff = append(diff, fmt.Sprintf("it was made by version %s, and this is version %s", b.Version, now.Version))
	}
	if b.Lock != now.Lock {
		diff = append(diff, "the lock file of the plugins has changed")
	}
	if diff == nil {
		return nil
	}
	return &StaleError{diff}
}

// Encode gives the bytes of a saved plan. Base.Format is set by it.
func Encode(f File) ([]byte, error) {
	f.Base.Format = Format
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, m := range []struct {
		name  string
		value any
	}{{baseMember, f.Base}, {planMember, f.Plan}} {
		b, err := json.MarshalIndent(m.value, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encode plan: %w", err)
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		if err != nil {
			return nil, fmt.Errorf("encode plan: %w", err)
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return nil, fmt.Errorf("encode plan: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return buf.Bytes(), nil
}

// Decode reads the bytes of a saved plan. The error is ErrNot for anything else.
func Decode(b []byte) (File, error) {
	var f File
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrNot, err)
	}
	if err := member(z, baseMember, &f.Base); err != nil {
		return f, err
	}
	if f.Base.Format != Format {
		return f, fmt.Errorf("the saved plan has format %d, this version knows format %d; make it again", f.Base.Format, Format)
	}
	if err := member(z, planMember, &f.Plan); err != nil {
		return f, err
	}
	if f.Plan == nil || slices.Contains(f.Plan.Cycles, nil) {
		return f, fmt.Errorf("%w: %s: it holds no plan", ErrNot, planMember)
	}
	return f, nil
}

func member(z *zip.Reader, name string, into any) error {
	r, err := z.Open(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNot, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxMember+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrNot, name, err)
	case len(b) > maxMember:
		return fmt.Errorf("%w: %s is larger than %d MiB", ErrNot, name, maxMember>>20)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNot, name, err)
	}
	return nil
}

// Write saves a plan. A reader sees the file whole, old or new.
func Write(path string, f File) error {
	b, err := Encode(f)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".plan-*")
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(b)
	if err = errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// Read reads a saved plan. Of a file that is larger than any plan it reads no more than shows that.
func Read(path string) (File, error) {
	r, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("read plan: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return File{}, fmt.Errorf("read plan: %w", err)
	case len(b) > maxFile:
		return File{}, fmt.Errorf("read plan %s: %w: it is larger than %d MiB", path, ErrNot, maxFile>>20)
	}
	f, err := Decode(b)
	if err != nil {
		return f, fmt.Errorf("read plan %s: %w", path, err)
	}
	return f, nil
}
