package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The parser and the evaluator recurse, and Go cannot recover from a stack that outgrows its limit (1 GiB), so the
// depth of an expression is bounded before it is parsed. Sources below safeSize cannot reach a dangerous depth: a
// level takes a byte at least and a few kilobytes of stack at most.
const (
	safeSize    = 64 << 10
	maxBrackets = 250    // ( [ { ${ %{ "
	maxOps      = 10_000 // operators, indexes, calls and conditions in one expression
)

// CheckNesting refuses HCL source, or a template, whose expressions are too deep to be parsed safely.
func CheckNesting(src []byte, template bool) error {
	if len(src) < safeSize {
		return nil
	}
	if !template {
		if most, ok := skim(src); ok && most.brackets <= maxBrackets && most.ops <= maxOps {
			return nil
		}
	}
	_, err := measure(src, template, maxBrackets, maxOps)
	return err
}

// depth is how deep the expressions of a source are: the most that stands open at once.
type depth struct{ brackets, ops int }

// measure finds the depth token by token, and stops with an error where it is over a limit.
func measure(src []byte, template bool, brackets, ops int) (depth, error) {
	var toks hclsyntax.Tokens
	if template {
		toks, _ = hclsyntax.LexTemplate(src, "", hcl.InitialPos)
	} else {
		toks, _ = hclsyntax.LexConfig(src, "", hcl.InitialPos)
	}
	n := newNesting()
	for _, t := range toks {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			n.open(t.Type == hclsyntax.TokenOBrace)
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			n.close()
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
			hclsyntax.TokenPercent, hclsyntax.TokenQuestion, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp,
			hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan,
			hclsyntax.TokenGreaterThanEq:
			n.op()
		case hclsyntax.TokenComma:
			n.comma()
		case hclsyntax.TokenNewline:
			n.newline()
		}
		if n.most.brackets > brackets {
			return n.most, fmt.Errorf("line %d: brackets and quotes are nested deeper than %d", t.Range.Start.Line, brackets)
		}
		if n.most.ops > ops {
			return n.most, fmt.Errorf("line %d: more than %d operators in one expression", t.Range.Start.Line, ops)
		}
	}
	return n.most, nil
}

// nesting follows what stands open. levels[i] counts what deepens the expression at bracket depth i; sum is their total.
// A comma ends an operand at its level, and so does a newline outside of ( ) and [ ].
type nesting struct {
	levels []level
	sum    int
	most   depth
}

type level struct {
	ops   int
	lines bool // whether a newline ends an operand
}

func newNesting() *nesting {
	return &nesting{levels: []level{{lines: true}}, most: depth{brackets: 1}}
}

func (n *nesting) top() *level { return &n.levels[len(n.levels)-1] }

func (n *nesting) open(lines bool) {
	n.op()
	n.levels = append(n.levels, level{lines: lines})
	n.most.brackets = max(n.most.brackets, len(n.levels))
}

func (n *nesting) close() {
	if len(n.levels) > 1 {
		n.sum -= n.top().ops
		n.levels = n.levels[:len(n.levels)-1]
	}
}

func (n *nesting) op() {
	n.top().ops++
	n.sum++
	n.most.ops = max(n.most.ops, n.sum)
}

func (n *nesting) comma() {
	n.sum -= n.top().ops
	n.top().ops = 0
}

func (n *nesting) newline() {
	if n.top().lines {
		n.comma()
	}
}
