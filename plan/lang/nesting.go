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
	var toks hclsyntax.Tokens
	if template {
		toks, _ = hclsyntax.LexTemplate(src, "", hcl.InitialPos)
	} else {
		toks, _ = hclsyntax.LexConfig(src, "", hcl.InitialPos)
	}
	// levels[i] counts what deepens the expression at bracket depth i; sum is their total. A comma ends an operand at
	// its level, and so does a newline outside of ( ) and [ ].
	type level struct {
		ops   int
		lines bool
	}
	levels, sum := []level{{lines: true}}, 0
	for _, t := range toks {
		top := &levels[len(levels)-1]
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			top.ops, sum = top.ops+1, sum+1
			levels = append(levels, level{lines: t.Type == hclsyntax.TokenOBrace})
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if len(levels) > 1 {
				sum -= top.ops
				levels = levels[:len(levels)-1]
			}
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
			hclsyntax.TokenPercent, hclsyntax.TokenQuestion, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp,
			hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan,
			hclsyntax.TokenGreaterThanEq:
			top.ops, sum = top.ops+1, sum+1
		case hclsyntax.TokenComma:
			sum, top.ops = sum-top.ops, 0
		case hclsyntax.TokenNewline:
			if top.lines {
				sum, top.ops = sum-top.ops, 0
			}
		}
		if len(levels) > maxBrackets {
			return fmt.Errorf("line %d: brackets and quotes are nested deeper than %d", t.Range.Start.Line, maxBrackets)
		}
		if sum > maxOps {
			return fmt.Errorf("line %d: more than %d operators in one expression", t.Range.Start.Line, maxOps)
		}
	}
	return nil
}
