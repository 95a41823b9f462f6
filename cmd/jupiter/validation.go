package main

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/config"
)

// validation is what validate says.
type validation struct {
	Schema      string       `json:"schema"`
	Valid       bool         `json:"valid"`
	Errors      int          `json:"error_count"`
	Warnings    int          `json:"warning_count"`
	Diagnostics []diagnostic `json:"diagnostics"`
}

type diagnostic struct {
	Severity   string       `json:"severity"` // error, warning
	Summary    string       `json:"summary"`
	Detail     string       `json:"detail"`
	Range      *sourceRange `json:"range"`      // null: it has no place in the source
	Block      *string      `json:"block"`      // the block around it, as its module names it: trainer.llama.student; null: none
	Snippet    *snippet     `json:"snippet"`    // null: there is no source to show
	Suggestion *suggestion  `json:"suggestion"` // null: none
}

type sourceRange struct {
	File  string   `json:"file"`
	Start position `json:"start"`
	End   position `json:"end"` // behind the last character
}

// position counts lines and columns from 1, columns in characters, and bytes from 0.
type position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// snippet are the lines of a range, at most maxSnippet of them.
type snippet struct {
	StartLine int    `json:"start_line"`
	Code      string `json:"code"`  // without the last line end
	Start     int    `json:"start"` // of the range in the code, in bytes from 0
	End       int    `json:"end"`
}

const maxSnippet = 20

// suggestion is a text for another one.
type suggestion struct {
	Text  string       `json:"text"`
	Range *sourceRange `json:"range"` // what it replaces; null: that is not certain
}

func newValidation(files config.Files, diags hcl.Diagnostics) validation {
	v := validation{Schema: "jupiter.validate/v1", Valid: !diags.HasErrors(), Diagnostics: []diagnostic{}}
	for _, d := range diags {
		out := diagnostic{Severity: "error", Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			out.Severity = "warning"
			v.Warnings++
		} else {
			v.Errors++
		}
		var f *hcl.File
		if r := d.Subject; r != nil {
			out.Range, f = newRange(*r), files[r.Filename]
		}
		var src []byte
		if f != nil {
			src = f.Bytes
			out.Block, out.Snippet = blockAround(f, d.Subject.Start.Byte), newSnippet(src, *d.Subject)
		}
		if s := config.Suggest(d, src); s != nil {
			out.Suggestion = &suggestion{Text: s.Text}
			if s.Range != nil {
				out.Suggestion.Range = newRange(*s.Range)
			}
		}
		v.Diagnostics = append(v.Diagnostics, out)
	}
	return v
}

func newRange(r hcl.Range) *sourceRange {
	at := func(p hcl.Pos) position { return position{p.Line, p.Column, p.Byte} }
	return &sourceRange{r.Filename, at(r.Start), at(r.End)}
}

// blockAround is the address of the outermost block around a place, within its module.
func blockAround(f *hcl.File, at int) *string {
	nav, ok := f.Nav.(interface{ ContextString(int) string })
	if !ok {
		return nil
	}
	var words []string
	for _, w := range strings.Fields(nav.ContextString(at)) { // trainer "llama" "student"
		if w = strings.Trim(w, `"`); w != "" {
			words = append(words, w)
		}
	}
	if words == nil {
		return nil
	}
	address := strings.Join(words, ".")
	return &address
}

func newSnippet(src []byte, r hcl.Range) *snippet {
	from, to := r.Start.Byte, max(r.End.Byte, r.Start.Byte)
	if to > len(src) || len(src) == 0 {
		return nil
	}
	begin := bytes.LastIndexByte(src[:from], '\n') + 1
	end := len(src)
	if to > from && src[to-1] == '\n' {
		to-- // the line end belongs to the line before
	}
	if n := bytes.IndexByte(src[to:], '\n'); n >= 0 {
		end = to + n
	}
	code := src[begin:end]
	if lines := bytes.SplitAfterN(code, []byte("\n"), maxSnippet+1); len(lines) > maxSnippet {
		code = code[:len(code)-len(lines[maxSnippet])-1]
	}
	return &snippet{StartLine: r.Start.Line, Code: string(code), Start: from - begin, End: min(to-begin, len(code))}
}
