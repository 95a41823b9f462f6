package bpe

import "strings"

// Rendered gives the tokens of a text that a chat template has made: where it spells a special token, it means that token.
// BOS is first where texts begin with it, once. The text comes from a program that serves the model, as that program would
// read it itself; text of strangers belongs in Encode.
func (t *Tokenizer) Rendered(text string) []int32 {
	special := t.specialByFirst()
	var ids []int32
	from := 0
	for i := 0; i < len(text); {
		id := longestAt(t.tokens, special[text[i]], text[i:])
		if id == None {
			i++
			continue
		}
		ids = append(append(ids, t.Encode(text[from:i])...), id)
		i += len(t.tokens[id])
		from = i
	}
	ids = append(ids, t.Encode(text[from:])...)
	if len(ids) == 0 || !t.noBOS && ids[0] != t.bos {
		ids = append([]int32{t.bos}, ids...)
	}
	return ids
}

// specialByFirst lists the special tokens by the first byte of their spelling.
func (t *Tokenizer) specialByFirst() (by [256][]int32) {
	for i, special := range t.special {
		if special {
			first := t.tokens[i][0]
			by[first] = append(by[first], int32(i))
		}
	}
	return by
}

// longestAt is the token with the longest spelling that text begins with, or None.
func longestAt(spellings []string, ids []int32, text string) int32 {
	best := None
	for _, id := range ids {
		if strings.HasPrefix(text, spellings[id]) && (best == None || len(spellings[id]) > len(spellings[best])) {
			best = id
		}
	}
	return best
}
