package config

import (
	"path"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
)

// defaultBuild is a block build of which nothing is said. With 1000 items the gate pool has some 640.
func defaultBuild() Build {
	return Build{Items: 1000, Kinds: buildKinds(), HeldOut: 0.2, Dev: 0.2, SecondPass: true}
}

// buildKinds are the kinds of items that can be made from documents.
func buildKinds() []string { return []string{"question", "cloze"} }

// reviews say whether a person must have looked at an item.
func reviews() []string { return []string{"optional", "required"} }

// decodeBuild decodes how a benchmark is made, and makes its files splits of the evaluation.
func (in *instance) decodeBuild(e *Evaluation, b *hcl.Block) {
	build := defaultBuild()
	build.Range, build.Attrs = b.DefRange, map[string]Attr{}
	e.Build = &build
	content, diags := b.Body.Content(buildForm.body())
	in.l.add(diags...)
	f := in.fields(content, buildForm, nil)
	build.Attrs = f.ranges()
	f.strs("documents", &build.Written)
	for _, p := range build.Written {
		build.Documents = append(build.Documents, in.l.absolute(p))
	}
	directory := path.Join(in.relative(), "benchmark")
	f.str("directory", &directory)
	build.Directory = in.l.absolute(directory)
	said := len(in.l.diags)
	if r, ok := f.ref("teacher"); ok {
		in.l.link(func() { build.Teacher = in.l.stages[string(r.Addr)] })
	} else if len(in.l.diags) == said {
		delete(build.Attrs, "teacher") // null is none
	}
	f.count("items", &build.Items)
	f.strs("kinds", &build.Kinds)
	f.within("held_out", &build.HeldOut)
	f.within("dev", &build.Dev)
	f.count("seed", &build.Seed)
	f.flag("second_pass", &build.SecondPass)
	review := "optional"
	f.choice("review", &review)
	build.Reviewed = review == "required"
	for _, name := range []string{"validation", "dev", "gate"} {
		if name == "validation" && build.HeldOut == 0 {
			continue
		}
		if _, dup := e.Splits[name]; dup {
			in.fail(e.Attrs["split."+name].Range, "Two sources of one split", "build makes %s.jsonl, and split %q is given too. Keep one or the other.", name, name)
			continue
		}
		e.Splits[name] = []string{filepath.Join(build.Directory, name+".jsonl")}
		e.Written[name] = []string{path.Join(filepath.ToSlash(directory), name+".jsonl")}
		e.Attrs["split."+name] = Attr{Range: b.DefRange}
	}
}

// relative is the module's directory relative to the root module's, as path.module has it.
func (in *instance) relative() string {
	rel, err := filepath.Rel(in.l.root, in.mod.abs)
	if err != nil { // on another volume
		return filepath.ToSlash(in.mod.abs)
	}
	return filepath.ToSlash(rel)
}
