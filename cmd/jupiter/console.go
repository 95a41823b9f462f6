package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/lang"
	"jupiter/runtime"
	"jupiter/state"
)

type consoleOptions struct {
	targetOptions
	expressions []string
	json        bool
}

func newConsoleCommand(w *world) *cobra.Command {
	var o consoleOptions
	cmd := &cobra.Command{
		Use:   "console [DIR|FILE]",
		Short: "Evaluate expressions where those of the configuration stand",
		Long: `Read expressions from the standard input, one a line, and print what each evaluates to in the root module:
variables, locals, outputs of modules, addresses, functions, and the figures of the state. An expression goes on over
lines while a bracket is open. Nothing is changed. exit, or the end of the input, ends it.

What is wrong elsewhere in the configuration does no harm to an expression that does not depend on it.

Exit status: 0 done, 1 error; not at a terminal also where an expression could not be evaluated.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return evaluate(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "console")
	cmd.Flags().StringArrayVarP(&o.expressions, "expression", "e", nil, "evaluate `EXPR` and read no input; may be repeated")
	return cmd
}

func evaluate(ctx context.Context, w *world, o *consoleOptions, arg string) (err error) {
	l, err := read(ctx, w, &o.targetOptions, o.path(arg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.host.Close()) }()
	if l.scope == nil {
		return &configurationError{l.diags, l.files}
	}
	if v := newValidation(l.files, l.diags); !v.Valid {
		fmt.Fprintf(w.err, "The configuration has %s; jupiter validate says more. What does not depend on it is evaluated.\n", plural(v.Errors, "error"))
	}
	c := &console{w: w, loaded: l}
	if o.json {
		c.list = &consoleList{Schema: "jupiter.console/v1", Results: []consoleResult{}}
	}
	if len(o.expressions) > 0 {
		for _, e := range o.expressions {
			if err := c.print(ctx, "--expression", e, hcl.InitialPos, e); err != nil {
				return err
			}
		}
		return c.end(false)
	}
	return c.read(ctx)
}

// consoleList is what console --json writes at its end.
type consoleList struct {
	Schema  string          `json:"schema"`
	Results []consoleResult `json:"results"`
}

type consoleResult struct {
	Expression  string       `json:"expression"`
	Value       any          `json:"value"` // an address is a text; null also where it is sensitive or could not be evaluated
	Text        *string      `json:"text"`  // as it is written without --json; null: it could not be evaluated
	Diagnostics []diagnostic `json:"diagnostics"`
}

// console is one session.
type console struct {
	*loaded
	w      *world
	runner *runtime.Runner // reads the state; nil: nothing has asked yet
	failed bool            // an expression could not be evaluated
	list   *consoleList    // what is written as JSON at the end; nil: text, as it comes
}

// end writes what was asked for as JSON. talk says that a person has read what was wrong.
func (c *console) end(talk bool) error {
	if c.list != nil {
		if err := c.w.json(c.list); err != nil {
			return err
		}
	}
	if c.failed && !talk {
		return code(exitError)
	}
	return nil
}

// read evaluates what comes in, an expression a line.
func (c *console) read(ctx context.Context) error {
	const input = "standard input"
	f, ok := c.w.in.(*os.File)
	talk := ok && isatty.IsTerminal(f.Fd()) && c.list == nil
	in := bufio.NewReader(io.LimitReader(c.w.in, maxInput))
	prompt := func(text string) {
		if talk {
			fmt.Fprint(c.w.out, text)
		}
	}
	var all, open strings.Builder // what was read, and of it what is not evaluated yet
	start, line := hcl.InitialPos, 1
	for ended := false; !ended; {
		if open.Len() == 0 {
			start = hcl.Pos{Line: line, Column: 1, Byte: all.Len()}
			prompt("> ")
		} else {
			prompt(": ")
		}
		text, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		ended, line = err != nil, line+1
		all.WriteString(text)
		open.WriteString(text)
		src := open.String()
		switch blank, unfinished := brackets(src); {
		case strings.TrimSpace(src) == "exit" || strings.TrimSpace(src) == "quit":
			ended = true
		case blank:
		case unfinished && !ended:
			continue
		default:
			if err := c.print(ctx, input, all.String(), start, src); err != nil {
				return err
			}
		}
		open.Reset()
	}
	if talk {
		fmt.Fprintln(c.w.out)
	}
	return c.end(talk)
}

// maxInput bounds what is read: 16 MiB.
const maxInput = 16 << 20

// brackets says whether a text has nothing to evaluate, and whether it goes on: a bracket, a brace, a template's
// interpolation or a heredoc is open.
func brackets(src string) (blank, unfinished bool) {
	tokens, _ := hclsyntax.LexExpression([]byte(src), "", hcl.InitialPos)
	depth := 0
	blank = true
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCHeredoc:
			depth--
		case hclsyntax.TokenNewline, hclsyntax.TokenComment, hclsyntax.TokenEOF:
			continue
		}
		blank = false
	}
	return blank, depth > 0
}

// print evaluates an expression and writes its value, or what is wrong with it. whole is the source that it stands in.
func (c *console) print(ctx context.Context, file, whole string, start hcl.Pos, src string) error {
	v, diags := c.scope.Eval([]byte(src), file, start)
	files := config.Files{file: {Bytes: []byte(whole)}}
	for name, f := range c.files {
		files[name] = f
	}
	if c.list == nil {
		c.w.diagnostics(files, diags)
	}
	figure := func(r lang.Ref) (cty.Value, error) { return figureAt(ctx, c.cfg, r.Path(), c.facts) }
	result := consoleResult{Expression: strings.TrimSpace(src), Diagnostics: newValidation(files, diags).Diagnostics}
	if diags.HasErrors() {
		c.failed = true
	} else {
		text, err := spelled(v, figure)
		if err != nil {
			return err
		}
		if c.list == nil {
			fmt.Fprintln(c.w.out, text)
			return nil
		}
		result.Text = &text
		if result.Value, err = jsonOf(v, figure); err != nil {
			return err
		}
	}
	if c.list != nil {
		c.list.Results = append(c.list.Results, result)
	}
	return nil
}

// facts reads the history of a cycle from the state, which is opened when it is first asked.
func (c *console) facts(ctx context.Context, k *config.Cycle) (plan.Facts, error) {
	if c.runner == nil {
		db, err := state.Open(c.cfg.StateDir, state.Options{Clock: c.w.now, Links: links(c.cfg), ReadOnly: true})
		if err != nil {
			return plan.Facts{}, err
		}
		c.runner = &runtime.Runner{Config: c.cfg, DB: db}
	}
	return c.runner.Facts(ctx, k.Addr)
}
