// Command gen writes the data of the domain quantities: real.jsonl, validation.jsonl, dev.jsonl and gate.jsonl.
//
//	go run ./domains/quantities/gen [-dir domains/quantities]
//
// It writes the same bytes each time. A test holds the files that are checked in to what it writes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"jupiter/domains/dataset"
	"jupiter/domains/quantities"
)

func main() {
	dir := flag.String("dir", filepath.Join("domains", "quantities"), "directory to write to")
	flag.Parse()
	if err := dataset.Write(os.Stdout, *dir, quantities.MakeDataset(quantities.Seed).Files()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
