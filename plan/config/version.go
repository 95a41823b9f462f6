package config

import (
	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
)

// constraintForm says how a constraint is written.
const constraintForm = "A constraint is an operator (= != > >= < <= ~>) and a version; several are separated by commas."

// requireVersion checks the program's version against a constraint such as ">= 0.1.0, < 2".
func (in *instance) requireVersion(constraint string, rng hcl.Range) {
	ok, err := satisfies(in.l.opts.Version, constraint)
	switch {
	case err != nil:
		in.fail(rng, "Invalid version constraint", "%q is no version constraint. %s", constraint, constraintForm)
	case !ok:
		in.fail(rng, "Another version is required", "This is version %s, and the configuration requires %s.", in.l.opts.Version, constraint)
	}
}

// satisfies says whether the program's version meets a constraint. One that is no number, as a development build's, meets
// every well-formed constraint. A pre-release counts as what it leads to.
func satisfies(have, constraint string) (bool, error) {
	want, err := version.NewConstraint(constraint)
	if err != nil {
		return false, err
	}
	v, err := version.NewVersion(have)
	return err != nil || want.Check(v.Core()), nil
}
