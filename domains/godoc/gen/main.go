// Command gen makes the data of the domain godoc from the Go installation of this machine: goroot.json, real.jsonl,
// validation.jsonl, dev.jsonl and gate.jsonl.
//
//	go run ./domains/godoc/gen [-goroot DIR] [-dir domains/godoc]
//
// The same version of Go gives the same records each time.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"jupiter/domains/dataset"
	"jupiter/domains/godoc"
)

func main() {
	dir := flag.String("dir", filepath.Join("domains", "godoc"), "directory to write to")
	goroot := flag.String("goroot", "", "the Go installation to read (default: what go env GOROOT says)")
	flag.Parse()
	if err := write(*goroot, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(goroot, dir string) error {
	if goroot == "" {
		out, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return fmt.Errorf("go env GOROOT: %w", err)
		}
		goroot = strings.TrimSpace(string(out))
	}
	goroot, err := filepath.Abs(goroot)
	if err != nil {
		return err
	}
	d, err := godoc.MakeDataset(goroot)
	if err != nil {
		return err
	}
	if err := dataset.Write(os.Stdout, dir, d.Files()); err != nil {
		return err
	}
	fmt.Print(d.Describe())
	return nil
}
