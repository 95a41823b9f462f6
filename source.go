// Package jupiter has no code. It holds the sources of the SDKs, which the program gives to authors of plugins, and the quickstart: the module
// is called jupiter, and no module proxy or package index serves it. Its test holds the lines that docs/architecture.md draws
// between the packages.
package jupiter

import "embed"

// Source has the packages that a plugin imports, without their tests, at their paths in this repository. The patterns are
// what glob has for "not _test.go": no name ends in "t.go", or none in "st.go".
//
//go:embed go.mod go.sum
//go:embed plugins/sdk/certificate/certificate.go
//go:embed plugins/sdk/*[^t].go plugins/sdk/*[^s]t.go plugins/sdk/sdktest/*.go plugins/proto/pluginv1/*.go
//go:embed plugins/sdk/python/pyproject.toml plugins/sdk/python/README.md
//go:embed plugins/sdk/python/src/jupiter_sdk/*.py plugins/sdk/python/src/jupiter_sdk/py.typed
//go:embed plugins/sdk/python/src/jupiter_sdk/_pb/*.py plugins/sdk/python/src/jupiter_sdk/_pb/*.pyi
var Source embed.FS

// Quickstart has the plan and the domain of the quickstart, half a MiB, for who has the program and not this repository.
//
//go:embed examples/quickstart/quickstart.jupiter.hcl domains/quantities/domain.jupiter.hcl domains/quantities/*.jsonl
var Quickstart embed.FS
