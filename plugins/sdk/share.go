package sdk

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Share is what is left of a prompt set: samples From … To−1. Sample i answers prompt i modulo their number.
type Share struct {
	*PromptSet
	From, To uint64
}

// shareCursor says that samples of the sets before the named one, and below Next in it, are done.
type shareCursor struct {
	Template string `json:"template"`
	Next     uint64 `json:"next"`
}

// maxShare bounds the samples of one set.
const maxShare = 1 << 40

// Shares gives what is left of a request's sets after a cursor that Share.Cursor made; none is the beginning. A host may also
// move a set's start_index: the later of the two counts.
func Shares(sets []*PromptSet, cursor []byte) (left []Share, err error) {
	var at *shareCursor
	if len(cursor) > 0 {
		at = &shareCursor{}
		if err := json.Unmarshal(cursor, at); err != nil {
			return nil, fmt.Errorf("the cursor is not one of this generator: %w", err)
		}
	}
	for _, s := range sets {
		x := Share{s, s.GetStartIndex(), s.GetStartIndex() + s.GetSamples()}
		if x.To < x.From || x.To-x.From > maxShare {
			return nil, fmt.Errorf("template %q asks for %d samples from %d on", s.GetTemplate(), s.GetSamples(), s.GetStartIndex())
		}
		if at != nil && at.Template == s.GetTemplate() {
			x.From = min(max(x.From, at.Next), x.To)
			left, at = nil, nil // the sets before this one are done
		}
		left = append(left, x)
	}
	if at != nil {
		return nil, fmt.Errorf("the cursor is about template %q, which the request does not have", at.Template)
	}
	return left, nil
}

// Cursor is that of a batch after which all samples of the set below next are done, and those of the sets before it.
func (s Share) Cursor(next uint64) []byte {
	b, err := json.Marshal(shareCursor{s.GetTemplate(), next})
	if err != nil {
		panic(err) // a text and a number can be written
	}
	return b
}

// SampleSeed is the seed of sample i of a template: a function of the call's seed, the template's name and i, so that a
// resumed call draws what the interrupted one would have, and so that more samples are the same samples and then more.
func SampleSeed(seed uint64, template string, i uint64) uint64 {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	b = binary.LittleEndian.AppendUint64(b, i)
	sum := sha256.Sum256(append(b, template...))
	return binary.LittleEndian.Uint64(sum[:])
}
