package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"jupiter/runtime"
)

type newOptions struct {
	chdir     string
	from      string
	documents string
	language  string
	teacher   string
	model     string
	trainer   string
	student   string
	json      bool

	flags *pflag.FlagSet // which of them are given
}

// A beginning is what a project can begin from.
type beginning struct {
	name  string
	write func(context.Context, *world, *newOptions, *begunFrom) error // writes into begunFrom.stage
}

func beginnings() []beginning {
	return []beginning{{"quickstart", newQuickstart}, {"docs", newFromDocuments}, {"chat", newFromChats}}
}

func newNewCommand(w *world) *cobra.Command {
	var o newOptions
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "Begin a project: a plan and its domain, from documents or conversations of yours, or the quickstart",
		Long: `Write a plan and its domain into DIR, which is not there yet or empty. They can be validated and planned at
once, where the teacher, if there is one, can be reached. Where something is wrong, nothing is written.

  --from quickstart  the quickstart: worked examples with units and dates, a cycle of a few minutes.
  --from docs        from text and Markdown: --documents names a file, a folder or a glob. The documents stay
                     where they are. The benchmark is made of them at once, without a teacher: sentences
                     with a term left out. It needs 100 items for the gate.
  --from chat        from conversations: --documents names files of JSON lines, each with messages of role and
                     content. They are learned as they are, the benchmark is made of the assistant's answers, and
                     everything is asked as a chat.

Without --teacher a small model is trained on them and writes the samples, so nothing but this
program is needed. --teacher names a server with OpenAI's interface that writes them; it is not asked yet.
Students are run by llama.cpp's llama-server then, which must be on the PATH.
--trainer mlx and torch fine-tune the model in the directory --student, by a plugin in Python.

Exit status: 0 written, 1 error, 130 interrupted.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return newProject(cmd.Context(), w, &o, args[0]) },
	}
	f := cmd.Flags()
	o.flags = f
	f.StringVarP(&o.chdir, "chdir", "C", "", "DIR and --documents are relative to `DIR`")
	f.StringVar(&o.from, "from", "", "what to begin `FROM`: "+strings.Join(beginningNames(), ", "))
	f.StringVar(&o.documents, "documents", "", "the documents: a `PATH` of a file or a folder, or a glob")
	f.StringVar(&o.language, "language", "en", "the `LANGUAGE` of the texts, such as en or es")
	f.StringVar(&o.teacher, "teacher", "", "`URL` of a server that writes samples and questions, such as http://127.0.0.1:8080/v1")
	f.StringVar(&o.model, "teacher-model", "", "the `NAME` of the model there; by default the only one that it has")
	f.StringVar(&o.trainer, "trainer", "llama", "who trains the student: `TRAINER` is llama, mlx or torch")
	f.StringVar(&o.student, "student", "", "the model that mlx or torch fine-tunes: a `DIR` in Hugging Face's form")
	addJSON(cmd, &o.json, "new")
	choose := func(flag string, words []string) {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	}
	choose("from", beginningNames())
	choose("trainer", trainers)
	return cmd
}

var trainers = []string{"llama", "mlx", "torch"}

func beginningNames() (names []string) {
	for _, b := range beginnings() {
		names = append(names, b.name)
	}
	return names
}

// begunFrom is what new --json writes.
type begunFrom struct {
	begun
	From     string               `json:"from"`
	Splits   []runtime.BuiltSplit `json:"splits"`   // of the benchmark, where new made it
	Skipped  []runtime.Skipped    `json:"skipped"`  // documents that cannot be read as text
	Subjects int                  `json:"subjects"` // that the templates ask about

	document string // what a document is called

	project string // DIR
	stage   string // a directory beside it, which becomes it when all is written
	check   bool   // whether the plan can be checked here: a plugin that it requires may have to be installed first
}

// newProject writes beside DIR, and gives it DIR's name when everything is right.
func newProject(ctx context.Context, w *world, o *newOptions, arg string) (err error) {
	watch := watchInterrupts(ctx, w)
	defer watch.close()
	ctx = watch.ctx
	begin, err := o.beginning()
	if err != nil {
		return err
	}
	dir := (&targetOptions{chdir: o.chdir}).path(arg)
	if err := vacant(dir); err != nil {
		return err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	made, err := mkParents(filepath.Dir(abs))
	if err != nil {
		return err
	}
	stage, err := os.MkdirTemp(filepath.Dir(abs), ".jupiter-new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(stage))
			for _, d := range made {
				_ = os.Remove(d) // where nobody else has put something there
			}
		}
	}()
	b := &begunFrom{From: o.from, document: "document", project: dir, stage: stage, check: true, Splits: []runtime.BuiltSplit{}, Skipped: []runtime.Skipped{}}
	b.Schema, b.Name, b.Dir = "jupiter.new/v1", identifier(filepath.Base(abs)), filepath.Join(dir, "domain")
	b.Plan = filepath.Join(dir, b.Name+".jupiter.hcl")
	if err := begin.write(ctx, w, o, b); err != nil {
		return err
	}
	if err := b.finish(ctx, w, abs); err != nil {
		return err
	}
	if o.json {
		return w.json(b)
	}
	viewBegunFrom(w, b)
	return nil
}

func (o *newOptions) beginning() (beginning, error) {
	for _, b := range beginnings() {
		if b.name == o.from {
			return b, nil
		}
	}
	if o.from == "" {
		return beginning{}, usageError{fmt.Errorf("say what to begin from: --from %s", strings.Join(beginningNames(), ", "))}
	}
	return beginning{}, usageError{fmt.Errorf("--from %q is unknown; there is %s", o.from, strings.Join(beginningNames(), ", "))}
}

// vacant says whether a directory can be written: it is not there, or has nothing in it.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("the directory %s is there already, and not empty; nothing is overwritten", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// mkParents makes a directory, and gives those that were not there, the deepest first.
func mkParents(dir string) (made []string, err error) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	return made, os.MkdirAll(dir, 0o755)
}

var notOfName = regexp.MustCompile(`[^\p{L}\p{N}_]+`)

// identifier makes a name of what a directory is called.
func identifier(base string) string {
	name := strings.Trim(notOfName.ReplaceAllString(strings.ToLower(base), "_"), "_")
	if !hclsyntax.ValidIdentifier(name) {
		name = strings.TrimSuffix("domain_"+name, "_")
	}
	if !hclsyntax.ValidIdentifier(name) {
		return "domain"
	}
	return name
}

// write puts files into the stage.
func (b *begunFrom) write(files map[string][]byte) error {
	at := map[string][]byte{}
	for path, text := range files {
		at[filepath.Join(b.stage, filepath.FromSlash(path))] = text
	}
	_, err := writeNew(at)
	return err
}

// finish checks what was written, gives it its name, and lists it.
func (b *begunFrom) finish(ctx context.Context, w *world, abs string) error {
	if b.check {
		if err := checkNew(ctx, w, b.stage); err != nil {
			return err
		}
	}
	if err := filepath.WalkDir(b.stage, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(b.stage, path)
		b.Files = append(b.Files, filepath.Join(b.project, rel))
		return err
	}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Chmod(b.stage, 0o755); err != nil {
		return err
	}
	if err := os.Remove(abs); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // somebody has put something there
	}
	return os.Rename(b.stage, abs)
}

// checkNew is jupiter validate, for what this program wrote.
func checkNew(ctx context.Context, w *world, dir string) (err error) {
	l, err := load(ctx, w, &targetOptions{}, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.host.Close()) }()
	if l.diags.HasErrors() {
		return &configurationError{l.diags, l.files}
	}
	return nil
}

func viewBegunFrom(w *world, b *begunFrom) {
	for _, path := range b.Files {
		fmt.Fprintf(w.out, "Wrote %s.\n", path)
	}
	if len(b.Splits) > 0 {
		fmt.Fprintf(w.out, "\nThe benchmark:\n")
		for _, s := range b.Splits {
			fmt.Fprintf(w.out, "  %-10s %s of %s\n", s.Name, plural(s.Items, "item"), plural(s.Clusters, b.document))
		}
		for _, s := range b.Splits {
			if s.Few {
				advice := "add documents, or cut long ones into files by chapters"
				if b.chats() {
					advice = "add conversations"
				}
				fmt.Fprintf(w.out, "Warning: the gate pool is of %s, and the gate decides on 30 or more: %s.\n", plural(s.Clusters, b.document), advice)
			}
		}
	}
	fmt.Fprintf(w.out, "\n%s says how to go on. Next:\n", filepath.Join(b.project, "README.md"))
	for _, c := range b.Next {
		fmt.Fprintf(w.out, "  %s\n", c)
	}
}
