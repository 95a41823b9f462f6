package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// requireVersion checks the program's version against a constraint such as ">= 0.1.0, < 2".
func (in *instance) requireVersion(constraint string, rng hcl.Range) {
	ok, err := satisfies(in.l.opts.Version, constraint)
	switch {
	case err != nil:
		in.fail(rng, "Invalid version constraint", "%s. A constraint is an operator (= != > >= < <= ~>) and a version; several are separated by commas.", capital(err.Error()))
	case !ok:
		in.fail(rng, "Another version is required", "This is version %s, and the configuration requires %s.", in.l.opts.Version, constraint)
	}
}

// satisfies says whether a version meets all parts of a constraint. A version that is no number, as a development
// build's, meets every well-formed one. "~> 1.2" allows the last given component to rise: at least 1.2, below 2.
func satisfies(version, constraint string) (bool, error) {
	have, _, haveErr := parseVersion(version)
	ok := true
	for _, part := range strings.Split(constraint, ",") {
		part = strings.TrimSpace(part)
		op := strings.TrimRight(part[:len(part)-len(strings.TrimLeft(part, "=!<>~"))], " ")
		want, n, err := parseVersion(strings.TrimSpace(part[len(op):]))
		if err != nil {
			return false, err
		}
		c := compareVersions(have, want)
		switch op {
		case "", "=":
			ok = ok && c == 0
		case "!=":
			ok = ok && c != 0
		case ">":
			ok = ok && c > 0
		case ">=":
			ok = ok && c >= 0
		case "<":
			ok = ok && c < 0
		case "<=":
			ok = ok && c <= 0
		case "~>":
			upper := want
			i := max(n-2, 0)
			upper[i]++
			for j := i + 1; j < 3; j++ {
				upper[j] = 0
			}
			ok = ok && c >= 0 && compareVersions(have, upper) < 0
		default:
			return false, fmt.Errorf("%q is no operator", op)
		}
	}
	return ok || haveErr != nil, nil
}

// parseVersion reads up to three numbers; a pre-release suffix is left out of the comparison.
func parseVersion(s string) (v [3]int, n int, err error) {
	core, _, _ := strings.Cut(strings.TrimPrefix(s, "v"), "-")
	parts := strings.Split(core, ".")
	if len(parts) > 3 {
		return v, 0, fmt.Errorf("%q is no version", s)
	}
	for i, p := range parts {
		if v[i], err = strconv.Atoi(p); err != nil || v[i] < 0 {
			return v, 0, fmt.Errorf("%q is no version", s)
		}
	}
	return v, len(parts), nil
}

func compareVersions(a, b [3]int) int {
	for i := range a {
		if a[i] != b[i] {
			return a[i] - b[i]
		}
	}
	return 0
}
