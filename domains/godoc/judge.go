package godoc

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Judgement is what a text is worth.
type Judgement struct {
	WellFormed bool // an example, or an answer, by its form: it parses
	Consistent bool // the doc comment names what is declared
	Compiles   bool // it type-checks in its package; of an answer to a question: it is right
	Reason     string
	Family     string
	Question   string // of a whole example: package clause and doc comment
	Answer     string // and the declaration
}

// Reasons why an example is not accepted, besides those of Library.Check.
const (
	tooLong     = "too_long"
	noPackage   = "no_package_clause"
	noDoc       = "no_doc_comment"
	noParse     = "does_not_parse"
	otherName   = "doc_names_another"
	heldOut     = "held_out"
	wrongAnswer = "wrong_answer"
)

// maxText bounds what is read of a text: a generator can write anything.
const maxText = 4096

// Judge judges an example: the prompt ends with the doc comment, or is empty and the text is the whole.
func (l *Library) Judge(prompt, text string) Judgement {
	whole := prompt + text
	if len(whole) > maxText {
		return Judgement{Reason: tooLong}
	}
	path, name, rest, ok := readClause(whole)
	if !ok {
		return Judgement{Reason: noPackage}
	}
	doc, decl := readDoc(rest)
	if doc == "" || strings.TrimSpace(decl) == "" {
		return Judgement{Reason: noDoc}
	}
	j := Judgement{Question: whole[:len(whole)-len(decl)], Answer: decl}
	d := parse(decl)
	if d == nil {
		j.Reason = noParse
		return j
	}
	names, family, _ := declared(d)
	if len(names) == 0 {
		j.Reason = noParse
		return j
	}
	j.WellFormed, j.Family = true, family
	j.Consistent = slices.ContainsFunc(names, func(n string) bool { return mentions(doc, n) })
	switch {
	case !j.Consistent:
		j.Reason = otherName
	case splitOf(path) != Real:
		j.Reason = heldOut
	case !l.Has(path, name):
		j.Reason = unknownPackage
	default:
		_, j.Reason = l.Check(path, decl)
		j.Compiles = j.Reason == ""
	}
	return j
}

// parse gives the one declaration of a text; nil: it is not one.
func parse(decl string) ast.Decl {
	f, err := parser.ParseFile(token.NewFileSet(), "", before+decl, parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 || len(f.Imports) > 0 {
		return nil
	}
	return f.Decls[0]
}

// Answer judges an answer to a question of the benchmark. Where the reference is a function, its signature must have the same types,
// whatever its parameters are called and whatever follows. Elsewhere the answer must begin with the word that the reference is.
func (l *Library) Answer(prompt, text, reference string) Judgement {
	if len(prompt)+len(text) > maxText {
		return Judgement{Reason: tooLong}
	}
	if !strings.HasPrefix(reference, "func ") {
		return firstWord(text, reference)
	}
	j := Judgement{Family: Signature, Reason: noParse}
	path, _, rest, ok := readClause(prompt)
	if !ok {
		return j
	}
	d, ok := parse(header(text)).(*ast.FuncDecl)
	if !ok {
		return j
	}
	doc, _ := readDoc(rest)
	j.WellFormed, j.Consistent = true, mentions(doc, d.Name.Name)
	want, ok := parse(header(reference)).(*ast.FuncDecl)
	if !ok {
		return j
	}
	j.Reason = wrongAnswer
	if d.Name.Name == want.Name.Name && receiverOf(d) == receiverOf(want) && l.same(path, header(text), header(reference)) {
		j.Compiles, j.Reason = true, ""
	}
	return j
}

// same reports whether two signatures of one package are of identical types.
func (l *Library) same(path, a, b string) bool {
	typeOf := func(decl string) types.Type {
		objects, reason := l.Check(path, decl)
		if reason != "" {
			return nil
		}
		for _, o := range objects {
			return o.Type()
		}
		return nil
	}
	x, y := typeOf(a), typeOf(b)
	l.mu.Lock()
	defer l.mu.Unlock()
	return x != nil && y != nil && types.Identical(x, y)
}

func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) != 1 {
		return ""
	}
	return types.ExprString(d.Recv.List[0].Type)
}

// firstWord judges the answer to a cloze: it begins with the reference, and the word ends there.
func firstWord(text, reference string) Judgement {
	j := Judgement{Family: Cloze, WellFormed: strings.TrimSpace(text) != "", Reason: wrongAnswer}
	j.Consistent = j.WellFormed
	if rest, ok := strings.CutPrefix(text, reference); ok && j.WellFormed && (rest == "" || !letter(rest[0])) {
		j.Compiles, j.Reason = true, ""
	}
	return j
}

// header is a function's text up to its body, or to the end of the line that its signature ends on.
func header(text string) string {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	depth, last := 0, token.ILLEGAL
	for {
		pos, tok, _ := s.Scan()
		at := file.Offset(pos)
		switch tok {
		case token.EOF:
			return text
		case token.LPAREN, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		case token.LBRACE:
			if depth <= 0 && last != token.STRUCT && last != token.INTERFACE {
				return strings.TrimRight(text[:at], " \t\n")
			}
			depth++
		case token.SEMICOLON:
			if depth <= 0 {
				return text[:at]
			}
		}
		last = tok
	}
}
