// Package addr has the addresses of what a plan file declares.
//
// An address is the dotted path that a user types and that a plan prints: "trainer.llama.student",
// "module.quantities.domain.quantities", "self_improvement.ue5.promotion". It is a comparable string, so that it
// can be a map key, a bucket key and a JSON value without conversion. An instance made by for_each ends in its key:
// "source.web.site[\"blog\"]".
package addr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
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

// Parse reads an address as a user types it: names joined by dots, each with keys in brackets behind it where it is an
// instance, as in filter.quality.shape["es"] and trainer.llama.base[2].
func Parse(text string) (Address, error) {
	rest := text
	for first := true; ; first = false {
		if !first {
			if !strings.HasPrefix(rest, ".") {
				return "", fmt.Errorf("%q is no address: %q follows a name", text, rest)
			}
			rest = rest[1:]
		}
		n := nameLength(rest)
		if n == 0 {
			return "", fmt.Errorf("%q is no address: a name is missing", text)
		}
		rest = rest[n:]
		for strings.HasPrefix(rest, "[") {
			n, err := keyLength(rest)
			if err != nil {
				return "", fmt.Errorf("%q is no address: %w", text, err)
			}
			rest = rest[n:]
		}
		if rest == "" {
			return Address(text), nil
		}
	}
}

// nameLength is the length of the name that s begins with: a letter or _, then letters, digits, _ and -.
func nameLength(s string) int {
	for i, r := range s {
		if r == '_' || unicode.IsLetter(r) || i > 0 && (r == '-' || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)) {
			continue
		}
		return i
	}
	return len(s)
}

// keyLength is the length of the key in brackets that s begins with: a quoted text, spelled as Instance spells it, or a
// number.
func keyLength(s string) (int, error) {
	if strings.HasPrefix(s, `["`) {
		quoted, err := strconv.QuotedPrefix(s[1:])
		if err != nil || !strings.HasPrefix(s[1+len(quoted):], "]") {
			return 0, fmt.Errorf("the key in %q does not end", s)
		}
		key, err := strconv.Unquote(quoted)
		if err != nil || strconv.Quote(key) != quoted {
			return 0, fmt.Errorf("the key %s is not spelled %s", quoted, strconv.Quote(key))
		}
		return len(quoted) + 2, nil
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return 0, fmt.Errorf("the key in %q does not end", s)
	}
	if n, err := strconv.Atoi(s[1:end]); err != nil || strconv.Itoa(n) != s[1:end] || n < 0 {
		return 0, fmt.Errorf("the key in %q is neither a number nor a text in quotes", s[:end+1])
	}
	return end + 1, nil
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
