// Package domains holds the domain definitions that come with Jupiter, one directory each.
//
// A domain's directory is a module of the configuration language: *.jupiter.hcl with its data beside it. A plan uses it
// by path, as in
//
//	module "quantities" {
//	  source = "../../domains/quantities"
//	}
//
// Where a domain brings its own stages, such as a verifier, they are a Go package in its directory.
package domains

import "embed"

// FS holds the files of the domains, each below its domain's name: quantities/domain.jupiter.hcl. It lets a new project
// be made without a copy of the repository at hand. The data of godoc are made on the user's machine and are not in it.
//
//go:embed godoc/*.hcl godoc/README.md quantities/*.hcl quantities/*.jsonl quantities/README.md
var FS embed.FS
