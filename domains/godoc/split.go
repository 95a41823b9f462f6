package godoc

import "strings"

// Splits. A held-out one is never trained on.
const (
	Real       = "real"
	Validation = "validation"
	Dev        = "dev"
	Gate       = "gate"
)

// twins are internal packages whose name is not that of the public package they are a part or a copy of.
var twins = map[string]string{
	"abi": "runtime", "goarch": "runtime", "cpu": "runtime", "trace": "runtime", "profile": "runtime", "coverage": "runtime",
	"reflectlite": "reflect", "unsafeheader": "reflect", "bytealg": "bytes", "stringslite": "bytes", "strings": "bytes",
	"filepathlite": "path", "poll": "os", "oserror": "os", "fmtsort": "fmt", "chacha8rand": "math", "zstd": "compress",
	"byteorder": "encoding", "xcoff": "debug", "gover": "go", "goversion": "go", "exportdata": "go", "pkgbits": "go", "buildcfg": "go",
	"synctest": "testing", "testenv": "testing", "fuzz": "testing", "testlog": "testing", "nettrace": "net", "singleflight": "net",
	"lazyregexp": "regexp", "lazytemplate": "text", "html": "text",
}

// trained are the largest groups, about half of all text. They always train, so that none of them is most of a test.
var trained = map[string]bool{"runtime": true, "net": true, "crypto": true, "go": true, "math": true}

// group is what stays together: a package, all below it, and its internal twin. It is the first part of the path that is not
// "internal"; bytes and strings, and text/template and html/template, are so alike that they are one group each.
func group(path string) string {
	name, rest, _ := strings.Cut(path, "/")
	if name == "internal" && rest != "" {
		name, _, _ = strings.Cut(rest, "/")
	}
	if twin, ok := twins[name]; ok {
		return twin
	}
	return name
}

// splitOf says what a package is for, by its group alone. Of every hundred groups 60 train, 26 are for the gate, 8 for dev and 6
// for validation.
func splitOf(path string) string {
	g := group(path)
	switch n := draw(splitSalt, g) % 100; {
	case trained[g] || n >= 40:
		return Real
	case n < 26:
		return Gate
	case n < 34:
		return Dev
	default:
		return Validation
	}
}

// splitSalt is one of those with which the gate has 1,000 items and 30 packages, taken before any model was trained.
const splitSalt = "godoc 238"
