package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"jupiter/domains/starter"
	"jupiter/plan/config"
	"jupiter/runtime"
)

const (
	newItems    = 1000
	newSubjects = 400
	leastGate   = 100 // items of a gate pool, see docs/language.md
)

// Endings of documents, and of files of conversations, where a folder is given.
var (
	documentEndings = []string{"md", "markdown", "txt", "rst", "adoc"}
	chatEndings     = []string{"jsonl", "ndjson"}
)

// newFromChats writes a plan from files of conversations, each of which is a document.
func newFromChats(ctx context.Context, w *world, o *newOptions, b *begunFrom) error {
	b.document = "conversation"
	return newFromDocuments(ctx, w, o, b)
}

func (b *begunFrom) chats() bool { return b.document == "conversation" }

// newFromDocuments writes a plan from a folder, and makes its benchmark.
func newFromDocuments(ctx context.Context, w *world, o *newOptions, b *begunFrom) error {
	if !config.IsLanguage(o.language) {
		return usageError{fmt.Errorf("%q is no language: write en, es or pt-BR", o.language)}
	}
	d := starter.Documents{Name: b.Name, Chats: b.chats(), Language: o.language, Items: newItems, TeacherModel: o.model, Trainer: o.trainer}
	if err := o.models(&d, b); err != nil {
		return err
	}
	for _, text := range []string{o.documents, o.student, o.teacher, o.model} {
		if !utf8.ValidString(text) {
			return usageError{fmt.Errorf("%q is not in UTF-8, and a plan is", text)}
		}
	}
	absolute, err := o.documentPaths(b)
	if err != nil {
		return err
	}
	for _, p := range absolute {
		rel, err := relative(b.stage, p) // DIR lies beside the stage
		if err != nil {
			return err
		}
		d.Paths = append(d.Paths, rel)
	}
	if err := b.build(ctx, w, &d, absolute); err != nil {
		return err
	}
	if b.check = !d.Tuned(); d.Tuned() {
		b.Next = append(b.Next, "jupiter init "+b.project)
	}
	if d.Teacher != "" {
		b.Next = append(b.Next, "jupiter benchmark build "+b.project)
	}
	b.Next = append(b.Next, "jupiter benchmark review "+b.project, "jupiter plan "+b.project, "jupiter apply "+b.project)
	files := d.Files()
	for name, text := range files {
		if config.IsFile(name) {
			files[name] = hclwrite.Format(text)
		}
	}
	return b.write(files)
}

// models reads who teaches and who learns.
func (o *newOptions) models(d *starter.Documents, b *begunFrom) error {
	switch {
	case !slices.Contains(trainers, o.trainer):
		return usageError{fmt.Errorf("--trainer %q is unknown; there is %s", o.trainer, strings.Join(trainers, ", "))}
	case o.trainer != "llama" && o.student == "":
		return usageError{fmt.Errorf("--trainer %s fine-tunes a model: name its directory with --student", o.trainer)}
	case o.trainer == "llama" && o.student != "":
		return usageError{errors.New("--student is for --trainer mlx and torch")}
	case o.trainer != "llama" && o.teacher == "":
		return usageError{fmt.Errorf("--trainer %s needs --teacher URL, a server that writes the samples: a model from nothing has nothing to teach the one in --student", o.trainer)}
	case o.teacher == "" && o.model != "":
		return usageError{errors.New("--teacher-model is for --teacher")}
	}
	if o.teacher != "" {
		u, err := url.Parse(o.teacher)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return usageError{fmt.Errorf("--teacher %q is no address of a server: write http://127.0.0.1:8080/v1", harmless(o.teacher))}
		}
		if u.User != nil || u.RawQuery != "" {
			return usageError{errors.New("--teacher has a password or a query, and a plan is no place for a key: leave them out, and name the variable that holds the key with api_key_env in the plan")}
		}
		if d.Teacher = strings.TrimSuffix(o.teacher, "/"); u.Path == "" || u.Path == "/" {
			d.Teacher += "/v1"
		}
	}
	if o.student == "" {
		return nil
	}
	path := (&targetOptions{chdir: o.chdir}).path(o.student)
	if info, err := os.Stat(path); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no directory: --student names one in Hugging Face's form, with config.json", path)
	}
	var err error
	d.Student, err = relative(b.stage, path)
	return err
}

// documentPaths gives the documents as absolute paths or globs.
func (o *newOptions) documentPaths(b *begunFrom) ([]string, error) {
	if o.documents == "" {
		return nil, usageError{fmt.Errorf("--from %s needs --documents PATH: a file, a folder or a glob", o.from)}
	}
	path, err := filepath.Abs((&targetOptions{chdir: o.chdir}).path(o.documents))
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[{") {
			for _, own := range []string{"README.md", "domain/benchmark/gate.jsonl"} {
				if own, err := runtime.IsDocument(path, filepath.Join(filepath.Dir(b.stage), "plan", filepath.FromSlash(own))); err != nil || own {
					return nil, errors.Join(err, b.among())
				}
			}
			return []string{path}, b.readable(path)
		}
		return nil, fmt.Errorf("the documents: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, b.readable(path)
	}
	if strings.ContainsAny(path, `*?[]{}\`) {
		return nil, fmt.Errorf("the path %s has one of * ? [ ] { } \\, which mean something in a glob: rename the folder, or make a link to it", path)
	}
	folder, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	stage, err := filepath.EvalSymlinks(b.stage)
	if err != nil {
		return nil, err
	}
	if rel, err := relative(folder, stage); err != nil || rel != ".." && !strings.HasPrefix(rel, "../") {
		return nil, errors.Join(err, b.among())
	}
	endings := documentEndings
	if b.chats() {
		endings = chatEndings
	}
	globs, err := documentGlob(path, folder, endings)
	switch {
	case err != nil || globs != nil:
		return globs, err
	case b.chats():
		return nil, fmt.Errorf("%s has no conversations, files of JSON lines that end in .%s", path, strings.Join(endings, " or ."))
	}
	return nil, fmt.Errorf("%s has no documents, files that end in .%s: name others by a glob, as --documents '%s/**/*.text'", path, strings.Join(endings, ", ."), path)
}

// readable says whether what a path or a glob names will be read as conversations, where they are asked for: by its ending.
func (b *begunFrom) readable(path string) error {
	if ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), ".")); b.chats() && !slices.Contains(chatEndings, ext) {
		return fmt.Errorf("%s does not end in .%s: conversations are read from files of JSON lines, each with messages of role and content", path, strings.Join(chatEndings, " or ."))
	}
	return nil
}

// among refuses to write a plan where its own texts would be taken for documents.
func (b *begunFrom) among() error {
	return fmt.Errorf("%s lies in the folder of the documents, so what is written there would be taken for documents: choose a directory beside it, or name the documents by a narrower path or a glob", b.project)
}

// documentGlob finds which sorts of documents are in a folder, which dir may be a link to. What has none of the endings is no
// document there; nil where nothing has.
func documentGlob(dir, folder string, endings []string) ([]string, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(folder, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			found[strings.TrimPrefix(filepath.Ext(p), ".")] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var here []string
	for _, e := range endings {
		if found[e] {
			here = append(here, e)
		}
	}
	switch len(here) {
	case 0:
		return nil, nil
	case 1:
		return []string{dir + "/**/*." + here[0]}, nil
	}
	return []string{dir + "/**/*.{" + strings.Join(here, ",") + "}"}, nil
}

// build makes the benchmark in the stage, from a configuration that has nothing else, so that neither the teacher nor a plugin has
// to be there.
func (b *begunFrom) build(ctx context.Context, w *world, d *starter.Documents, absolute []string) (err error) {
	scratch, err := os.MkdirTemp("", "jupiter-new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	directory := filepath.Join(b.stage, "domain", "benchmark")
	if _, err := writeNew(map[string][]byte{filepath.Join(scratch, "scratch.jupiter.hcl"): d.Scratch(absolute, directory)}); err != nil {
		return err
	}
	m, err := openBenchmark(ctx, w, &benchmarkOptions{}, scratch, "jupiter new", warnings{w})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, m.Close())
		if e := os.Remove(filepath.Join(directory, "lock")); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	out, err := m.runner.BuildBenchmark(ctx, m.domain, runtime.BuildOptions{})
	if out != nil {
		b.Skipped = out.Skipped
		viewSkipped(w, out.Skipped)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && (out == nil || out.Documents == 0) {
		return err
	}
	gate := 0
	for _, s := range out.Splits {
		if s.Name == "gate" {
			gate = s.Items
		}
	}
	if err != nil || gate < leastGate {
		return b.tooFew(out, gate)
	}
	b.Splits = out.Splits
	for _, s := range out.Skipped {
		d.Bad += s.Records
	}
	d.Subjects, err = runtime.Subjects(m.domain.Evaluation.Build, newSubjects, d.SubjectBytes())
	if err == nil && len(d.Subjects) == 0 {
		err = fmt.Errorf("the benchmark asks about every sentence and every heading, so nothing is left to ask the generator about: add %ss", b.document)
	}
	b.Subjects = len(d.Subjects)
	return err
}

// tooFew says what came of documents that do not make a benchmark.
func (b *begunFrom) tooFew(out *runtime.Built, gate int) error {
	kept := 0
	for _, k := range out.Kinds {
		kept += k.Kept
	}
	return fmt.Errorf("%s in %s give %s, %d of them for the gate, and a gate pool needs %d: add %ss, or longer ones, of running text with names, numbers and terms; some %d items together are enough. Nothing is written",
		plural(out.Documents, b.document), plural(out.Passages, "passage"), plural(kept, "item"), gate, leastGate, b.document, 2*leastGate*4/5)
}
