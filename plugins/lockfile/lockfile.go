// Package lockfile reads and writes .jupiter.lock.hcl, which fixes the plugins of a configuration: where each comes
// from, its version, how it is reached, and the SHA-256 that it must have on each platform. It is committed with the
// configuration, so that everybody runs the same programs.
//
//	plugin "wordfilter" {
//	  source      = "example.com/acme/jupiter-wordfilter"
//	  version     = "1.2.0"
//	  constraints = ">= 1.0, < 2"
//	  protocol    = 1
//	  tls         = "auto"
//	  toolchain   = "go1.26.8"
//
//	  hashes = {
//	    darwin_arm64 = "sha256:…"
//	    linux_amd64  = "sha256:…"
//	  }
//	}
//
// The package is pure: it knows bytes, and neither files nor plugins. Equal Files give equal bytes, whatever the order in
// which they were put together. All values are literals: nothing is evaluated.
package lockfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Name is the file's, in the directory of the root module.
const Name = ".jupiter.lock.hcl"

// File is a lock file.
type File struct {
	Plugins []Plugin // sorted by name
}

// Plugin is what is fixed of one plugin.
type Plugin struct {
	Name        string
	Source      string // as required_plugins has it
	Version     string
	Constraints string // what the version was chosen by, for readers; "": anything
	Protocol    int
	TLS         string            // "auto", "given", "off"
	Toolchain   string            // that built it, "go1.26.8"; "": it was not built here
	Hashes      map[string]string // OS_ARCH → SHA-256 in hexadecimal

	Range hcl.Range // of the block's header; not written
}

// Find gives a plugin; nil: it is not locked.
func (f *File) Find(name string) *Plugin {
	for i := range f.Plugins {
		if f.Plugins[i].Name == name {
			return &f.Plugins[i]
		}
	}
	return nil
}

// Put locks a plugin, in place of what was locked under its name. Hashes of platforms that p does not name are kept where
// they are of the same program; see sameProgram.
func (f *File) Put(p Plugin) {
	p.Hashes = maps.Clone(p.Hashes)
	i, found := slices.BinarySearchFunc(f.Plugins, p.Name, func(q Plugin, name string) int { return strings.Compare(q.Name, name) })
	if !found {
		f.Plugins = slices.Insert(f.Plugins, i, p)
		return
	}
	if was := f.Plugins[i]; sameProgram(was, p) {
		for platform, hash := range was.Hashes {
			if p.Hashes[platform] == "" {
				p.Hashes[platform] = hash
			}
		}
	}
	f.Plugins[i] = p
}

// Keep forgets all plugins but those of the names, and gives the names of those that it forgot.
func (f *File) Keep(names []string) (forgotten []string) {
	f.Plugins = slices.DeleteFunc(f.Plugins, func(p Plugin) bool {
		gone := !slices.Contains(names, p.Name)
		if gone {
			forgotten = append(forgotten, p.Name)
		}
		return gone
	})
	return forgotten
}

// sameProgram says whether two locks are of one program: nothing that both know is different.
func sameProgram(a, b Plugin) bool {
	for platform, hash := range a.Hashes {
		if b.Hashes[platform] != "" && b.Hashes[platform] != hash {
			return false
		}
	}
	return a.Source == b.Source && a.Version == b.Version && a.Toolchain == b.Toolchain
}

// Clone gives a File that shares nothing with f.
func (f *File) Clone() *File {
	c := &File{Plugins: slices.Clone(f.Plugins)}
	for i := range c.Plugins {
		c.Plugins[i].Hashes = maps.Clone(c.Plugins[i].Hashes)
	}
	return c
}
