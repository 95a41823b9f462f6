package config

import (
	"regexp"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/lang"
)

// Import is a model from elsewhere, a file or a directory, that a block names in place of a trainer: model = "PATH" of a
// generator, start = "PATH" of a trainer.
type Import struct {
	Attr    string // model or start
	Path    string // absolute
	Written string // as it was written, relative to Config.Dir
}

// trainerAddress is a text that stands where a reference to a trainer was meant.
var trainerAddress = regexp.MustCompile(`^(module\.[\w-]+\.)*trainer\.`)

// trainerOrPath decodes an attribute that is a reference to a trainer or the path of a model from elsewhere.
func (f *fields) trainerOrPath(name string) (ref lang.Ref, from *Import, ok bool) {
	kinds := f.form.attr(name, modelValue).refs
	v, ok := f.raw(name)
	if !ok {
		return ref, nil, false
	}
	if plain, _ := v.Unmark(); plain.Type() != cty.String || plain.AsString() == "" || trainerAddress.MatchString(plain.AsString()) {
		ref, ok = f.asRef(name, v, kinds)
		return ref, nil, ok
	}
	if v, ok = f.value(name, cty.String); !ok {
		return ref, nil, false
	}
	path := v.AsString()
	return ref, &Import{Attr: name, Path: f.in.l.absolute(path), Written: path}, true
}
