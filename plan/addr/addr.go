// Package addr has the addresses of what a plan file declares.
//
// An address is the dotted path that a user types and that a plan prints: "trainer.llama.student",
// "module.quantities.domain.quantities", "self_improvement.ue5.promotion". It is a comparable string, so that it
// can be a map key, a bucket key and a JSON value without conversion. An instance made by for_each ends in its key:
// "source.web.site[\"blog\"]".
package addr

import (
	"strconv"
	"strings"
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

// Instance gives the address of one instance of a, by its for_each key.
func (a Address) Instance(key string) Address { return a + Address("["+strconv.Quote(key)+"]") }

// Index gives the address of the i-th instance of a.
func (a Address) Index(i int) Address { return a + Address("["+strconv.Itoa(i)+"]") }

func (a Address) String() string { return string(a) }

func (a Address) child(parts ...string) Address {
	s := strings.Join(parts, ".")
	if a == Root {
		return Address(s)
	}
	return a + Address("."+s)
}
