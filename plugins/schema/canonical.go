package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// CanonicalJSON gives the one JSON form of a value: what is hashed into action IDs and sent to plugins.
//
//   - Keys are sorted by their bytes; there is no white space; strings are escaped only where JSON demands it.
//   - An attribute of an object that is null is left out, so that a new optional attribute changes nothing. A null in a
//     list or a map stays.
//   - Numbers are exact: the shortest decimal that reads back as the same number at its precision. Whole numbers below
//     10^21 have neither point nor exponent. 0 has no sign.
//   - Sets are lists in cty's order, which depends on the elements alone.
//
// Unknown and marked values, capsules, infinities and numbers far beyond a float64's range are errors.
func CanonicalJSON(v cty.Value) ([]byte, error) {
	var b strings.Builder
	if err := canonical(&b, v); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

func canonical(b *strings.Builder, v cty.Value) error {
	switch {
	case v == cty.NilVal:
		return errors.New("there is no value")
	case v.IsMarked():
		return errors.New("the value is marked")
	case !v.IsKnown():
		return errors.New("the value is not known yet")
	case v.IsNull():
		b.WriteString("null")
		return nil
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return quote(b, v.AsString())
	case t == cty.Bool:
		fmt.Fprint(b, v.True())
		return nil
	case t == cty.Number:
		return number(b, v.AsBigFloat())
	case t.IsObjectType():
		return members(b, v.AsValueMap(), false)
	case t.IsMapType():
		return members(b, v.AsValueMap(), true)
	case t.IsListType(), t.IsSetType(), t.IsTupleType():
		b.WriteByte('[')
		first := true
		for it := v.ElementIterator(); it.Next(); first = false {
			if !first {
				b.WriteByte(',')
			}
			_, e := it.Element()
			if err := canonical(b, e); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	}
	return fmt.Errorf("a value of type %s has no JSON form", t.FriendlyName())
}

func members(b *strings.Builder, m map[string]cty.Value, nulls bool) error {
	keys := make([]string, 0, len(m))
	for k, v := range m {
		if nulls || v.IsMarked() || !v.IsKnown() || !v.IsNull() {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := quote(b, k); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := canonical(b, m[k]); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	b.WriteByte('}')
	return nil
}

func quote(b *strings.Builder, s string) error {
	if plain(s) {
		b.WriteByte('"')
		b.WriteString(s)
		b.WriteByte('"')
		return nil
	}
	var q strings.Builder
	e := json.NewEncoder(&q)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	b.WriteString(strings.TrimSuffix(q.String(), "\n"))
	return nil
}

// plain says whether a string stands in JSON as it is. What else JSON leaves alone, the encoder knows.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// maxExponent bounds the binary exponent of a number, four times wider than a float64's: the time to write a number in
// decimal grows with it.
const maxExponent = 4096

// number writes n as encoding/json writes floats: plainly where its magnitude is in [1e-6, 1e21), else with an exponent.
func number(b *strings.Builder, n *big.Float) error {
	if n.IsInf() {
		return errors.New("the number is infinite")
	}
	if n.Sign() == 0 {
		b.WriteByte('0')
		return nil
	}
	e := n.MantExp(nil)
	if e > maxExponent || e < -maxExponent {
		return errors.New("the number is too large or too small")
	}
	// A whole number whose neighbours at its precision are at most 1 away has no shorter decimal than its own digits.
	// Nearly all numbers are such, and the general way below takes a hundred times longer at cty's 512 bits.
	if n.IsInt() && e < 64 && e <= int(n.Prec()) {
		i, _ := n.Int64()
		b.WriteString(strconv.FormatInt(i, 10))
		return nil
	}
	abs := new(big.Float).Abs(n)
	format := byte('f')
	if abs.Cmp(big.NewFloat(1e21)) >= 0 || abs.Cmp(big.NewFloat(1e-6)) < 0 {
		format = 'e'
	}
	b.WriteString(n.Text(format, -1))
	return nil
}
