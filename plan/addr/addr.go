// Package addr has the addresses of what a plan file declares.
//
// An address is the dotted path that a user types and that a plan prints: "trainer.llama.student",
// "module.quantities.domain.quantities", "self_improvement.ue5.promotion". It is a comparable string, so that it
// can be a map key, a bucket key and a JSON value without conversion. An instance made by for_each ends in its key:
// "source.web.site[\"blog\"]".
package addr

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Address names one thing: a block, an instance of a block, or a node that the planner derives from them.
type Address string

// Root is the module that the user's directory holds.
const Root Address = ""

// Module gives the address of the call NAME in the module parent.
func Module(parent Address, name string) Address { return parent.child("module", name) }

// Block gives the address of a block with its labels in a module: Block(Root, "trainer", "llama", "student").
func Block(module Address, kind string, labels ...string) Address {
	return module.child(append([]string{kind}, labels...)...)
}

// Child gives the address of a part of a: Child("benchmark") of a domain.
func (a Address) Child(parts ...string) Address { return a.child(parts...) }

// Instance gives the address of one instance of a, by its for_each key. The key stands in it as HCL spells a text, so
// that the address can be typed into a configuration.
func (a Address) Instance(key string) Address { return a + Address("["+quote(key)+"]") }

// Index gives the address of the i-th instance of a.
func (a Address) Index(i int) Address { return a + Address("["+strconv.Itoa(i)+"]") }

// Under says whether a is base, an instance of it, or a part of either.
func (a Address) Under(base Address) bool {
	rest, ok := strings.CutPrefix(string(a), string(base))
	return ok && base != Root && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Rebase gives the address that a has when from is called to; a itself where it is not under from.
func (a Address) Rebase(from, to Address) Address {
	if !a.Under(from) {
		return a
	}
	return to + a[len(from):]
}

// maxAddress bounds what Parse reads: 64 KiB.
const maxAddress = 64 << 10

// Parse reads an address as a user types it: names joined by dots, each with keys in brackets behind it where it is an
// instance, as in filter.quality.shape["es"] and trainer.llama.base[2]. There is one spelling of each address.
func Parse(text string) (Address, error) {
	if len(text) > maxAddress {
		return "", fmt.Errorf("an address of %d bytes is no address", len(text))
	}
	steps, diags := hclsyntax.ParseTraversalAbs([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return "", fmt.Errorf("%q is no address: write names with dots between them, and keys in brackets: trainer.llama.base, filter.quality.shape[\"es\"]", text)
	}
	var a Address
	for _, s := range steps {
		switch s := s.(type) {
		case hcl.TraverseRoot:
			a = Address(s.Name)
		case hcl.TraverseAttr:
			a = a.Child(s.Name)
		case hcl.TraverseIndex:
			if s.Key.Type() == cty.String {
				a = a.Instance(s.Key.AsString())
				continue
			}
			n, accuracy := s.Key.AsBigFloat().Int64()
			if accuracy != big.Exact || n < 0 || n > math.MaxInt32 {
				return "", fmt.Errorf("%q is no address: a key is a text or a count", text)
			}
			a = a.Index(int(n))
		default:
			return "", fmt.Errorf("%q names several things", text)
		}
	}
	if string(a) != text {
		return "", fmt.Errorf("%q is no address; it is spelled %q", text, a)
	}
	return a, nil
}

func (a Address) String() string { return string(a) }

func quote(key string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range key {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(key[i+1:], "{"):
			b.WriteRune(r) // a template would begin here
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (a Address) child(parts ...string) Address {
	s := strings.Join(parts, ".")
	if a == Root {
		return Address(s)
	}
	return a + Address("."+s)
}
