package lockfile

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Bounds of what is read.
const (
	maxSize    = 1 << 20
	maxNesting = 16
	maxNumber  = 9 // digits
)

var platformPattern = regexp.MustCompile(`^[a-z][a-z0-9]*_[a-z0-9]+$`)

// IsPlatform says whether a text names a platform: OS_ARCH as Go spells the two, linux_amd64.
func IsPlatform(s string) bool { return platformPattern.MatchString(s) }

var fileSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "plugin", LabelNames: []string{"name"}}}}

var pluginSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "source", Required: true}, {Name: "version", Required: true}, {Name: "constraints"}, {Name: "protocol", Required: true},
	{Name: "tls", Required: true}, {Name: "toolchain"}, {Name: "hashes", Required: true},
}}

// Parse reads a lock file. filename is for the places of diagnostics. The File is nil where there is an error.
func Parse(src []byte, filename string) (*File, hcl.Diagnostics) {
	if d := readable(src, filename); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	parsed, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	content, diags := parsed.Body.Content(fileSchema)
	p := parser{diags: diags}
	f := &File{}
	for _, b := range content.Blocks {
		plugin := p.plugin(b)
		if was := f.Find(plugin.Name); was != nil {
			p.fail(b.DefRange, "Locked twice", "The plugin %q is locked at %s already.", plugin.Name, was.Range)
			continue
		}
		f.Put(plugin)
	}
	if p.diags.HasErrors() {
		return nil, p.diags
	}
	return f, p.diags
}

// readable refuses what HCL's parser should not be given: it takes a stack frame a bracket, and works out any number.
func readable(src []byte, filename string) *hcl.Diagnostic {
	start := hcl.Range{Filename: filename, Start: hcl.InitialPos, End: hcl.InitialPos}
	if len(src) > maxSize {
		return problem(start, "Lock file cannot be read", fmt.Sprintf("It is larger than %d MiB.", maxSize>>20))
	}
	if !utf8.Valid(src) {
		return problem(start, "Lock file cannot be read", "It is not UTF-8 text.")
	}
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenQuestion, hclsyntax.TokenOHeredoc:
			return problem(t.Range, "Lock file cannot be read", "A lock file has plain texts and numbers and nothing to work out.")
		}
		if depth > maxNesting {
			return problem(t.Range, "Lock file cannot be read", "It is nested too deeply.")
		}
		if t.Type == hclsyntax.TokenNumberLit && len(t.Bytes) > maxNumber {
			return problem(t.Range, "Lock file cannot be read", "The number is too long.")
		}
	}
	return nil
}

func problem(rng hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &rng}
}

type parser struct{ diags hcl.Diagnostics }

func (p *parser) fail(rng hcl.Range, summary, format string, args ...any) {
	p.diags = append(p.diags, problem(rng, summary, fmt.Sprintf(format, args...)))
}

func (p *parser) plugin(b *hcl.Block) Plugin {
	out := Plugin{Name: b.Labels[0], Range: b.DefRange}
	if !hclsyntax.ValidIdentifier(out.Name) {
		p.fail(b.LabelRanges[0], "Invalid name", "%q cannot be the name of a plugin.", out.Name)
	}
	content, diags := b.Body.Content(pluginSchema)
	p.diags = append(p.diags, diags...)
	if diags.HasErrors() {
		return out
	}
	text := func(name string) string {
		if a := content.Attributes[name]; a != nil {
			return p.text(a.Expr)
		}
		return ""
	}
	out.Source, out.Version, out.Constraints = text("source"), text("version"), text("constraints")
	out.TLS, out.Toolchain = text("tls"), text("toolchain")
	number := content.Attributes["protocol"]
	if n, err := strconv.Atoi(literal(number.Expr)); err != nil || n < 1 {
		p.fail(number.Expr.Range(), "Wrong type", "protocol is the number of a version of the plugin protocol: 1.")
	} else {
		out.Protocol = n
	}
	p.check(out, content.Attributes)
	out.Hashes = p.hashes(content.Attributes["hashes"].Expr)
	return out
}

// check looks at what the texts say.
func (p *parser) check(out Plugin, attrs hcl.Attributes) {
	if _, err := version.NewVersion(out.Version); err != nil {
		p.fail(attrs["version"].Expr.Range(), "Invalid version", "%q is no version.", out.Version)
	}
	if _, err := version.NewConstraint(out.Constraints); err != nil && out.Constraints != "" {
		p.fail(attrs["constraints"].Expr.Range(), "Invalid version constraint", "%q is no version constraint.", out.Constraints)
	}
	if out.TLS != "auto" && out.TLS != "given" && out.TLS != "off" {
		p.fail(attrs["tls"].Expr.Range(), "Unknown word", `tls is "auto", "given" or "off", and not %q.`, out.TLS)
	}
}

// hashes reads { OS_ARCH = "sha256:…" }.
func (p *parser) hashes(e hcl.Expression) map[string]string {
	out := map[string]string{}
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		p.fail(e.Range(), "Wrong type", "hashes is { OS_ARCH = \"sha256:…\" }, a line a platform.")
		return out
	}
	for _, item := range object.Items {
		platform := hcl.ExprAsKeyword(item.KeyExpr)
		if k, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && platform == "" {
			platform = literal(k.Wrapped)
		}
		hash := p.text(item.ValueExpr)
		raw, found := cutHash(hash)
		switch {
		case !IsPlatform(platform):
			p.fail(item.KeyExpr.Range(), "Unknown platform", "A platform is OS_ARCH, as in linux_amd64 or darwin_arm64.")
		case out[platform] != "":
			p.fail(item.KeyExpr.Range(), "Locked twice", "There are two hashes for %s.", platform)
		case !found:
			p.fail(item.ValueExpr.Range(), "Invalid hash", "A hash is %q and 64 hexadecimal digits in lower case.", hashPrefix)
		default:
			out[platform] = raw
		}
	}
	return out
}

// cutHash gives the hexadecimal digits of a hash.
func cutHash(s string) (string, bool) {
	if len(s) != len(hashPrefix)+64 || s[:len(hashPrefix)] != hashPrefix {
		return "", false
	}
	raw, err := hex.DecodeString(s[len(hashPrefix):])
	return s[len(hashPrefix):], err == nil && hex.EncodeToString(raw) == s[len(hashPrefix):]
}

func (p *parser) text(e hcl.Expression) string {
	if t, ok := e.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
		return literal(e)
	}
	if t, ok := e.(*hclsyntax.TemplateExpr); ok && len(t.Parts) == 0 {
		return ""
	}
	p.fail(e.Range(), "Wrong type", "A plain text in quotes belongs here.")
	return ""
}

// literal is the text of a literal, or of a number; "" for anything else.
func literal(e hcl.Expression) string {
	switch t := e.(type) {
	case *hclsyntax.TemplateExpr:
		if t.IsStringLiteral() {
			return literal(t.Parts[0])
		}
	case *hclsyntax.LiteralValueExpr:
		switch {
		case t.Val.IsNull() || !t.Val.IsKnown():
		case t.Val.Type() == cty.String:
			return t.Val.AsString()
		case t.Val.Type() == cty.Number:
			return t.Val.AsBigFloat().Text('f', -1)
		}
	}
	return ""
}
