package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"

	"github.com/spf13/pflag"

	sources "jupiter"
)

const quickstartReadme = `# The quickstart

` + "`jupiter new`" + ` wrote this directory: worked examples in units and dates, which a program can check, and a cycle that learns from
them. It takes a few minutes, on one machine, and needs nothing but the program.

` + "```sh" + `
jupiter plan       # what is to be done, and what it takes
jupiter apply      # do it
jupiter history    # what was decided, and why
jupiter sample "7ft5in en in:"
` + "```" + `

The plan stands in ` + "`%s.jupiter.hcl`" + `, and the domain with its data in ` + "`domain`" + `. For a domain of your own there is
` + "`jupiter new --from docs DIR --documents PATH`" + `.
`

// newQuickstart writes the quickstart, as the program carries it.
func newQuickstart(_ context.Context, _ *world, o *newOptions, b *begunFrom) error {
	if err := o.only("json", "from", "chdir", "no-color"); err != nil {
		return err
	}
	files := map[string][]byte{
		"README.md":  fmt.Appendf(nil, quickstartReadme, b.Name),
		".gitignore": []byte(".jupiter/\ngenerators/\n"),
	}
	err := fs.WalkDir(sources.Quickstart, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := sources.Quickstart.ReadFile(p)
		if path.Dir(p) == "domains/quantities" {
			files["domain/"+path.Base(p)] = text
		} else {
			files[b.Name+".jupiter.hcl"] = bytes.Replace(text, []byte(`"../../domains/quantities"`), []byte(`"./domain"`), 1)
		}
		return err
	})
	if err != nil {
		return err
	}
	b.Next = []string{"jupiter plan " + b.project, "jupiter apply " + b.project}
	return b.write(files)
}

// only refuses flags that mean nothing to what is begun from.
func (o *newOptions) only(names ...string) error {
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	var err error
	o.flags.Visit(func(f *pflag.Flag) {
		if !known[f.Name] && err == nil {
			err = usageError{fmt.Errorf("--%s is not for --from %s", f.Name, o.from)}
		}
	})
	return err
}
