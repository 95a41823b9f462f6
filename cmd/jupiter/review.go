package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/term"

	"jupiter/runtime"
)

// review is a person's way through the candidates.
type review struct {
	w    *world
	all  []runtime.Candidate
	save func() error
	keys *keyboard
	next string // the command that goes on
	done []step
}

// step is what can be undone: a candidate as it was.
type step struct {
	at  int
	was runtime.Candidate
}

// run shows one candidate after the other until there are no more, or somebody has enough.
func (r *review) run() error {
	var todo []int
	for i, c := range r.all {
		if c.Reviewable() && !c.Judged() {
			todo = append(todo, i)
		}
	}
	for at := 0; at < len(todo); {
		c := &r.all[todo[at]]
		viewCandidate(r.w, *c, at+1, len(todo))
		key, err := r.keys.read()
		if err != nil {
			return err
		}
		fmt.Fprintln(r.w.out)
		was := *c
		switch key {
		case 'a':
			c.Judge(runtime.StatusAccepted)
		case 'r':
			c.Judge(runtime.StatusRejected)
		case 'e':
			if err := r.edit(c); err != nil {
				fmt.Fprintf(r.w.out, "Not changed: %v.\n", err)
				continue
			}
		case 's':
			at++
			continue
		case 'u':
			if at, err = r.undo(todo, at); err != nil {
				return err
			}
			continue
		case 'q':
			return r.end(todo)
		default:
			continue
		}
		r.done = append(r.done, step{todo[at], was})
		if err := r.save(); err != nil {
			return err
		}
		at++
	}
	return r.end(todo)
}

// undo takes back the last judgement, and gives the place of its candidate.
func (r *review) undo(todo []int, at int) (int, error) {
	if len(r.done) == 0 {
		fmt.Fprintln(r.w.out, "There is nothing to undo.")
		return at, nil
	}
	last := r.done[len(r.done)-1]
	r.done = r.done[:len(r.done)-1]
	r.all[last.at] = last.was
	return slices.Index(todo, last.at), r.save()
}

func (r *review) end(todo []int) error {
	left := 0
	for _, i := range todo {
		if !r.all[i].Judged() {
			left++
		}
	}
	fmt.Fprintf(r.w.out, "Judged %d, %d left. %s makes the splits anew.\n", len(r.done), left, r.next)
	return nil
}

// edit lets a person change a candidate: in an editor, or line by line.
func (r *review) edit(c *runtime.Candidate) error {
	if editor := r.editor(); editor != "" {
		text, err := r.open(editor, editable(*c))
		if err != nil {
			return err
		}
		return applyEdit(c, text)
	}
	question, err := r.ask("Question (\\n is a line end)", strings.ReplaceAll(c.Question, "\n", `\n`))
	if err != nil {
		return err
	}
	answer, err := r.ask("Answer", c.Answer)
	if err != nil {
		return err
	}
	others, err := r.ask("Wrong answers, with | between", strings.Join(c.Distractors, " | "))
	if err != nil {
		return err
	}
	var distractors []string
	for d := range strings.SplitSeq(others, "|") {
		distractors = append(distractors, strings.TrimSpace(d))
	}
	return c.Edit(strings.ReplaceAll(question, `\n`, "\n"), answer, distractors)
}

// ask asks for a line; an empty one keeps what is there.
func (r *review) ask(what, now string) (string, error) {
	fmt.Fprintf(r.w.out, "%s, Enter keeps: %s\n> ", what, harmless(now))
	line, err := r.keys.line()
	if err != nil || strings.TrimSpace(line) == "" {
		return now, err
	}
	return line, nil
}

func (r *review) editor() string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if e, _ := r.w.getenv(name); strings.TrimSpace(e) != "" {
			return e
		}
	}
	return ""
}

// open lets a person change a text in an editor, which may have arguments.
func (r *review) open(editor, text string) (_ string, err error) {
	f, err := os.CreateTemp("", "jupiter-review-*.txt")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	words := strings.Fields(editor)
	cmd := exec.CommandContext(context.Background(), words[0], append(words[1:], f.Name())...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = r.w.in, r.w.out, r.w.err, r.w.environ
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w", words[0], err)
	}
	b, err := os.ReadFile(f.Name())
	return string(b), err
}

// editable is a candidate as it is edited: what stands below each heading is its text.
func editable(c runtime.Candidate) string {
	return fmt.Sprintf("QUESTION\n%s\n\nANSWER\n%s\n\nWRONG ANSWERS, one a line\n%s\n\nPASSAGE, not read back\n%s\n",
		c.Question, c.Answer, strings.Join(c.Distractors, "\n"), c.Passage)
}

// applyEdit reads back what editable wrote.
func applyEdit(c *runtime.Candidate, text string) error {
	parts := map[string][]string{}
	heading := ""
	for line := range strings.Lines(strings.ToValidUTF8(text, "\uFFFD")) {
		line = strings.TrimRight(line, "\r\n")
		found := false
		for _, h := range []string{"QUESTION", "ANSWER", "WRONG ANSWERS", "PASSAGE"} {
			if line == h || strings.HasPrefix(line, h+",") {
				heading, found = h, true
			}
		}
		if !found {
			parts[heading] = append(parts[heading], line)
		}
	}
	var distractors []string
	for _, d := range parts["WRONG ANSWERS"] {
		if d = strings.TrimSpace(d); d != "" {
			distractors = append(distractors, d)
		}
	}
	return c.Edit(strings.Join(parts["QUESTION"], "\n"), strings.Join(parts["ANSWER"], " "), distractors)
}

// keyboard reads single keys of a terminal, and lines.
type keyboard struct{ w *world }

// read waits for a key. It is read without waiting for the line's end; Ctrl-C and Ctrl-D end the review.
func (k *keyboard) read() (byte, error) {
	f, ok := k.w.in.(*os.File)
	if !ok {
		return 0, errors.New("the input is no terminal")
	}
	old, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return 0, err
	}
	b, err := k.byte()
	if restored := term.Restore(int(f.Fd()), old); err == nil {
		err = restored
	}
	switch {
	case errors.Is(err, io.EOF) || b == 4:
		return 'q', nil
	case b == 3:
		return 0, context.Canceled
	}
	return b | 0x20, err // in lower case
}

// line reads up to the line's end, a byte at a time: what follows is for somebody else.
func (k *keyboard) line() (string, error) {
	var line []byte
	for {
		b, err := k.byte()
		if errors.Is(err, io.EOF) && len(line) > 0 || err == nil && b == '\n' {
			return strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "\uFFFD"), nil
		}
		if err != nil {
			return "", err
		}
		if len(line) < maxPrompt {
			line = append(line, b)
		}
	}
}

func (k *keyboard) byte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(k.w.in, b[:])
	return b[0], err
}
